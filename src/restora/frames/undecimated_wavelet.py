"""The undecimated ("à trous", shift-invariant) wavelet transform: a tight frame."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.frames.wavelet_filters import WaveletName, filter_bank


@dataclass(frozen=True, slots=True)
class UndecimatedWavelet:
    """F: images to 3·levels + 1 bands of the image's size, with FᵀF = I (a Parseval frame), on a periodic image.

    At level l = 1, 2 … the kernels of an orthonormal bank, divided by √2, have 2^(l−1) − 1 zeros between their taps.
    White noise of standard deviation σ has σ/2^l in each band of level l, as long as the kernels fit into the image.
    Cost: O(N·L·levels) for N pixels and kernels of L taps.

    Args:
        wavelet: name of an orthonormal bank.
        levels: number of levels, >= 0.

    Raises:
        InvalidParameter: levels is negative, or the bank is not orthonormal.
        UnknownName: there is no such wavelet.
    """

    wavelet: WaveletName = "haar"
    levels: int = 4

    def __post_init__(self) -> None:
        if self.levels < 0:
            raise InvalidParameter.outside("levels", self.levels, ">= 0")
        bank = filter_bank(self.wavelet)
        if bank.analysis_low[::-1] != bank.synthesis_low:
            raise InvalidParameter.outside("wavelet", self.wavelet, "orthonormal")

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c bands h w"]:
        """Fx: of each level, finest first, high-pass down, along, and both ways; then the approximation."""
        low, high = self._kernels()
        bands = []
        for level in range(self.levels):
            step = 2**level
            down_low, down_high = (_correlate(x, kernel, step, -2) for kernel in (low, high))
            bands += [_correlate(down_high, low, step, -1), _correlate(down_low, high, step, -1)]
            bands += [_correlate(down_high, high, step, -1)]
            x = _correlate(down_low, low, step, -1)
        return torch.stack([*bands, x], dim=2)

    def adjoint(self, bands: Float[Tensor, "b c bands h w"]) -> Float[Tensor, "b c h w"]:
        """Fᵀ, which is also a left inverse of F."""
        low, high = self._kernels()
        x = bands[:, :, -1]
        for level in reversed(range(self.levels)):
            step = -(2**level)
            down, along, both = bands[:, :, 3 * level : 3 * level + 3].unbind(2)
            down_low = _correlate(x, low, step, -1) + _correlate(along, high, step, -1)
            down_high = _correlate(down, low, step, -1) + _correlate(both, high, step, -1)
            x = _correlate(down_low, low, step, -2) + _correlate(down_high, high, step, -2)
        return x

    def _kernels(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        bank = filter_bank(self.wavelet)
        scale = 2**-0.5
        return tuple(scale * f for f in bank.analysis_low), tuple(scale * f for f in bank.analysis_high)


def _correlate(x: Tensor, kernel: tuple[float, ...], step: int, dim: int) -> Tensor:
    """Σ_j f[j]·x[n + j·step] on a periodic signal: a tap at a time, a fused multiply-add of views of one extended copy.

    A negative ``step`` gives the adjoint of the positive one.
    """
    n, reach = x.shape[dim], (len(kernel) - 1) * abs(step)
    start = min(0, step) * (len(kernel) - 1)
    index = torch.arange(start, start + n + reach, device=x.device).remainder(n)
    extended = x.index_select(dim, index)
    out = torch.zeros_like(x)
    for j, tap in enumerate(kernel):
        out = out.add_(extended.narrow(dim, j * step - start, n), alpha=tap)
    return out
