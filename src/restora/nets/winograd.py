"""Winograd's minimal filtering: convolutions 3×3 with a quarter of the multiplications.

F(4×4, 3×3): a tile of 4×4 outputs costs 36 products in place of 144, because

    y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A,   d the 6×6 pixels around the tile

and the sums over channels become 36 products of matrices. Its gradients are of the same kind: that of d is such a
convolution of the gradient of y, and that of w is Gᵀ [Σ (Bᵀ d B) ⊙ (A g Aᵀ)] G over all tiles. The largest error is
about ten times that of a direct convolution in float32, some 1e-5 of the largest number.

A. Lavin, S. Gray: "Fast algorithms for convolutional neural networks", CVPR 2016, doi:10.1109/CVPR.2016.435.
"""

import os
from typing import Any, TypeGuard

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from restora.nets.winograd_cpu import WIDEST, domain_to_outputs, gradients_to_domain, inputs_to_domain

_G = torch.tensor(
    (
        (1 / 4, 0, 0),
        (-1 / 6, -1 / 6, -1 / 6),
        (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6),
        (0, 0, 1),
    )
)
_TO_DOMAIN = torch.kron(_G, _G)  # (36, 9), of a filter
_TURNED = torch.kron(_G.flip(1), _G.flip(1))  # of a filter turned by 180°

_NUMBERS = 1 << 21
"""Numbers of the domain that a step holds: few enough for the last cache, and enough that the threads need not wait for
each other all the time. Where other programs want the cores, a wait can take as long as the system's slice of time."""
_FEWEST = 32


def suits(convolution: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether :class:`WinogradConv2d` can take its place, and is faster: 3×3 with 32 to 512 channels on both sides."""
    return (
        type(convolution) is nn.Conv2d
        and convolution.kernel_size == (3, 3)
        and convolution.stride == convolution.dilation == convolution.padding == (1, 1)
        and convolution.padding_mode == "zeros"
        and convolution.groups == 1
        and _FEWEST <= min(convolution.in_channels, convolution.out_channels)
        and max(convolution.in_channels, convolution.out_channels) <= WIDEST
    )


class WinogradConv2d(nn.Conv2d):
    """A convolution that ``suits``, computed as above in float32 on the CPU and as ever elsewhere."""

    def __init__(self, like: nn.Conv2d) -> None:
        """Share the weights of ``like``."""
        nn.Module.__init__(self)
        self.__dict__.update(like.__dict__)

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        if (
            input.device.type != "cpu"
            or {input.dtype, self.weight.dtype} != {torch.float32}
            or torch.is_autocast_enabled("cpu")
        ):
            return super().forward(input)
        return _Convolution.apply(input, self.weight, self.bias)


def use_winograd(network: nn.Module) -> None:
    """Replace each convolution that ``suits``, in place; names and values of all weights stay.

    Nothing is replaced where the environment variable RESTORA_WINOGRAD is 0.
    """
    if os.environ.get("RESTORA_WINOGRAD") == "0":
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            if suits(child):
                setattr(module, name, WinogradConv2d(child))


class _Convolution(torch.autograd.Function):
    """x (b, c, h, w) ∗ weight (k, c, 3, 3) + bias (k), zeros beyond the border."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        filters = (_TO_DOMAIN @ weight.reshape(-1, 9).T).reshape(36, *weight.shape[:2]).transpose(1, 2)
        offset = weight.new_zeros(len(weight)) if bias is None else bias.detach()
        return _convolve(x.detach(), filters, offset)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]  # the decorator hides the names
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (g,) = gradients
        x, weight = ctx.saved_tensors
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            filters = (_TURNED @ weight.reshape(-1, 9).T).reshape(36, *weight.shape[:2])
            of_x = _convolve(g, filters, weight.new_zeros(weight.shape[1]))
        if ctx.needs_input_grad[1]:
            of_weight = _correlate(x, g)
        if ctx.needs_input_grad[2]:
            of_bias = g.sum(dim=(0, 2, 3))
        return of_x, of_weight, of_bias


def _convolve(x: Tensor, filters: Tensor, bias: Tensor) -> Tensor:
    """x with filters (36, c, k) of the domain."""
    pixels = _channels_last(x)
    b, h, w, _ = pixels.shape
    y = torch.empty(b, filters.shape[2], h, w, memory_format=torch.channels_last)
    out, offset = _channels_last(y), bias.numpy()
    for first, last in _steps(pixels, filters.shape[1]):
        entering = torch.empty(36, last - first, filters.shape[1])
        inputs_to_domain(pixels, first, entering.numpy())
        domain_to_outputs(torch.bmm(entering, filters).numpy(), first, offset, out)
    return y


def _correlate(x: Tensor, g: Tensor) -> Tensor:
    """The gradient of the weights (k, c, 3, 3), from x and the gradient of y."""
    pixels, of_y = _channels_last(x), _channels_last(g)
    total = torch.zeros(36, x.shape[1], g.shape[1])
    for first, last in _steps(pixels, x.shape[1]):
        entering = torch.empty(36, last - first, x.shape[1])
        leaving = torch.empty(36, last - first, g.shape[1])
        inputs_to_domain(pixels, first, entering.numpy())
        gradients_to_domain(of_y, first, leaving.numpy())
        total.baddbmm_(entering.transpose(1, 2), leaving)
    return (_TO_DOMAIN.T @ total.reshape(36, -1)).reshape(3, 3, *total.shape[1:]).permute(3, 2, 0, 1)


def _channels_last(x: Tensor) -> np.ndarray:
    """x with its channels last, (b, h, w, c'); where x is the first channels of a larger array, all of that."""
    turned = x.permute(0, 2, 3, 1)
    b, h, w, c = turned.shape
    pitch = turned.stride(2)
    whole = turned.stride() == (h * w * pitch, w * pitch, pitch, 1) and x.storage_offset() == 0
    if whole and pitch >= c and 4 * b * h * w * pitch <= x.untyped_storage().nbytes():
        return turned.as_strided((b, h, w, pitch), turned.stride()).numpy()
    return turned.contiguous().numpy()


def _steps(pixels: np.ndarray, channels: int) -> list[tuple[int, int]]:
    """Runs of tiles, (first, last + 1)."""
    count = len(pixels) * ((pixels.shape[1] + 3) // 4) * ((pixels.shape[2] + 3) // 4)
    size = _NUMBERS // (36 * channels)
    return [(first, min(first + size, count)) for first in range(0, count, size)]
