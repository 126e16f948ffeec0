"""Batch normalisation merged into the convolutions before it, for running a network that is trained."""

from copy import deepcopy
from itertools import pairwise
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Net = TypeVar("Net", bound=nn.Module)


def fused(network: Net, pairs: tuple[tuple[str, str], ...] = ()) -> Net:
    """A copy in eval mode, without the batch normalisations that follow a convolution.

    With z = γ(Wx + b − μ)/√(v + ε) + β, the convolution becomes W' = γW/√(v + ε), b' = γ(b − μ)/√(v + ε) + β for each
    output channel, and the normalisation the identity. Neighbours in an ``nn.Sequential`` are found; others are named.
    A normalisation that has no running statistics, or follows no convolution, stays.

    Args:
        network: whose running statistics are those of its training; it is left as it is.
        pairs: dotted names of further convolutions and of the normalisations right behind them.
    """
    copy = deepcopy(network).eval()
    for prefix, module in list(copy.named_modules()):
        if isinstance(module, nn.Sequential):
            names = [f"{prefix}.{name}" if prefix else name for name, _ in module.named_children()]
            pairs += tuple(pairwise(names))
    for convolution, normalisation in pairs:
        _merge(copy, convolution, normalisation)
    return copy


def _merge(network: nn.Module, first: str, second: str) -> None:
    """Merge the two modules of these names, in place, if they are a convolution and a normalisation."""
    convolution, normalisation = network.get_submodule(first), network.get_submodule(second)
    if not isinstance(convolution, nn.Conv2d) or not isinstance(normalisation, nn.BatchNorm2d):
        return
    if normalisation.running_mean is None:
        return
    _replace(network, first, fuse_conv_bn_eval(convolution, normalisation))
    _replace(network, second, nn.Identity())


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    """Put the module in the place of that dotted name."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)
