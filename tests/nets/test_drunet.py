"""DRUNet: sizes, the U-Net written out, scaling with the noise, and how far a pixel looks."""

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d, pad

from restora.core.errors import InvalidParameter
from restora.nets.drunet import DRUNet
from restora.nets.network import parameter_count


def small(blocks=1, channels=1):
    """Narrow, with weights large enough to matter."""
    torch.manual_seed(0)
    network = DRUNet(channels=channels, widths=(2, 3, 4, 5), blocks=blocks).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    return network


@pytest.mark.parametrize(("channels", "count"), [(1, 32_638_656), (3, 32_640_960)])
def test_sizes_are_the_published_ones(channels, count):
    with torch.device("meta"):
        network = DRUNet(channels=channels)
    assert parameter_count(network) == count
    assert len(network.state_dict()) == 64
    assert network.m_head.weight.shape == (64, channels + 1, 3, 3)


def test_drunet_is_its_equation():
    network = small(channels=2)
    s = network.state_dict()
    x, sigma = torch.rand(1, 2, 13, 18, dtype=torch.float64), torch.rand(1, 1, 13, 18, dtype=torch.float64)

    def block(z, name):
        return z + conv2d(conv2d(z, s[f"{name}.res.0.weight"], padding=1).relu(), s[f"{name}.res.2.weight"], padding=1)

    padded = pad(torch.cat((x, sigma), dim=1), (0, 6, 0, 3), mode="replicate")
    down = [conv2d(padded, s["m_head.weight"], padding=1)]
    for scale in (1, 2, 3):
        down.append(conv2d(block(down[-1], f"m_down{scale}.0"), s[f"m_down{scale}.1.weight"], stride=2))
    z = block(down[3], "m_body.0")
    for scale in (3, 2, 1):
        z = conv_transpose2d(z + down[scale], s[f"m_up{scale}.0.weight"], stride=2)
        z = block(z, f"m_up{scale}.1")
    expected = conv2d(z + down[0], s["m_tail.weight"], padding=1)[..., :13, :18]
    torch.testing.assert_close(network(x, sigma), expected)


def test_brighter_image_and_noise_give_a_brighter_result():
    network = small()
    x, sigma = torch.rand(1, 1, 9, 8, dtype=torch.float64), torch.rand(1, 1, 9, 8, dtype=torch.float64)
    torch.testing.assert_close(network(7 * x, 7 * sigma), 7 * network(x, sigma))


@pytest.mark.parametrize("size", [(1, 1), (8, 17), (7, 5)])
def test_any_size_and_the_dtype_of_the_image(size):
    x, sigma = torch.rand(2, 3, *size), torch.full((2, 1, *size), 0.1)
    network = DRUNet(channels=3, widths=(4, 4, 4, 4), blocks=1)
    assert network(x, sigma).shape == x.shape
    found = network.bfloat16()(x, sigma)
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()


@pytest.mark.parametrize(("blocks", "halo"), [(0, 9), (1, 53), (2, 97)])
def test_halo_is_what_a_pixel_depends_on(blocks, halo):
    network = DRUNet(widths=(2, 2, 2, 2), blocks=blocks).double()
    with torch.no_grad():
        for parameter in network.parameters():
            # Positive, so that no ReLU hides anything; small, so that the far pixels neither vanish nor overflow.
            parameter.fill_(0.2)
    middle, reaches = 8 * 25, []
    for pixel in range(middle, middle + 8):
        x = torch.rand(1, 1, 1, 2 * middle + 8, dtype=torch.float64, requires_grad=True)
        network(x, torch.zeros_like(x))[0, 0, 0, pixel].backward()
        columns = x.grad[0, 0, 0].nonzero().flatten()
        reaches += [pixel - int(columns.min()), int(columns.max()) - pixel]
    assert max(reaches) == network.halo == halo


def test_a_tile_with_its_halo_that_begins_at_a_multiple_of_8_is_the_whole():
    network = small(blocks=0)
    x = torch.rand(1, 1, 56, 56, dtype=torch.float64)
    sigma = torch.full_like(x, 0.1)
    tile = network(x[..., 8:51, 8:51], sigma[..., 8:51, 8:51])
    torch.testing.assert_close(tile[..., 9:-9, 9:-9], network(x, sigma)[..., 17:42, 17:42])


def test_initialisation_has_orthogonal_rows():
    weight = DRUNet(widths=(4, 4, 4, 4), blocks=1).m_body[0].res[0].weight.detach().flatten(1)
    torch.testing.assert_close(weight @ weight.T, 0.04 * torch.eye(4))


def test_gradients_are_finite_and_reach_every_weight():
    network, x = small(), torch.rand(2, 1, 16, 16, dtype=torch.float64)
    network(x, torch.full_like(x, 0.1)).square().mean().backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("fields", [{"channels": 0}, {"widths": (4, 4, 0, 4)}, {"blocks": -1}])
def test_refusals(fields):
    with pytest.raises(InvalidParameter, match=next(iter(fields))):
        DRUNet(**fields)
