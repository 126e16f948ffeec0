"""Winograd's convolution against the direct one in float64: values, gradients, and what it replaces."""

import numba
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from restora.nets.drunet import DRUNet
from restora.nets.winograd import WinogradConv2d, suits, use_winograd

SHAPES = [(1, 1, 1), (2, 5, 3), (3, 4, 8), (1, 37, 50), (2, 90, 71)]


def drawn(b: int, c: int, h: int, w: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(b, c, h, w, generator=torch.Generator().manual_seed(seed))


def convolution(entering: int, leaving: int, *, bias: bool = True) -> nn.Conv2d:
    torch.manual_seed(1)
    return nn.Conv2d(entering, leaving, 3, padding=1, bias=bias)


def close(one: torch.Tensor, other: torch.Tensor, part: float) -> bool:
    """No number is farther from the other than this part of the largest."""
    return bool((one.detach().double() - other).abs().max() <= part * other.abs().max())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("entering", "leaving"), [(32, 32), (48, 33), (64, 100)])
@pytest.mark.parametrize("bias", [True, False])
def test_equals_the_direct_convolution(shape: tuple[int, int, int], entering: int, leaving: int, bias: bool) -> None:
    direct = convolution(entering, leaving, bias=bias)
    b, h, w = shape
    x = drawn(b, entering, h, w)
    offset = None if direct.bias is None else direct.bias.double()
    truth = conv2d(x.double(), direct.weight.double(), offset, padding=1)
    for layout in (torch.contiguous_format, torch.channels_last):
        assert close(WinogradConv2d(direct)(x.contiguous(memory_format=layout)), truth, 1e-5)


@pytest.mark.parametrize("first", [0, 8])
def test_part_of_the_channels_of_a_larger_array(first: int) -> None:
    larger = drawn(2, 48, 9, 14).contiguous(memory_format=torch.channels_last)
    layer, part = WinogradConv2d(convolution(32, 32)), larger[:, first : first + 32]
    assert torch.equal(layer(part), layer(part.contiguous()))


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_the_direct_convolution(shape: tuple[int, int, int]) -> None:
    direct, (b, h, w) = convolution(40, 32), shape
    x, weights_of_y = drawn(b, 40, h, w).requires_grad_(), drawn(b, 32, h, w, seed=2)
    (WinogradConv2d(direct)(x) * weights_of_y).sum().backward()
    x64, weight, bias = (t.detach().double().requires_grad_() for t in (x, direct.weight, direct.get_parameter("bias")))
    (conv2d(x64, weight, bias, padding=1) * weights_of_y.double()).sum().backward()
    for ours, theirs in ((x, x64), (direct.weight, weight), (direct.get_parameter("bias"), bias)):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert close(ours.grad, theirs.grad, 2e-5)


def test_a_second_derivative_is_refused() -> None:
    layer, x = WinogradConv2d(convolution(32, 32)), drawn(1, 32, 6, 6).requires_grad_()
    (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_threads_change_nothing() -> None:
    layer, x = WinogradConv2d(convolution(32, 32)), drawn(2, 32, 45, 61)
    one = layer(x)
    torch.set_num_threads(2)
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    two = layer(x)
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    assert torch.equal(one, two)


def test_many_steps_do_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, weights_of_y = WinogradConv2d(convolution(32, 48)), drawn(2, 48, 21, 30, seed=2)

    def found() -> list[torch.Tensor]:
        x = drawn(2, 32, 21, 30).requires_grad_()
        y = layer(x)
        return [y, *torch.autograd.grad((y * weights_of_y).sum(), (x, layer.weight))]

    whole = found()
    monkeypatch.setattr("restora.nets.winograd._NUMBERS", 7 * 36 * 48)  # 7 tiles of 96 at most, the last step shorter
    many = found()
    assert torch.equal(many[0], whole[0])
    assert torch.equal(many[1], whole[1])
    weight = layer.weight.detach().double().requires_grad_()
    (conv2d(drawn(2, 32, 21, 30).double(), weight, padding=1) * weights_of_y.double()).sum().backward()
    assert weight.grad is not None
    assert close(many[2], weight.grad, 1e-5)  # only its sum over the tiles is taken in another order


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv2d(32, 32, 3),
        nn.Conv2d(32, 32, 3, padding=1, stride=2),
        nn.Conv2d(32, 32, 3, padding=2, dilation=2),
        nn.Conv2d(32, 32, 3, padding=1, groups=2),
        nn.Conv2d(32, 32, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(32, 32, 5, padding=1),
        nn.Conv2d(3, 64, 3, padding=1),
        nn.Conv2d(64, 1024, 3, padding=1),
        nn.ConvTranspose2d(32, 32, 3, padding=1),
    ],
)
def test_leaves_other_layers_alone(other: nn.Module) -> None:
    assert not suits(other)


def test_a_network_that_uses_it_stays_the_same() -> None:
    torch.manual_seed(0)
    network = DRUNet(widths=(32, 32, 64, 64), blocks=1)
    before, x, sigma = network.state_dict(), drawn(1, 1, 40, 56), torch.full((1, 1, 40, 56), 0.1)
    truth = network(x, sigma).detach()
    use_winograd(network)
    replaced = [name for name, module in network.named_modules() if isinstance(module, WinogradConv2d)]
    assert len(replaced) == 14  # two in each of seven blocks; head, tail and those that change the grid stay
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(after[name].data_ptr() == before[name].data_ptr() for name in before)
    assert close(network(x, sigma), truth.double(), 1e-5)


def test_other_precisions_are_left_to_torch() -> None:
    direct, x = convolution(32, 32).bfloat16(), drawn(1, 32, 20, 24).bfloat16()
    assert torch.equal(WinogradConv2d(direct)(x), direct(x))
    single = convolution(32, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(WinogradConv2d(single)(x.float()), single(x.float()))


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTORA_WINOGRAD", "0")
    network = DRUNet(widths=(32, 32, 64, 64), blocks=1)
    use_winograd(network)
    assert not any(isinstance(module, WinogradConv2d) for module in network.modules())
