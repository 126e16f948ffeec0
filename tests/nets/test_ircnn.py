"""IRCNN: the dilated kernels written out with zeros between, and the choice of the denoiser."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from restora.core.errors import InvalidParameter
from restora.nets.ircnn import DILATIONS, IRCNN
from restora.nets.network import parameter_count


def dilated(x, weight, bias, dilation):
    """Correlation of (c, h, w) with kernels whose taps stand ``dilation`` apart, zeros beyond the border."""
    spread = np.zeros((*weight.shape[:2], 2 * dilation + 1, 2 * dilation + 1))
    spread[..., ::dilation, ::dilation] = weight
    # As large as the kernels need, since "same" of a smaller image would be the size of the kernel.
    x = np.pad(x, ((0, 0), (dilation, dilation), (dilation, dilation)))
    z = [sum(correlate2d(x[j], k[j], mode="valid") for j in range(len(x))) for k in spread]
    return np.stack(z) + bias[:, None, None]


def test_a_denoiser_has_the_published_size():
    assert parameter_count(IRCNN(levels=1)) == 185_857
    assert parameter_count(IRCNN(channels=3, levels=2)) == 2 * 188_163


def test_ircnn_is_its_equation():
    network, x = IRCNN(levels=1, width=4).double(), np.random.default_rng(0).random((1, 11, 9))
    z = x
    for n, dilation in enumerate(DILATIONS):
        weight, bias = (network.bank[0].model[2 * n].get_parameter(name).detach() for name in ("weight", "bias"))
        z = dilated(z, weight.numpy(), bias.numpy(), dilation)
        z = np.maximum(z, 0) if n < 6 else z
    found = network(torch.from_numpy(x)[None], torch.zeros(1, 1, 11, 9, dtype=torch.float64))
    np.testing.assert_allclose(found.detach().numpy()[0], x - z, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("sigma", "number"), [(0, 1), (1, 1), (2, 1), (2.1, 2), (20, 10), (25, 13), (50, 25), (75, 25)]
)
def test_the_denoiser_is_the_papers(sigma, number):
    single = torch.tensor(sigma / 255, dtype=torch.float32)
    assert IRCNN(width=1).index_for(float(single)) == number - 1


def test_each_image_of_a_batch_has_its_denoiser():
    network, x = IRCNN(levels=3, width=4), torch.rand(3, 1, 9, 8)
    sigma = torch.tensor([6.0, 2.0, 6.0]).reshape(3, 1, 1, 1).expand(3, 1, 9, 8) / 255
    found = network(x, sigma)
    for image, member in ((0, 2), (1, 0), (2, 2)):
        one = x[image : image + 1]
        torch.testing.assert_close(found[image : image + 1], one - network.bank[member](one))
    assert not torch.allclose(found[1:2], x[1:2] - network.bank[2](x[1:2]))


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (7, 5)])
def test_any_size_and_the_dtype_of_the_image(size):
    x, sigma = torch.rand(2, 3, *size), torch.full((2, 1, *size), 0.1)
    network = IRCNN(channels=3, levels=2, width=4)
    assert network(x, sigma).shape == x.shape
    found = network.bfloat16()(x, sigma)
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()


def test_halo_is_what_a_pixel_depends_on():
    network = IRCNN(levels=1, width=3).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.abs() + 0.01)
    x = torch.rand(1, 1, 3, 45, dtype=torch.float64, requires_grad=True)
    network(x, torch.zeros_like(x))[0, 0, 1, 22].backward()
    columns = x.grad[0, 0].abs().sum(dim=0).nonzero().flatten()
    assert network.halo == 16
    assert (columns.min(), columns.max()) == (22 - 16, 22 + 16)


def test_a_tile_with_its_halo_is_the_whole():
    network = IRCNN(levels=1, width=3).double()
    x = torch.rand(1, 1, 40, 40, dtype=torch.float64)
    sigma = torch.full_like(x, 0.1)
    tile = network(x[..., 1:, :38], sigma[..., 1:, :38])
    torch.testing.assert_close(tile[..., 16:, :22], network(x, sigma)[..., 17:, :22])


def test_gradients_are_finite_and_reach_the_chosen_denoiser_only():
    network, x = IRCNN(levels=2, width=8), torch.rand(1, 1, 9, 9)
    network(x, torch.full_like(x, 4 / 255)).square().mean().backward()
    assert all(p.grad is None for p in network.bank[0].parameters())
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in network.bank[1].parameters())


@pytest.mark.parametrize("fields", [{"channels": 0}, {"levels": 0}, {"width": 0}])
def test_refusals(fields):
    with pytest.raises(InvalidParameter, match=next(iter(fields))):
        IRCNN(**fields)
