"""DnCNN and FDnCNN: sizes of the published networks, the equation written out, and how far a pixel looks."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from restora.core.errors import InvalidParameter
from restora.nets.dncnn import DnCNN, FDnCNN
from restora.nets.network import parameter_count


def convolved(x, weight, bias):
    """3×3 correlation of (c, h, w) with zeros beyond the border."""
    return np.stack([sum(correlate2d(x[j], k[j], mode="same") for j in range(len(x))) for k in weight]) + (
        0 if bias is None else bias[:, None, None]
    )


def arrays_of(module):
    return {key: tensor.detach().numpy() for key, tensor in module.state_dict().items()}


def made_positive(network):
    """All weights positive: then no ReLU hides what an output depends on."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.abs() + 0.01)
    return network.double().eval()


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (DnCNN(), 555_137),
        (DnCNN(batch_norm=True, biases=(False, False, False)), 556_032),
        (DnCNN(depth=20), 665_921),
        (DnCNN(depth=20, channels=3), 668_227),
        (FDnCNN(), 666_497),
        (FDnCNN(channels=3), 668_803),
    ],
)
def test_sizes_are_the_published_ones(network, count):
    assert parameter_count(network) == count


def test_dncnn_is_its_equation():
    network = DnCNN(channels=2, depth=3, width=4, batch_norm=True, biases=(True, False, True), eps=1e-4).double().eval()
    with torch.no_grad():
        for tensor in (*network.parameters(), *network.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.1, 1).sub_(0 if tensor.ndim == 1 else 0.5)
    x, s = np.random.default_rng(0).random((2, 5, 6)), arrays_of(network)
    z = np.maximum(convolved(x, s["model.0.weight"], s["model.0.bias"]), 0)
    z = convolved(z, s["model.2.weight"], None)
    mean, variance, gamma, beta = (
        s[f"model.3.{name}"][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")
    )
    z = np.maximum(gamma * (z - mean) / np.sqrt(variance + 1e-4) + beta, 0)
    expected = x - convolved(z, s["model.5.weight"], s["model.5.bias"])
    found = network(torch.from_numpy(x)[None])
    np.testing.assert_allclose(found.detach().numpy()[0], expected, rtol=1e-12, atol=1e-12)


def test_fdncnn_is_its_equation():
    network, random = FDnCNN(channels=2, depth=3, width=4).double(), np.random.default_rng(0)
    x, sigma, s = random.random((2, 5, 6)), random.random((1, 5, 6)), arrays_of(network)
    z = np.maximum(convolved(np.concatenate((x, sigma)), s["model.0.weight"], s["model.0.bias"]), 0)
    z = np.maximum(convolved(z, s["model.2.weight"], s["model.2.bias"]), 0)
    found = network(torch.from_numpy(x)[None], torch.from_numpy(sigma)[None])
    expected = convolved(z, s["model.4.weight"], s["model.4.bias"])
    np.testing.assert_allclose(found.detach().numpy()[0], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (1, 8), (7, 5)])
def test_any_size_and_the_dtype_of_the_image(size):
    x = torch.rand(2, 3, *size)
    sigma = torch.full((2, 1, *size), 0.1)
    plain, mapped = DnCNN(channels=3, depth=4, width=4), FDnCNN(channels=3, depth=4, width=4)
    assert plain(x).shape == mapped(x, sigma).shape == x.shape
    assert plain.bfloat16()(x).dtype == mapped.bfloat16()(x, sigma).dtype == torch.float32
    assert torch.isfinite(plain(x)).all()


def test_the_residual_is_added_unrounded():
    network = DnCNN(depth=3, width=4).bfloat16()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    x = torch.rand(1, 1, 6, 6)
    assert torch.equal(network(x), x)


@pytest.mark.parametrize(("depth", "batch_norm"), [(3, False), (4, True), (6, True)])
def test_it_begins_with_what_a_shallower_one_or_one_with_batch_normalisation_does(depth, batch_norm):
    torch.manual_seed(1)
    other = DnCNN(
        channels=2, depth=depth, width=5, batch_norm=batch_norm, biases=(True, not batch_norm, False)
    ).double()
    for _ in range(3):
        other(torch.rand(4, 2, 9, 9, dtype=torch.float64))  # its running statistics move
    for parameter in other.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    network = DnCNN(channels=2, depth=6, width=5).double()
    network.begin_with(other.state_dict())
    x = torch.rand(1, 2, 9, 9, dtype=torch.float64)
    torch.testing.assert_close(network(x), other.eval()(x), atol=1e-6, rtol=0)
    assert not torch.allclose(network(x), x)


def test_it_does_not_begin_with_a_deeper_one():
    with pytest.raises(RuntimeError):
        DnCNN(depth=3, width=4).begin_with(DnCNN(depth=4, width=4).state_dict())


def test_halo_is_what_a_pixel_depends_on():
    network = made_positive(DnCNN(depth=5, width=3))
    x = torch.rand(1, 1, 15, 15, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 7, 7].backward()
    rows = x.grad[0, 0].abs().sum(dim=1).nonzero().flatten()
    assert network.halo == 5
    assert (rows.min(), rows.max()) == (7 - 5, 7 + 5)


def test_a_tile_with_its_halo_is_the_whole():
    network = made_positive(DnCNN(depth=4, width=3))
    x = torch.rand(1, 1, 20, 20, dtype=torch.float64)
    tile = network(x[..., 3:17, 2:18])
    torch.testing.assert_close(tile[..., 4:-4, 4:-4], network(x)[..., 7:13, 6:14])


def test_the_authors_initialisation():
    torch.manual_seed(0)
    network = DnCNN(batch_norm=True)
    weights = network.model[2].weight
    assert weights.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    norms = [layer for layer in network.model if isinstance(layer, torch.nn.BatchNorm2d)]
    assert len(norms) == 15
    assert min(norm.weight.min().item() for norm in norms) == pytest.approx(0.025)
    assert all(torch.equal(norm.running_var, torch.full((64,), 0.01)) for norm in norms)


def test_gradients_are_finite_and_reach_every_weight():
    network, x = DnCNN(depth=4, width=4, batch_norm=True), torch.rand(2, 1, 8, 8)
    network(x).square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())
    assert all(p.grad.abs().sum() > 0 for p in network.parameters() if p.ndim == 4)


@pytest.mark.parametrize("fields", [{"channels": 0}, {"depth": 1}, {"width": 0}, {"eps": 0.0}])
def test_refusals(fields):
    with pytest.raises(InvalidParameter, match=next(iter(fields))):
        DnCNN(**fields)
