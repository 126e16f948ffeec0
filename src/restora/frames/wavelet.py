"""The separable two-dimensional wavelet transform: Mallat's pyramid, for images of any size."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.operator import Size
from restora.frames.wavelet_cpu import analyse_cpu, synthesise_cpu
from restora.frames.wavelet_filters import FilterBank, WaveletName, filter_bank
from restora.operators.boundaries import inside

WaveletBoundary = Literal["periodic", "reflect"]
"""``periodic``: an image of even sides has as many coefficients as pixels, and an orthonormal bank gives an orthonormal
transform; an odd side is first made even by repeating the last pixel. ``reflect``: half-sample symmetric, no jump at
the border, a few more coefficients, not orthonormal there."""


@dataclass(frozen=True, eq=False, slots=True)
class Pyramid:
    """Wavelet coefficients of an image.

    Attributes:
        approximation: what is left after the coarsest level, (b, c, h, w).
        details: for each level, finest first, (b, c, 3, h, w): high-pass down the columns (horizontal edges), high-pass
            along the rows (vertical edges), high-pass both ways (diagonals).
        size: of the image.
    """

    approximation: Float[Tensor, "b c h w"]
    details: tuple[Float[Tensor, "b c 3 _ _"], ...]
    size: Size


@dataclass(frozen=True, slots=True)
class WaveletTransform:
    """W: images to pyramids and back, W⁻¹Wx = x to rounding for every size, bank and boundary.

    CPU tensors take Numba kernels, all others and those that carry gradients Torch operations. Cost: O(N·L) for N
    pixels and kernels of L taps.

    Args:
        wavelet: name of the filter bank.
        levels: number of levels, >= 0. It is up to the caller to keep 2^levels within the sides.
        boundary: what lies beyond the border.

    Raises:
        InvalidParameter: levels is negative.
        UnknownName: there is no such wavelet.
    """

    wavelet: WaveletName = "sym8"
    levels: int = 4
    boundary: WaveletBoundary = "periodic"

    def __post_init__(self) -> None:
        if self.levels < 0:
            raise InvalidParameter.outside("levels", self.levels, ">= 0")
        filter_bank(self.wavelet)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Pyramid:
        """Wx, with half precision computed and returned in float32."""
        bank = filter_bank(self.wavelet)
        approximation = x if x.dtype in (torch.float32, torch.float64) else x.float()
        details = []
        for _ in range(self.levels):
            bands = _analyse(approximation, bank, self.boundary)
            approximation, detail = bands[:, :, 0], bands[:, :, 1:]
            details.append(detail)
        return Pyramid(approximation, tuple(details), (x.shape[-2], x.shape[-1]))

    def inverse(self, pyramid: Pyramid) -> Float[Tensor, "b c h w"]:
        """W⁻¹ of a pyramid made by a transform with the same fields."""
        bank = filter_bank(self.wavelet)
        x = pyramid.approximation
        sizes = [pyramid.size, *((d.shape[-2], d.shape[-1]) for d in pyramid.details[:-1])]
        for detail, size in zip(reversed(pyramid.details), reversed(sizes[: len(pyramid.details)])):
            bands = torch.cat([x[:, :, None], detail], dim=2)
            x = _synthesise(bands, bank, self.boundary, size)
        return x

    def noise_gains(self) -> tuple[tuple[float, float, float], ...]:
        """Standard deviation of white noise of unit variance in each subband, in the order of ``Pyramid.details``.

        These are the norms of the rows of W away from the border, all 1 for an orthonormal bank.
        """
        bank = filter_bank(self.wavelet)
        gains = []
        lowpass = np.ones(1)
        for level in range(self.levels):
            low, high = (
                float(np.linalg.norm(np.convolve(lowpass, _dilated(kernel, 2**level))))
                for kernel in (bank.analysis_low, bank.analysis_high)
            )
            gains.append((low * high, high * low, high * high))
            lowpass = np.convolve(lowpass, _dilated(bank.analysis_low, 2**level))
        return tuple(gains)


def _dilated(kernel: tuple[float, ...], factor: int) -> np.ndarray:
    """The kernel with ``factor`` − 1 zeros between its taps."""
    dilated = np.zeros((len(kernel) - 1) * factor + 1)
    dilated[::factor] = kernel
    return dilated


def analysis_index(n: int, length: int, boundary: WaveletBoundary) -> Int[Tensor, " m"]:
    """Which of n samples stands at each place of the signal, extended so that a kernel at every second gives all c."""
    if boundary == "periodic":
        even = n + n % 2
        return torch.arange(1 - length // 2, even + length // 2 - 1).remainder(even).clamp_max(n - 1)
    count = (n + length - 1) // 2
    return inside(torch.arange(2 - length, 2 * count), n, "reflect")


def synthesis_shift(length: int, boundary: WaveletBoundary) -> int:
    """s in x[p] = Σ_k f[p + s − 2k]·c[k], the inverse of the analysis."""
    return length // 2 - 1 if boundary == "periodic" else length - 2


def synthesis_index(n: int, count: int, length: int, boundary: WaveletBoundary) -> Int[Tensor, " m"]:
    """The coefficients, of ``count``, that sample 0 to sample n − 1 need, from the first k to the last."""
    shift = synthesis_shift(length, boundary)
    return torch.arange(_first_coefficient(length, shift), (n - 1 + shift) // 2 + 1).remainder(count)


def _first_coefficient(length: int, shift: int) -> int:
    """Smallest k with f[0 + s − 2k] inside the kernel: ⌈(s − L + 1)/2⌉."""
    return -((length - 1 - shift) // 2)


def _analyse(x: Tensor, bank: FilterBank, boundary: WaveletBoundary) -> Float[Tensor, "b c 4 h w"]:
    """One level: low-low, high-low (down, along), low-high, high-high."""
    rows, columns = (analysis_index(n, bank.length, boundary) for n in (x.shape[-2], x.shape[-1]))
    # Correlation with the kernels reversed is convolution.
    kernels = torch.tensor([bank.analysis_low[::-1], bank.analysis_high[::-1]], dtype=x.dtype)
    planes = x.flatten(0, 1)
    compute = analyse_cpu if x.device.type == "cpu" and not x.requires_grad else _analyse_torch
    bands = compute(planes, kernels, rows, columns)
    return bands.reshape(*x.shape[:2], *bands.shape[1:])


def _synthesise(bands: Tensor, bank: FilterBank, boundary: WaveletBoundary, size: Size) -> Float[Tensor, "b c h w"]:
    shift = synthesis_shift(bank.length, boundary)
    rows, columns = (synthesis_index(n, count, bank.length, boundary) for n, count in zip(size, bands.shape[-2:]))
    kernels = torch.tensor([bank.synthesis_low, bank.synthesis_high], dtype=bands.dtype)
    planes = bands.flatten(0, 1)
    compute = synthesise_cpu if bands.device.type == "cpu" and not bands.requires_grad else _synthesise_torch
    offset = shift - 2 * _first_coefficient(bank.length, shift)
    x = compute(planes, kernels, rows, columns, offset, size)
    return x.reshape(*bands.shape[:2], *size)


def _analyse_torch(planes: Tensor, kernels: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """A tap at a time, a fused multiply-add of views each: cuDNN would round float32 to TF32, and is no faster."""
    extended = planes.index_select(-2, rows.to(planes.device)).index_select(-1, columns.to(planes.device))
    down = [_every_second(extended, kernel, -2) for kernel in kernels.tolist()]
    return torch.stack([_every_second(x, kernel, -1) for kernel in kernels.tolist() for x in down], dim=1)


def _every_second(x: Tensor, kernel: list[float], dim: int) -> Tensor:
    """Σ_j f[j]·x[2k + j] along a dimension, for all k that need nothing beyond the ends."""
    x = x.movedim(dim, -1)
    count = (x.shape[-1] - len(kernel)) // 2 + 1
    out = x.new_zeros(*x.shape[:-1], count)
    for j, tap in enumerate(kernel):
        out = out.add_(x[..., j : j + 2 * count - 1 : 2], alpha=tap)
    return out.movedim(-1, dim)


def _synthesise_torch(bands: Tensor, kernels: Tensor, rows: Tensor, columns: Tensor, offset: int, size: Size) -> Tensor:
    extended = bands.index_select(-2, rows.to(bands.device)).index_select(-1, columns.to(bands.device))
    low_low, high_low, low_high, high_high = extended.unbind(1)
    low = _interlaced(low_low, high_low, kernels, offset, size[0], -2)
    high = _interlaced(low_high, high_high, kernels, offset, size[0], -2)
    return _interlaced(low, high, kernels, offset, size[1], -1)


def _interlaced(low: Tensor, high: Tensor, kernels: Tensor, offset: int, n: int, dim: int) -> Tensor:
    """Samples ``offset`` … ``offset`` + n − 1 of Σ_k f[p − 2k]·c[k] along a dimension, summed over both bands."""
    low, high = low.movedim(dim, -1), high.movedim(dim, -1)
    out = low.new_zeros(*low.shape[:-1], n)
    taps = kernels.tolist()
    for phase in range(2):
        last, first = divmod(phase + offset, 2)
        part = out[..., phase::2]
        for j in range(len(taps[0]) // 2):
            for band, kernel in ((low, taps[0]), (high, taps[1])):
                part.add_(band[..., last - j : last - j + part.shape[-1]], alpha=kernel[first + 2 * j])
    return out.movedim(-1, dim)
