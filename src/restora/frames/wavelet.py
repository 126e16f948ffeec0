"""The separable two-dimensional wavelet transform: Mallat's pyramid, for images of any size."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Size
from restora.frames.frame import Bands
from restora.frames.wavelet_cpu import analyse_cpu, synthesise_cpu
from restora.frames.wavelet_filters import FilterBank, WaveletName, filter_bank
from restora.operators.boundaries import inside

WaveletBoundary = Literal["periodic", "reflect"]
"""``periodic``: an image of even sides has as many coefficients as pixels, and an orthonormal bank gives an orthonormal
transform; an odd side is first made even by repeating the last pixel. ``reflect``: half-sample symmetric, no jump at
the border, a few more coefficients, not orthonormal there."""


@dataclass(frozen=True, slots=True)
class WaveletTransform:
    """W: images to bands and back, to rounding for every size, bank and boundary.

    The bands are the approximation (b, c, h, w), then for each level, coarsest first, the details (b, c, 3, h, w):
    high-pass down the columns (horizontal edges), high-pass along the rows (vertical edges), high-pass both ways
    (diagonals). An orthonormal bank makes W orthonormal on a periodic image whose sides are multiples of 2^levels.

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

    @property
    def tight(self) -> bool:
        """False: the bank may be orthonormal, but an odd side has its last pixel twice."""
        return self.levels == 0

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        bank = filter_bank(self.wavelet)
        approximation = single_at_least(x)
        details = []
        for _ in range(self.levels):
            approximation, detail = _analyse(approximation, bank, self.boundary)
            details.append(detail)
        return (approximation, *reversed(details))

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        bank = filter_bank(self.wavelet)
        x, details = bands[0], bands[1:]
        if len(details) != self.levels:
            raise InvalidInput(f"there are {len(bands)} bands, where {self.levels} levels have {self.levels + 1}")
        for detail, finer in zip(details, reversed(self._sizes(size))):
            x = _synthesise(x, detail, bank, self.boundary, finer)
        return x

    def norms(self, size: Size) -> Bands:
        """All 1 where W is orthonormal. A side along which they do not vary has one value."""
        if self.levels == 0:
            return (torch.ones(1, 1, dtype=torch.float64),)
        rows, columns = (_line_norms(self.wavelet, self.levels, self.boundary, n) for n in size)
        details = [
            torch.stack([torch.outer(*pair) for pair in ((high, along_low), (low, along_high), (high, along_high))])
            for (low, high), (along_low, along_high) in zip(rows, columns)
        ]
        return (torch.outer(rows[-1][0], columns[-1][0]), *reversed(details))

    def _sizes(self, size: Size) -> list[Size]:
        """Sizes of the image and of each approximation but the last."""
        sizes, length = [size], filter_bank(self.wavelet).length
        for _ in range(self.levels - 1):
            height, width = (_count(n, length, self.boundary) for n in sizes[-1])
            sizes.append((height, width))
        return sizes[: self.levels]


def fitting_levels(levels: int, size: Size) -> int:
    """``levels``, or as often as the shorter side can be halved, where that is less often."""
    return min(levels, min(size).bit_length() - 1)


@lru_cache(maxsize=64)
def _line_norms(
    wavelet: WaveletName, levels: int, boundary: WaveletBoundary, n: int
) -> tuple[tuple[Tensor, Tensor], ...]:
    """Norms of the rows of the transform of n samples: for each level, finest first, those of low and of high pass.

    The transform is built as a sparse matrix, O(n·L²·levels). Norms that are all alike are returned once.
    """
    bank = filter_bank(wavelet)
    rows = scipy.sparse.eye_array(n, format="csr")
    norms = []
    for _ in range(levels):
        index = analysis_index(n, bank.length, boundary).numpy()
        low, high = (_halving(kernel, index, n) @ rows for kernel in (bank.analysis_low, bank.analysis_high))
        norms.append(_row_norms(low, high))
        rows, n = low, _count(n, bank.length, boundary)
    return tuple(norms)


def _halving(kernel: tuple[float, ...], index: np.ndarray, n: int) -> scipy.sparse.csr_array:
    """Convolution of a signal of n samples, extended by ``index``, kept at every second sample."""
    count = (len(index) - len(kernel)) // 2 + 1
    places = 2 * np.arange(count)[:, None] + np.arange(len(kernel))
    rows = np.repeat(np.arange(count), len(kernel))
    values = np.tile(kernel[::-1], count)
    return scipy.sparse.coo_array((values, (rows, index[places].ravel())), shape=(count, n)).tocsr()


def _row_norms(low: scipy.sparse.csr_array, high: scipy.sparse.csr_array) -> tuple[Tensor, Tensor]:
    pair = torch.stack([torch.from_numpy(np.sqrt(matrix.multiply(matrix).sum(axis=1))) for matrix in (low, high)])
    if torch.allclose(pair, pair[:, :1], rtol=1e-10):
        pair = pair[:, :1]
    return pair[0], pair[1]


def _count(n: int, length: int, boundary: WaveletBoundary) -> int:
    """How many coefficients n samples have in each band."""
    return (n + 1) // 2 if boundary == "periodic" else (n + length - 1) // 2


def analysis_index(n: int, length: int, boundary: WaveletBoundary) -> Int[Tensor, " m"]:
    """Indices of the n samples in the extended signal, in which a kernel at every second sample gives all c."""
    if boundary == "periodic":
        even = n + n % 2
        return torch.arange(1 - length // 2, even + length // 2 - 1).remainder(even).clamp_max(n - 1)
    return inside(torch.arange(2 - length, 2 * _count(n, length, boundary)), n, "reflect")


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


def _analyse(x: Tensor, bank: FilterBank, boundary: WaveletBoundary) -> tuple[Tensor, Tensor]:
    """One level: the approximation (b, c, i, j) and the details (b, c, 3, i, j)."""
    rows, columns = (analysis_index(n, bank.length, boundary) for n in (x.shape[-2], x.shape[-1]))
    # Correlation with the kernels reversed is convolution.
    kernels = torch.tensor([bank.analysis_low[::-1], bank.analysis_high[::-1]], dtype=x.dtype)
    compute = analyse_cpu if runs_on_cpu_kernels(x) else _analyse_torch
    low, high = compute(x.flatten(0, 1), kernels, rows, columns)
    return low.unflatten(0, x.shape[:2]), high.unflatten(0, x.shape[:2])


def _synthesise(low: Tensor, high: Tensor, bank: FilterBank, boundary: WaveletBoundary, size: Size) -> Tensor:
    shift = synthesis_shift(bank.length, boundary)
    rows, columns = (synthesis_index(n, count, bank.length, boundary) for n, count in zip(size, low.shape[-2:]))
    kernels = torch.tensor([bank.synthesis_low, bank.synthesis_high], dtype=low.dtype)
    compute = synthesise_cpu if runs_on_cpu_kernels(low, high) else _synthesise_torch
    offset = shift - 2 * _first_coefficient(bank.length, shift)
    x = compute(low.flatten(0, 1), high.flatten(0, 1), kernels, rows, columns, offset, size)
    return x.unflatten(0, low.shape[:2])


def _analyse_torch(planes: Tensor, kernels: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """A tap at a time, a fused multiply-add of views each: cuDNN would round float32 to TF32, and is no faster."""
    extended = planes.index_select(-2, rows.to(planes.device)).index_select(-1, columns.to(planes.device))
    down = [_every_second(extended, kernel, -2) for kernel in kernels.tolist()]
    low, *high = (_every_second(x, kernel, -1) for kernel in kernels.tolist() for x in down)
    return low, torch.stack(high, dim=1)


def _every_second(x: Tensor, kernel: list[float], dim: int) -> Tensor:
    """Σ_j f[j]·x[2k + j] along a dimension, for all k that need nothing beyond the ends."""
    x = x.movedim(dim, -1)
    count = (x.shape[-1] - len(kernel)) // 2 + 1
    out = x.new_zeros(*x.shape[:-1], count)
    for j, tap in enumerate(kernel):
        out = out.add_(x[..., j : j + 2 * count - 1 : 2], alpha=tap)
    return out.movedim(-1, dim)


def _synthesise_torch(
    low: Tensor, high: Tensor, kernels: Tensor, rows: Tensor, columns: Tensor, offset: int, size: Size
) -> Tensor:
    bands = torch.cat((low[:, None], high), dim=1)
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
