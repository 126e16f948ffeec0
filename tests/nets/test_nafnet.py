"""NAFNet: sizes, a block and the U-Net written out, and the means over windows."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, pad, pixel_shuffle

from restora.core.errors import InvalidParameter
from restora.nets.nafnet import Mean, NAFBlock, NAFNet
from restora.nets.network import parameter_count


def randomised(module):
    """β and γ are 0 before training and would hide the blocks."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-0.6, 0.6)
    return module.double()


def block(x, s, prefix):
    """The equation of a NAF-block on (b, c, h, w)."""

    def convolved(z, name, groups=1):
        weight = s[f"{prefix}{name}.weight"]
        return conv2d(z, weight, s[f"{prefix}{name}.bias"], padding=weight.shape[-1] // 2, groups=groups)

    def normalised(z, name):
        centred = z - z.mean(dim=1, keepdim=True)
        z = centred / (centred.square().mean(dim=1, keepdim=True) + 1e-6).sqrt()
        return z * s[f"{prefix}{name}.weight"][:, None, None] + s[f"{prefix}{name}.bias"][:, None, None]

    def gated(z):
        half = z.shape[1] // 2
        return z[:, :half] * z[:, half:]

    z = convolved(normalised(x, "norm1"), "conv1")
    z = gated(convolved(z, "conv2", groups=z.shape[1]))
    z = z * convolved(z.mean(dim=(2, 3), keepdim=True), "sca.1")
    y = x + s[f"{prefix}beta"] * convolved(z, "conv3")
    return y + s[f"{prefix}gamma"] * convolved(gated(convolved(normalised(y, "norm2"), "conv4")), "conv5")


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 29_159_715),
        ({"width": 64}, 115_982_915),
        ({"encoders": (1, 1, 1, 28), "middle": 1, "decoders": (1, 1, 1, 1)}, 17_111_907),
    ],
)
def test_sizes_are_the_published_ones(fields, count):
    with torch.device("meta"):
        assert parameter_count(NAFNet(**fields)) == count


def test_a_block_is_its_equation():
    module = randomised(NAFBlock(4, 0))
    x = torch.rand(2, 4, 5, 7, dtype=torch.float64)
    torch.testing.assert_close(module(x), block(x, module.state_dict(), ""))


def test_nafnet_is_its_equation_on_sides_that_are_no_multiples():
    network = randomised(NAFNet(channels=2, width=2, encoders=(1, 0), middle=1, decoders=(0, 2)))
    s, x = network.state_dict(), torch.rand(1, 2, 6, 9, dtype=torch.float64)
    z0 = conv2d(pad(x, (0, 3, 0, 2)), s["intro.weight"], s["intro.bias"], padding=1)
    z0 = block(z0, s, "encoders.0.0.")
    z1 = conv2d(z0, s["downs.0.weight"], s["downs.0.bias"], stride=2)
    z = block(conv2d(z1, s["downs.1.weight"], s["downs.1.bias"], stride=2), s, "middle_blks.0.")
    z = pixel_shuffle(conv2d(z, s["ups.0.0.weight"]), 2) + z1
    z = pixel_shuffle(conv2d(z, s["ups.1.0.weight"]), 2) + z0
    z = block(block(z, s, "decoders.1.0."), s, "decoders.1.1.")
    expected = x + conv2d(z, s["ending.weight"], s["ending.bias"], padding=1)[..., :6, :9]
    torch.testing.assert_close(network(x), expected)


@pytest.mark.parametrize("window", [1, 3, 4, 6])
def test_means_over_windows_are_those_of_the_nearest_window_inside(window):
    x = np.random.default_rng(0).random((6, 9))
    expected = np.empty_like(x)
    rows, columns = min(window, 6), min(window, 9)
    for i in range(6):
        for j in range(9):
            top = min(max(i - (rows - 1) // 2, 0), 6 - rows)
            left = min(max(j - (columns - 1) // 2, 0), 9 - columns)
            expected[i, j] = x[top : top + rows, left : left + columns].mean()
    found = Mean(window)(torch.from_numpy(x)[None, None]).expand(1, 1, 6, 9)
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("window", [0, 9])
def test_means_over_the_image(window):
    x = torch.rand(1, 2, 6, 9)
    torch.testing.assert_close(Mean(window)(x), x.mean(dim=(2, 3), keepdim=True))


def test_a_window_halves_with_the_scale_and_changes_larger_images_only():
    fields = {"width": 2, "encoders": (1, 1), "middle": 1, "decoders": (1, 1)}
    whole, local = randomised(NAFNet(**fields)), NAFNet(**fields, window=16).double()
    local.load_state_dict(whole.state_dict())
    assert [local.encoders[n][0].sca[0].window for n in (0, 1)] == [16, 8]
    assert local.middle_blks[0].sca[0].window == 4
    assert local.decoders[0][0].sca[0].window == 8
    small, large = torch.rand(1, 3, 16, 16).double(), torch.rand(1, 3, 20, 20).double()
    torch.testing.assert_close(local(small), whole(small))
    assert not torch.allclose(local(large), whole(large))


@pytest.mark.parametrize("size", [(1, 1), (8, 17), (7, 5)])
def test_any_size_and_the_dtype_of_the_image(size):
    x = torch.rand(2, 3, *size)
    for window in (0, 6):
        network = NAFNet(width=4, encoders=(1, 1), middle=1, decoders=(1, 1), window=window)
        assert network(x).shape == x.shape
        found = network.bfloat16()(x)
        assert found.dtype == torch.float32
        assert torch.isfinite(found).all()


def test_it_starts_with_blocks_that_do_nothing():
    module, x = NAFBlock(4, 0), torch.rand(1, 4, 6, 6)
    assert torch.equal(module(x), x)
    assert NAFNet(width=2, encoders=(1,), decoders=(1,)).halo is None


def test_gradients_are_finite_and_reach_every_weight():
    network = randomised(NAFNet(width=4, encoders=(1,), middle=1, decoders=(1,)))
    network(torch.rand(2, 3, 8, 8, dtype=torch.float64)).square().mean().backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize(
    "fields", [{"channels": 0}, {"width": 0}, {"encoders": ()}, {"decoders": (2, 2)}, {"middle": -1}, {"window": -1}]
)
def test_refusals(fields):
    with pytest.raises(InvalidParameter, match=next(iter(fields))):
        NAFNet(**fields)
