"""The undecimated ("à trous", shift-invariant) wavelet transform: a tight frame."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Size
from restora.frames.frame import Bands
from restora.frames.undecimated_wavelet_cpu import analyse_cpu, low_pass_cpu, shrink_cpu, synthesise_cpu
from restora.frames.wavelet_filters import WaveletName, filter_bank

Threshold = Literal["hard", "soft"]
"""``hard``: θ where |θ| > t, else 0. ``soft``: sign(θ)·max(|θ| − t, 0)."""


@dataclass(frozen=True, slots=True)
class UndecimatedWavelet:
    """F: images to 3·levels + 1 bands of the image's size, with FᵀF = I (a Parseval frame), on a periodic image.

    At level l = 1, 2 … the kernels of an orthonormal bank, divided by √2, have 2^(l−1) − 1 zeros between their taps.
    White noise of standard deviation σ has σ/2^l in each band of level l, as long as the kernels fit into the image.
    The bands are the approximation (b, c, h, w), then for each level, coarsest first, the details (b, c, 3, h, w):
    high-pass down the columns, along the rows, and both ways.

    CPU tensors take Numba kernels, all others and those that carry gradients Torch operations. Cost: O(N·L·levels) for
    N pixels and kernels of L taps.

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

    @property
    def tight(self) -> bool:
        return True

    @property
    def reach(self) -> int:
        """Radius of what a pixel of FᵀTFx, with any thresholds T, depends on: (L − 1)(2^levels − 1)."""
        return (filter_bank(self.wavelet).length - 1) * (2**self.levels - 1)

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        approximation, kernels = single_at_least(x), self._kernels()
        details = []
        for level in range(self.levels):
            analyse = analyse_cpu if runs_on_cpu_kernels(approximation) else _analyse_torch
            approximation, detail = analyse(approximation, kernels, 2**level)
            details.append(detail)
        return (approximation, *reversed(details))

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        x, details = bands[0], bands[1:]
        if len(details) != self.levels:
            raise InvalidInput(f"there are {len(bands)} bands, where {self.levels} levels have {self.levels + 1}")
        for level, detail in zip(reversed(range(self.levels)), details):
            synthesise = synthesise_cpu if runs_on_cpu_kernels(x, detail) else _synthesise_torch
            x = synthesise(x, detail, self._kernels(), 2**level)
        return x

    def norms(self, size: Size) -> Bands:
        """A value for each band, whose rows are one kernel, shifted periodically."""
        rows, columns = (self._line_norms(n) for n in size)
        details = []
        for (low, high), (along_low, along_high) in zip(rows[1:], columns[1:]):
            norms = torch.tensor([high * along_low, low * along_high, high * along_high], dtype=torch.float64)
            details.append(norms[:, None, None])
        approximation = torch.full((1, 1), rows[-1][0] * columns[-1][0], dtype=torch.float64)
        return (approximation, *reversed(details))

    def shrunk(
        self, x: Float[Tensor, "b c h w"], thresholds: Bands, rule: Threshold = "hard"
    ) -> Float[Tensor, "b c h w"]:
        """FᵀT(Fx), where T keeps the approximation and shrinks the details.

        The bands are never in memory together: besides x there are ``levels`` + 2 images of its size on the CPU, 7 more
        elsewhere.

        Args:
            x: images.
            thresholds: t of each level, coarsest first, (3, 1, 1).
            rule: what becomes of a coefficient.
        """
        approximations, kernels = [single_at_least(x)], self._kernels()
        for level in range(self.levels):
            low_pass = low_pass_cpu if runs_on_cpu_kernels(x) else _low_pass_torch
            approximations.append(low_pass(approximations[-1], kernels, 2**level))
        out = approximations.pop()
        for level, t in zip(reversed(range(self.levels)), thresholds):
            shrink = shrink_cpu if runs_on_cpu_kernels(x) else _shrink_torch
            out = shrink(out, approximations.pop(), kernels, 2**level, t.to(out), rule == "hard")
        return out

    def _kernels(self) -> Float[Tensor, "2 l"]:
        """The analysis kernels reversed, for correlation."""
        bank = filter_bank(self.wavelet)
        return torch.tensor([bank.synthesis_low, bank.synthesis_high], dtype=torch.float64) * 2**-0.5

    def _line_norms(self, n: int) -> list[tuple[float, float]]:
        """Of the equivalent low and high-pass kernels of each level, from level 0, on a circle of n samples."""
        impulse = torch.zeros(n, dtype=torch.float64)
        impulse[0] = 1
        norms = [(1.0, 0.0)]
        for level in range(self.levels):
            low, high = (_correlate(impulse, kernel, 2**level, 0) for kernel in self._kernels())
            norms.append((float(low.norm()), float(high.norm())))
            impulse = low
        return norms


def _low_pass_torch(x: Tensor, kernels: Tensor, step: int) -> Tensor:
    return _correlate(_correlate(x, kernels[0], step, -2), kernels[0], step, -1)


def _analyse_torch(x: Tensor, kernels: Tensor, step: int) -> tuple[Tensor, Tensor]:
    low, high = kernels
    down_low, down_high = (_correlate(x, kernel, step, -2) for kernel in kernels)
    pairs = ((down_high, low), (down_low, high), (down_high, high))
    details = torch.stack([_correlate(band, kernel, step, -1) for band, kernel in pairs], dim=2)
    return _correlate(down_low, low, step, -1), details


def _synthesise_torch(approximation: Tensor, details: Tensor, kernels: Tensor, step: int) -> Tensor:
    low, high = kernels
    down, along, both = details.unbind(2)
    down_low = _correlate(approximation, low, -step, -1) + _correlate(along, high, -step, -1)
    down_high = _correlate(down, low, -step, -1) + _correlate(both, high, -step, -1)
    return _correlate(down_low, low, -step, -2) + _correlate(down_high, high, -step, -2)


def _shrink_torch(coarse: Tensor, x: Tensor, kernels: Tensor, step: int, t: Tensor, hard: bool) -> Tensor:
    details = _analyse_torch(x, kernels, step)[1]
    kept = torch.where(details.abs() > t, details, 0) if hard else details - details.clamp(-t, t)
    return _synthesise_torch(coarse, kept, kernels, step)


def _correlate(x: Tensor, kernel: Tensor, step: int, dim: int) -> Tensor:
    """Σ_j f[j]·x[n + j·step] on a periodic signal: a tap at a time, a fused multiply-add of views of one extended copy.

    A negative ``step`` gives the adjoint of the positive one.
    """
    n, reach = x.shape[dim], (len(kernel) - 1) * abs(step)
    start = min(0, step) * (len(kernel) - 1)
    index = torch.arange(start, start + n + reach, device=x.device).remainder(n)
    extended = x.index_select(dim, index)
    out = torch.zeros_like(x)
    for j, tap in enumerate(kernel.tolist()):
        out = out.add_(extended.narrow(dim, j * step - start, n), alpha=tap)
    return out
