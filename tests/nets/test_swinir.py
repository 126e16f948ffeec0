import pytest
import torch
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.attention import window_attention
from restora.nets.network import parameter_count
from restora.nets.swinir import SwinIR

LIGHT = {"upsampler": "pixelshuffle-direct", "width": 60, "depths": (6,) * 4, "heads": (6,) * 4}
LARGE = {"upsampler": "nearest-conv", "width": 240, "depths": (6,) * 9, "heads": (8,) * 9, "residual": "3conv"}
TINY = {"width": 8, "depths": (2, 1), "heads": (2, 1), "window": 3}
KINDS = [("none", 1), ("pixelshuffle", 2), ("pixelshuffle", 3), ("pixelshuffle-direct", 2), ("nearest-conv", 4)]


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"channels": 1}, 11_497_681),
        ({}, 11_504_163),
        ({"channels": 1, "window": 7, "image_range": 255.0}, 11_485_585),
        ({"scale": 2, "upsampler": "pixelshuffle"}, 11_752_487),
        ({"scale": 3, "upsampler": "pixelshuffle"}, 11_937_127),
        ({"scale": 4, "upsampler": "pixelshuffle"}, 11_900_199),
        ({"scale": 4, "upsampler": "nearest-conv"}, 11_715_559),
        ({"scale": 4, **LARGE}, 28_013_059),
        ({"scale": 2, **LIGHT}, 910_152),
        ({"scale": 3, **LIGHT}, 918_267),
        ({"scale": 4, **LIGHT}, 929_628),
    ],
)
def test_the_published_sizes(fields, count):
    with torch.device("meta"):
        assert parameter_count(SwinIR(**fields)) == count


def conv(state, name, x):
    weight = state[f"{name}.weight"]
    return functional.conv2d(x, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)


def norm(state, name, x):
    return functional.layer_norm(x, (8,), state[f"{name}.weight"], state[f"{name}.bias"])


def linear(state, name):
    layer = torch.nn.Linear(1, 1)
    layer.weight, layer.bias = (torch.nn.Parameter(state[f"{name}.{part}"]) for part in ("weight", "bias"))
    return layer


def layer_by_hand(state, name, x, shift):
    """A Swin layer; the attention, but not its bias, is the module that has tests of its own."""
    table = state[f"{name}.attn.relative_position_bias_table"]
    bias = table.new_zeros(table.shape[1], 9, 9)
    for i in range(9):
        for j in range(9):
            bias[:, i, j] = table[(i // 3 - j // 3 + 2) * 5 + i % 3 - j % 3 + 2]
    maps = linear(state, f"{name}.attn.qkv"), linear(state, f"{name}.attn.proj")
    x = x + window_attention(norm(state, f"{name}.norm1", x), *maps, bias, shift=shift)
    hidden = functional.gelu(linear(state, f"{name}.mlp.fc1")(norm(state, f"{name}.norm2", x)))
    return x + linear(state, f"{name}.mlp.fc2")(hidden)


def reconstructed_by_hand(state, x, scale, upsampler):
    if upsampler == "pixelshuffle-direct":
        return functional.pixel_shuffle(conv(state, "upsample.0", x), scale)
    if upsampler == "none":
        return conv(state, "conv_last", x)
    x = functional.leaky_relu(conv(state, "conv_before_upsample.0", x), 0.01)
    if upsampler == "pixelshuffle":
        return conv(state, "conv_last", functional.pixel_shuffle(conv(state, "upsample.0", x), scale))
    for name in ("conv_up1", "conv_up2"):
        x = functional.leaky_relu(conv(state, name, x.repeat_interleave(2, 2).repeat_interleave(2, 3)), 0.2)
    return conv(state, "conv_last", functional.leaky_relu(conv(state, "conv_hr", x), 0.2))


def by_hand(state, y, scale, upsampler, image_range):
    """The equations for TINY on pictures of sides divisible by 3, which get a whole window more."""
    mean = torch.tensor([0.4488, 0.4371, 0.4040], dtype=y.dtype)[:, None, None]
    h, w = y.shape[-2:]
    large = torch.cat((y, y.flip(2)), 2)[:, :, : h + 3]
    large = torch.cat((large, large.flip(3)), 3)[..., : w + 3]
    shallow = conv(state, "conv_first", (large - mean) * image_range)
    x = norm(state, "patch_embed.norm", shallow.movedim(1, -1))
    for i, depth in enumerate(TINY["depths"]):
        inner = x
        for j in range(depth):
            inner = layer_by_hand(state, f"layers.{i}.residual_group.blocks.{j}", inner, j % 2)
        x = x + conv(state, f"layers.{i}.conv", inner.movedim(-1, 1)).movedim(1, -1)
    x = conv(state, "conv_after_body", norm(state, "norm", x).movedim(-1, 1)) + shallow
    x = reconstructed_by_hand(state, x, scale, upsampler) / image_range + (large if upsampler == "none" else mean)
    return x[..., : scale * h, : scale * w]


@pytest.mark.parametrize(("upsampler", "scale"), KINDS)
def test_against_the_equations(upsampler, scale):
    torch.manual_seed(0)
    network = SwinIR(**TINY, scale=scale, upsampler=upsampler, image_range=2.0).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    y = torch.rand(2, 3, 6, 9, dtype=torch.float64)
    with torch.no_grad():
        expected = by_hand(network.state_dict(), y, scale, upsampler, 2.0)
        assert torch.allclose(network(y), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("upsampler", "scale"), KINDS)
@pytest.mark.parametrize("size", [(1, 1), (7, 2)])
def test_any_size(upsampler, scale, size):
    network = SwinIR(**TINY, scale=scale, upsampler=upsampler, residual="3conv", channels=1)
    x = torch.rand(1, 1, *size)
    y = network(x)
    assert y.shape == (1, 1, scale * size[0], scale * size[1])
    y.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())
    assert network.halo is None


def test_bfloat16_weights_keep_the_dtype_of_the_picture():
    torch.manual_seed(0)
    network = SwinIR(**TINY)
    x = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        expected = network(x) - x
        added = network.bfloat16()(x) - x
    assert added.dtype == torch.float32
    assert (added - expected).norm() < 0.03 * expected.norm()


@pytest.mark.parametrize(
    "wrong", [{"scale": 2}, {"width": 10, "heads": (3, 3)}, {"depths": (1,)}, {"window": 1}, {"channels": 0}]
)
def test_refuses(wrong):
    with pytest.raises(InvalidParameter):
        SwinIR(**{**TINY, **wrong})
