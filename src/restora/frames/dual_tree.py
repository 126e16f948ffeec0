"""The dual-tree complex wavelet transform of images: nearly shift-invariant, six directions a level."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Size
from restora.frames.dual_tree_cpu import analyse_cpu, synthesise_cpu
from restora.frames.dual_tree_filters import Polyphase, QShiftName, Stage, first_stage, q_shift_stage
from restora.frames.frame import Bands
from restora.operators.boundaries import inside

_Pair = tuple[Polyphase, Polyphase]
"""Low pass and high pass."""


@dataclass(frozen=True, slots=True)
class DualTree:
    """W: images to complex bands and back, W⁻¹Wx = x to rounding for every size.

    The bands are the approximation (b, c, p, q), which holds all four trees interleaved, then for each level, coarsest
    first, the details (b, c, 6, u, v, 2): edges at about 15, 45, 75, 105, 135 and 165 degrees, real and imaginary part.
    There are four times as many numbers as pixels, and white noise is about as strong in them as in the image.

    The image is extended by reflection (edge sample repeated), which the transform continues without more coefficients.
    An odd side has its last sample twice; a coarser level whose side is no multiple of four has both ends twice. CPU
    tensors take Numba kernels, all others and those that carry gradients Torch operations. Cost: O(N·L) for N pixels
    and filters of L taps.

    Args:
        levels: number of levels, >= 0.
        q_shift: the filters of all levels but the first.

    Raises:
        InvalidParameter: levels is negative.
        UnknownName: there is no such filter.
    """

    levels: int = 6
    q_shift: QShiftName = "q-shift-6"

    def __post_init__(self) -> None:
        if self.levels < 0:
            raise InvalidParameter.outside("levels", self.levels, ">= 0")
        q_shift_stage(self.q_shift)

    @property
    def tight(self) -> bool:
        """False: the 9/7 filters of the first stage are not orthonormal (the others are)."""
        return self.levels == 0

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        low = single_at_least(x)
        details = []
        for level in range(self.levels):
            low, detail = _analyse(low, self._stage(level))
            details.append(detail)
        return (low, *reversed(details))

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        low, details = bands[0], bands[1:]
        if len(details) != self.levels:
            raise InvalidInput(f"there are {len(bands)} bands, where {self.levels} levels have {self.levels + 1}")
        sizes = [size]
        for level in range(self.levels):
            height, width = (_low_length(n, self._stage(level)) for n in sizes[-1])
            sizes.append((height, width))
        for level, detail in zip(reversed(range(self.levels)), details):
            low = _synthesise(low, detail, self._stage(level), sizes[level])
        return low

    def norms(self, size: Size) -> Bands:
        """Norms of the rows of W at each position, constant away from the border. They are float32 to save memory."""
        if self.levels == 0:
            return (torch.ones(1, 1, dtype=torch.float64),)
        rows, columns = (_line_products(self.levels, self.q_shift, n) for n in size)
        details = [_complex_norms(down, along) for down, along in zip(rows, columns)]
        low = np.outer(*(products[-1][0, :2].T.ravel() for products in (rows, columns)))
        return (torch.from_numpy(low).sqrt(), *reversed(details))

    def _stage(self, level: int) -> Stage:
        return first_stage() if level == 0 else q_shift_stage(self.q_shift)


def _padding(n: int, stage: Stage) -> int:
    """How many times a line of n samples is extended by one, to a multiple of the period: first at its end."""
    return -n % stage.low.hop


def _low_length(n: int, stage: Stage) -> int:
    """Samples of the low pass, both trees together."""
    return (n + _padding(n, stage)) // stage.low.hop * stage.low.phases


def _extended(bands: _Pair, n: int, padding: int) -> tuple[_Pair, Int[Tensor, " m"]]:
    """The filters with starts counted from the first of these samples, which a line of n needs from first to last.

    Two samples of padding stand one at each end.
    """
    before = -min(start for band in bands for start in band.starts)
    low, high = (replace(band, starts=tuple(start + before for start in band.starts)) for band in bands)
    places = torch.arange(n + padding + low.hop * max(low.overhang, high.overhang)) - before
    inner = inside(places, n + padding, "reflect") - padding // 2
    return (low, high), inside(inner, n, "reflect")


def _analyse(x: Tensor, stage: Stage) -> tuple[Tensor, Tensor]:
    """One level: the low pass (b, c, p, q) and the complex bands (b, c, 6, p/2, q/2, 2)."""
    pair = (stage.low, stage.high)
    (bands, rows), (_, columns) = (_extended(pair, n, _padding(n, stage)) for n in x.shape[-2:])
    planes = x.flatten(0, 1)
    if runs_on_cpu_kernels(x):
        low, high = analyse_cpu(planes, _arrays(bands, x.dtype), rows, columns)
    else:
        low, high = _analyse_torch(planes, bands, rows, columns)
    return low.unflatten(0, x.shape[:2]), high.unflatten(0, x.shape[:2])


def _synthesise(low: Tensor, high: Tensor, stage: Stage, size: Size) -> Float[Tensor, "b c h w"]:
    pair = (stage.inverse_low, stage.inverse_high)
    (bands, rows), (_, columns) = (_extended(pair, n, 0) for n in low.shape[-2:])
    planes, details = low.flatten(0, 1), high.flatten(0, 1)
    if runs_on_cpu_kernels(low, high):
        x = synthesise_cpu(planes, details, _arrays(bands, low.dtype), rows, columns)
    else:
        x = _synthesise_torch(planes, details, bands, rows, columns)
    top, left = (_padding(n, stage) // 2 for n in size)
    return x[:, top : top + size[0], left : left + size[1]].unflatten(0, low.shape[:2])


def _arrays(bands: _Pair, dtype: torch.dtype) -> tuple[int, int, np.ndarray, np.ndarray]:
    """The filters as the CPU kernels take them."""
    low, high = bands
    taps = torch.tensor([low.taps, high.taps], dtype=dtype)
    return low.hop, low.step, np.array([low.starts, high.starts]), taps.numpy()


def _from_complex(z: Float[Tensor, "n 6 u v 2"]) -> Float[Tensor, "n 3 p q"]:
    """High-low (down, along), low-high and high-high parts, the trees interleaved.

    Rows and columns of trees a and b make p = aa + i·ab and q = bb − i·ba, and the bands are (p ∓ q)/√2.
    """
    difference, total = z[:, [0, 2, 1]], z[:, [5, 3, 4]]
    p, q = total + difference, total - difference
    lower = torch.stack((-q[..., 1], q[..., 0]), -1)
    return torch.stack((p.flatten(-2), lower.flatten(-2)), -2).flatten(-3, -2) * 0.5**0.5


def _to_complex(high: Float[Tensor, "n 3 p q"]) -> Float[Tensor, "n 6 u v 2"]:
    """The inverse of :func:`_from_complex`, and its transpose."""
    aa, ab = high[..., 0::2, 0::2], high[..., 0::2, 1::2]
    ba, bb = high[..., 1::2, 0::2], high[..., 1::2, 1::2]
    difference = torch.stack((aa - bb, ab + ba), -1)
    total = torch.stack((aa + bb, ab - ba), -1)
    return torch.cat((difference[:, [0, 2, 1]], total[:, [1, 2, 0]]), dim=1) * 0.5**0.5


def _analyse_torch(planes: Tensor, bands: _Pair, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """A tap at a time, a fused multiply-add of views each: cuDNN would round float32 to TF32, and is no faster."""
    low, high = (_filtered(planes, band, rows, -2) for band in bands)
    low_low, high_low, low_high, high_high = (_filtered(x, f, columns, -1) for f in bands for x in (low, high))
    return low_low, _to_complex(torch.stack((high_low, low_high, high_high), dim=1))


def _synthesise_torch(planes: Tensor, details: Tensor, bands: _Pair, rows: Tensor, columns: Tensor) -> Tensor:
    high_low, low_high, high_high = _from_complex(details).unbind(1)
    low, high = bands
    left = _filtered(planes, low, rows, -2) + _filtered(high_low, high, rows, -2)
    right = _filtered(low_high, low, rows, -2) + _filtered(high_high, high, rows, -2)
    return _filtered(left, low, columns, -1) + _filtered(right, high, columns, -1)


def _filtered(x: Tensor, band: Polyphase, index: Tensor, dim: int) -> Tensor:
    """A line along ``dim``, extended by ``index``, through a filter."""
    x = x.index_select(dim, index.to(x.device)).movedim(dim, -1)
    hop, step = band.hop, band.step
    span = x.shape[-1] - hop * (band.overhang + 1) + 1
    phases = []
    for start, taps in zip(band.starts, band.taps):
        out = torch.zeros_like(x[..., :span:hop])
        for place, tap in zip(range(start, start + step * len(taps), step), taps):
            out = out.add_(x[..., place : place + span : hop], alpha=tap)
        phases.append(out)
    return torch.stack(phases, -1).flatten(-2).movedim(-1, dim)


_Products = Float[np.ndarray, "2 3 _"]
"""Rows of a line's transform, in low and high pass: squared norms, tree a and tree b, and the inner product of
the two rows of one position."""


@lru_cache(maxsize=64)
def _line_products(levels: int, q_shift: QShiftName, n: int) -> tuple[_Products, ...]:
    """Norms of each level, finest first. The transform is a sparse matrix here, O(n·L²·levels)."""
    rows = scipy.sparse.eye_array(n, format="csr")
    products = []
    for level in range(levels):
        stage = first_stage() if level == 0 else q_shift_stage(q_shift)
        bands, index = _extended((stage.low, stage.high), n, _padding(n, stage))
        low, high = (_matrix(band, index.numpy(), n) @ rows for band in bands)
        products.append(np.stack([_products(low), _products(high)]))
        rows, n = low, _low_length(n, stage)
    return tuple(products)


def _matrix(band: Polyphase, index: np.ndarray, n: int) -> scipy.sparse.csr_array:
    """The filter on lines of n samples extended by ``index``."""
    starts = (band.hop * np.arange(len(index) // band.hop - band.overhang)[:, None] + np.array(band.starts)).ravel()
    places = index[starts[:, None] + band.step * np.arange(band.length)]
    taps = np.tile(np.array(band.taps), (len(starts) // band.phases, 1))
    rows = np.repeat(np.arange(len(starts)), band.length)
    return scipy.sparse.coo_array((taps.ravel(), (rows, places.ravel())), shape=(len(starts), n)).tocsr()


def _products(rows: scipy.sparse.csr_array) -> Float[np.ndarray, "3 u"]:
    a, b = rows[0::2], rows[1::2]
    return np.stack([x.multiply(y).sum(axis=1) for x, y in ((a, a), (b, b), (a, b))])


def _complex_norms(down: _Products, along: _Products) -> Float[Tensor, "6 u v 2"]:
    """‖(aa ± bb)/√2‖ and ‖(ab ± ba)/√2‖: the inner products of the rows of both trees count with that sign.

    Away from the border the rows are all alike, so only those that differ are worked out.
    """
    (rows, row_of), (columns, column_of) = _distinct(down), _distinct(along)
    pairs = ((rows[1], columns[0]), (rows[1], columns[1]), (rows[0], columns[1]))
    squares = []
    for sign, (r, c) in (*((-1, pair) for pair in pairs), *((1, pair) for pair in pairs[::-1])):
        for order, s in (([0, 1, 2], sign), ([1, 0, 2], -sign)):
            squares.append((r * [[0.5], [0.5], [s]]).T @ c[order])
    norms = torch.from_numpy(np.stack(squares)).clamp_min(0).sqrt().unflatten(0, (6, 2)).movedim(1, -1)
    return norms.float().index_select(2, column_of).index_select(1, row_of)


def _distinct(products: _Products) -> tuple[_Products, Int[Tensor, " u"]]:
    """The columns that differ from the middle one, after that one itself; and which of these each column is."""
    count = products.shape[-1]
    middle = products[..., count // 2, None]
    differs = ~np.isclose(products, middle, rtol=1e-10, atol=1e-13).all(axis=(0, 1))
    index = np.where(differs, differs.cumsum(), 0)
    return np.concatenate((middle, products[..., differs]), axis=-1), torch.from_numpy(index)
