"""FFDNet: the four half-size images by slices, the equation written out, and how far a pixel looks."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from restora.core.errors import InvalidParameter
from restora.nets.ffdnet import FFDNet
from restora.nets.network import parameter_count


def convolved(x, weight, bias):
    """3×3 correlation of (c, h, w) with zeros beyond the border."""
    return (
        np.stack([sum(correlate2d(x[j], k[j], mode="same") for j in range(len(x))) for k in weight])
        + (bias[:, None, None])
    )


def test_sizes_are_the_published_ones():
    assert parameter_count(FFDNet()) == 485_316
    assert parameter_count(FFDNet(channels=3, depth=12, width=96)) == 852_108


def test_ffdnet_is_its_equation_on_odd_sides():
    network, random = FFDNet(channels=2, depth=3, width=4).double(), np.random.default_rng(0)
    x, sigma = random.random((2, 5, 7)), random.random((1, 5, 7))
    s = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    even = np.pad(x, ((0, 0), (0, 1), (0, 1)), mode="edge")
    halves = [even[c, i::2, j::2] for c in (0, 1) for i in (0, 1) for j in (0, 1)]
    z = np.stack([*halves, sigma[0, ::2, ::2]])
    z = np.maximum(convolved(z, s["model.0.weight"], s["model.0.bias"]), 0)
    z = np.maximum(convolved(z, s["model.2.weight"], s["model.2.bias"]), 0)
    z = convolved(z, s["model.4.weight"], s["model.4.bias"])
    expected = np.empty((2, 6, 8))
    for k in range(8):
        expected[k // 4, k % 4 // 2 :: 2, k % 2 :: 2] = z[k]
    found = network(torch.from_numpy(x)[None], torch.from_numpy(sigma)[None])
    np.testing.assert_allclose(found.detach().numpy()[0], expected[:, :5, :7], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (7, 5)])
def test_any_size_and_the_dtype_of_the_image(size):
    x, sigma = torch.rand(2, 3, *size), torch.full((2, 1, *size), 0.1)
    network = FFDNet(channels=3, depth=3, width=4)
    assert network(x, sigma).shape == x.shape
    found = network.bfloat16()(x, sigma)
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()


def test_halo_is_what_a_pixel_depends_on():
    network = FFDNet(depth=3, width=3).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.abs() + 0.01)
    reaches = []
    for pixel in (10, 11):
        x = torch.rand(1, 1, 24, 24, dtype=torch.float64, requires_grad=True)
        network(x, torch.zeros_like(x))[0, 0, pixel, pixel].backward()
        rows = x.grad[0, 0].abs().sum(dim=1).nonzero().flatten()
        reaches += [pixel - int(rows.min()), int(rows.max()) - pixel]
    assert max(reaches) == network.halo == 7


def test_a_tile_with_its_halo_that_begins_at_an_even_pixel_is_the_whole():
    network = FFDNet(depth=3, width=3).double()
    x = torch.rand(1, 1, 30, 30, dtype=torch.float64)
    sigma = torch.rand_like(x)
    tile = network(x[..., 2:27, 4:29], sigma[..., 2:27, 4:29])
    torch.testing.assert_close(tile[..., 7:-7, 7:-7], network(x, sigma)[..., 9:20, 11:22])


def test_the_map_acts_where_it_differs():
    network = FFDNet(depth=3, width=8).double()
    x = torch.rand(1, 1, 40, 40, dtype=torch.float64)
    low = torch.full_like(x, 0.05)
    high = low.clone()
    high[..., 20:] = 0.2
    change = (network(x, high) - network(x, low)).abs()
    assert change[..., : 20 - network.halo].max() == 0
    assert change[..., 20:].min() > 0


def test_gradients_are_finite_and_reach_every_weight():
    network, x = FFDNet(depth=4, width=8), torch.rand(2, 1, 8, 8)
    network(x, torch.full_like(x, 0.1)).square().mean().backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("fields", [{"channels": 0}, {"depth": 1}, {"width": 0}])
def test_refusals(fields):
    with pytest.raises(InvalidParameter, match=next(iter(fields))):
        FFDNet(**fields)


def test_fresh_weights_can_give_back_the_picture():
    torch.manual_seed(0)
    y = torch.rand(2, 3, 9, 10)
    sigma = torch.rand(2, 1, 9, 10)
    with torch.no_grad():
        x = FFDNet(channels=3, depth=5, width=30, from_identity=True)(y, sigma)
        plain = FFDNet(channels=3, depth=5, width=30)(y, sigma)
    assert float((x - y).square().mean()) < 0.01 * float(y.square().mean())
    assert float((plain - y).square().mean()) > 0.5 * float(y.square().mean())
    with pytest.raises(InvalidParameter, match="width = 20"):
        FFDNet(channels=3, width=20, from_identity=True)
