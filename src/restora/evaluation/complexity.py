"""Complexity: parameters, multiply-adds and activations of a network, counted without computing anything.

The forward pass is run on PyTorch's ``meta`` device, where tensors have shapes and no values. Multiply-adds (MACs) are
those of convolutions, transposed convolutions, linear layers and products of matrices, attention included: half of what
``torch.utils.flop_counter`` counts, which takes groups and strides into account. (It does not know the
fused attention of CPUs, which is added here.) Biases, activation functions, normalisations,
interpolations and additions are left out. Activations are the numbers that leave convolutions and linear layers, as the
challenges on efficient super-resolution count them (NTIRE, CVPR workshops). Both counts are those of what really runs:
what a network pads is in.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from restora.nets.network import Network

T = TypeVar("T")

SIZE = (3, 256, 256)
"""Channels, height and width for which the challenges count: of the low-resolution image in super-resolution."""

Shape = Sequence[int]

_LAYERS = (F.linear, F.conv1d, F.conv2d, F.conv3d, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
_CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


@dataclass(frozen=True, slots=True)
class Complexity:
    """What a forward pass takes, whatever the machine.

    Attributes:
        parameters: numbers of the network, whatever their precision.
        macs: multiply-adds.
        activations: numbers that leave convolutions and linear layers.
    """

    parameters: int
    macs: int
    activations: int


def complexity(network: Network, size: tuple[int, int, int] = SIZE, batch: int = 1) -> Complexity:
    """Count a forward pass of ``network``, whose weights are neither read nor changed.

    Args:
        network: in training mode or not, on any device.
        size: channels, height and width of the input; the noise map of networks that take one comes beside it.
        batch: images at once.
    """
    shapes: list[tuple[int, ...]] = [(batch, *size)]
    if network.takes_noise_map:
        shapes.append((batch, 1, *size[1:]))
    macs, activations = _counted(network, shapes)
    return Complexity(_parameters([network]), macs, activations)


def complexity_of_run(call: Callable[[], T]) -> tuple[T, Complexity | None]:
    """The result of ``call()``, and the complexity of all networks that it ran, each as often as it was run.

    A method of any kind can be given: how it handles colour, tiles and scales is in the count, what it computes outside
    its networks is not. None where it ran no network.
    """
    with _observed() as passes:
        result = call()
    if not passes:
        return result, None
    counts = [_counted(one.network, one.shapes) for one in passes]
    macs, activations = (sum(numbers) for numbers in zip(*counts))
    return result, Complexity(_parameters([one.network for one in passes]), macs, activations)


@dataclass(frozen=True, eq=False, slots=True)
class _Pass:
    """A network was run on inputs of these shapes."""

    network: Network
    shapes: tuple[tuple[int, ...], ...]


@contextmanager
def _observed() -> Generator[list[_Pass], None, None]:
    """Collect the forward passes of networks; those that a network runs inside itself belong to it."""
    passes: list[_Pass] = []
    running: list[Network] = []

    def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(module, Network):
            if not running:
                passes.append(_Pass(module, tuple(tuple(one.shape) for one in inputs)))
            running.append(module)

    def leave(module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        if isinstance(module, Network):
            running.pop()

    hooks = register_module_forward_pre_hook(enter), register_module_forward_hook(leave, always_call=True)
    try:
        yield passes
    finally:
        for hook in hooks:
            hook.remove()


def _parameters(networks: Sequence[Network]) -> int:
    """Numbers of all networks together, those they share once."""
    return sum({id(one): one.numel() for network in networks for one in network.parameters()}.values())


def _counted(network: Network, shapes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    """Multiply-adds and activations of one forward pass."""
    tensors = [*network.named_parameters(), *network.named_buffers()]
    try:
        state = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors}
        return _passed(network, state, [torch.empty(shape, device="meta") for shape in shapes])
    except RuntimeError:
        # It looks at values, as a bank of denoisers does to choose one: let it see zeros, and compute.
        state = {name: tensor.detach().clone() for name, tensor in tensors}
        return _passed(network, state, [torch.zeros(shape, device=tensors[0][1].device) for shape in shapes])


def _passed(network: Network, state: Mapping[str, Tensor], inputs: Sequence[Tensor]) -> tuple[int, int]:
    """The counts while the network, with ``state`` for its own, is run on the inputs."""
    flops, activations = (
        FlopCounterMode(display=False, custom_mapping={_CPU_ATTENTION: _attention_flops}),
        _Activations(),
    )
    with torch.no_grad(), flops, activations:
        torch.func.functional_call(network, dict(state), tuple(inputs))
    return flops.get_total_flops() // 2, activations.total


def _attention_flops(
    q: Shape,
    k: Shape,
    v: Shape,
    *_: object,
    attn_mask: Shape | None = None,
    scale: float | None = None,
    out_shape: object = None,
) -> int:
    """Of QKᵀ and of its product with V, for queries, keys and values (…, tokens, numbers)."""
    return 2 * prod(q) * k[-2] + 2 * prod(q[:-1]) * prod(v[-2:])


class _Activations(TorchFunctionMode):
    """Adds up the sizes of what leaves convolutions and linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func in _LAYERS:
            self.total += out.numel()
        return out
