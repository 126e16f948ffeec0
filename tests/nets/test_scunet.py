import pytest
import torch
from torch import nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.attention import window_attention
from restora.nets.network import parameter_count
from restora.nets.scunet import SCUNet

TINY = {"width": 4, "depths": (2, 1, 1, 2, 1, 0, 2), "head_width": 1, "window": 2}


@pytest.mark.parametrize(("channels", "count"), [(3, 17_946_072), (1, 17_943_768)])
def test_the_published_sizes(channels, count):
    with torch.device("meta"):
        assert parameter_count(SCUNet(channels=channels)) == count


def block_by_hand(state, name, x, shift):
    """A block with windows of 2×2; the attention, but not its bias, is the module that has tests of its own."""

    def weights(part):
        return state[f"{name}.{part}.weight"], state.get(f"{name}.{part}.bias")

    def linear(part):
        layer = nn.Linear(1, 1)
        layer.weight, layer.bias = (nn.Parameter(numbers) for numbers in weights(f"trans_block.{part}"))
        return layer

    def norm(part, x):
        return functional.layer_norm(x, x.shape[-1:], *weights(f"trans_block.{part}"))

    def conv(part, x):
        return functional.conv2d(x, *weights(part), padding=weights(part)[0].shape[-1] // 2)

    table = state[f"{name}.trans_block.msa.relative_position_params"]
    bias = table.new_zeros(table.shape[0], 4, 4)
    for i in range(4):
        for j in range(4):
            bias[:, i, j] = table[:, i // 2 - j // 2 + 1, i % 2 - j % 2 + 1]
    mixed = conv("conv1_1", x)
    half = mixed.shape[1] // 2
    near = mixed[:, :half] + conv("conv_block.2", conv("conv_block.0", mixed[:, :half]).clamp(min=0))
    far = mixed[:, half:].movedim(1, -1)
    far = far + window_attention(
        norm("ln1", far), linear("msa.embedding_layer"), linear("msa.linear"), bias, shift=shift
    )
    far = far + linear("mlp.2")(functional.gelu(linear("mlp.0")(norm("ln2", far))))
    return x + conv("conv1_2", torch.cat((near, far.movedim(-1, 1)), 1))


def by_hand(state, y):
    """The U-net of TINY on sides divisible by 16."""

    def blocks(stage, first, x):
        for i in range(2):
            name = f"{stage}.{first + i}"
            x = block_by_hand(state, name, x, i % 2) if f"{name}.conv1_1.weight" in state else x
        return x

    first = functional.conv2d(y, state["m_head.0.weight"], padding=1)
    levels = [first]
    for stage, down in (("m_down1", 2), ("m_down2", 1), ("m_down3", 1)):
        levels.append(functional.conv2d(blocks(stage, 0, levels[-1]), state[f"{stage}.{down}.weight"], stride=2))
    x = blocks("m_body", 0, levels[3])
    for stage, skip in (("m_up3", levels[3]), ("m_up2", levels[2]), ("m_up1", levels[1])):
        x = blocks(stage, 1, functional.conv_transpose2d(x + skip, state[f"{stage}.0.weight"], stride=2))
    return functional.conv2d(x + first, state["m_tail.0.weight"], padding=1)


def test_against_the_equations():
    torch.manual_seed(0)
    network = SCUNet(**TINY).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.4)
    y = torch.rand(2, 3, 32, 16, dtype=torch.float64)
    with torch.no_grad():
        expected = by_hand(network.state_dict(), y)
        assert torch.allclose(network(y), expected, rtol=1e-10, atol=1e-10)
        edges = network(functional.pad(y[..., :19, :11], (0, 5, 0, 13), mode="replicate"))
        assert torch.allclose(network(y[..., :19, :11]), edges[..., :19, :11], atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (17, 5)])
def test_any_size_with_finite_gradients(size):
    network = SCUNet(**TINY, channels=1)
    x = torch.rand(1, 1, *size)
    y = network(x)
    assert y.shape == x.shape
    y.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())
    assert network.halo is None


def test_bfloat16_weights_keep_the_dtype_of_the_picture():
    torch.manual_seed(0)
    network = SCUNet(**TINY)
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        expected = network(x)
        y = network.bfloat16()(x)
    assert y.dtype == torch.float32
    assert (y - expected).norm() < 0.03 * expected.norm()


@pytest.mark.parametrize(
    "wrong", [{"width": 5}, {"head_width": 3}, {"depths": (1, 1)}, {"window": 1}, {"depths": (1, 1, 1, -1, 1, 1, 1)}]
)
def test_refuses(wrong):
    with pytest.raises(InvalidParameter):
        SCUNet(**{**TINY, **wrong})
