"""CPU kernels of one level of the dual-tree transform: both directions in one sweep, through lines that stay in cache.

Filters come as (hop, step, starts (2, R), taps (2, R, L)), low pass and high pass, of a ``dual_tree_filters.Polyphase``
whose starts are counted from the first sample of the extended line. An index array holds the sample of the real line
at each position of the extended one; it is as long as hop·(periods + the most that a filter reaches beyond).
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from
from restora.frames.wavelet_cpu import add_one, add_two

_SERIAL = 1 << 24  # multiplications below which it is not worth waking other threads (about 4 ms)
_ROOT_HALF = 0.5**0.5

Filters = tuple[int, int, np.ndarray, np.ndarray]


def analyse_cpu(
    planes: Float[Tensor, "n h w"], filters: Filters, rows: Int[Tensor, " i"], columns: Int[Tensor, " j"]
) -> tuple[Float[Tensor, "n p q"], Float[Tensor, "n 6 u v 2"]]:
    """The low-pass planes and the six complex bands."""
    x = planes.contiguous().numpy()
    count = [_periods(index, filters) for index in (rows, columns)]
    low = np.empty((len(x), 2 * count[0], 2 * count[1]), x.dtype)
    high = np.empty((len(x), 6, count[0], count[1], 2), x.dtype)
    _analyse.sized(x.size * filters[3].shape[2])(x, filters, rows.numpy(), columns.numpy(), low, high)
    return torch.from_numpy(low), torch.from_numpy(high)


def synthesise_cpu(
    low: Float[Tensor, "n p q"],
    high: Float[Tensor, "n 6 u v 2"],
    filters: Filters,
    rows: Int[Tensor, " i"],
    columns: Int[Tensor, " j"],
) -> Float[Tensor, "n h w"]:
    """The planes of these low-pass planes and complex bands."""
    c, z = low.contiguous().numpy(), high.contiguous().numpy()
    phases = filters[3].shape[1]
    height, width = (phases * _periods(index, filters) for index in (rows, columns))
    parts = np.empty((len(c), 3, *c.shape[1:]), c.dtype)
    out = np.empty((len(c), height, width), c.dtype)
    _synthesise.sized(out.size * filters[3].shape[2])(c, z, filters, rows.numpy(), columns.numpy(), parts, out)
    return torch.from_numpy(out)


def _periods(index: Tensor, filters: Filters) -> int:
    hop, step, starts, taps = filters
    return len(index) // hop - (int(starts.max()) + step * (taps.shape[2] - 1)) // hop


@parallel_from(_SERIAL)
def _analyse(
    x: np.ndarray, filters: Filters, rows: np.ndarray, columns: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    height = high.shape[2]
    for job in prange(x.shape[0] * height):
        plane = job // height
        _analyse_rows(x[plane], filters, rows, columns, job % height, low[plane], high[plane])


@kernel
def _analyse_rows(
    x: np.ndarray, filters: Filters, rows: np.ndarray, columns: np.ndarray, k: int, low: np.ndarray, high: np.ndarray
) -> None:
    """Rows 2k and 2k + 1 of the low pass, row k of the complex bands."""
    hop = filters[0]
    line = np.empty(x.shape[1], x.dtype)
    split = np.empty((hop, columns.size // hop), x.dtype)
    parts = np.zeros((2, 2, 2, high.shape[2]), x.dtype)  # along, row, column of a quad
    for down in range(2):
        for r in range(2):
            line[:] = 0
            _down(x, filters, rows, k, down, r, line)
            _split(line, columns, split)
            for along in range(2):
                for s in range(2):
                    parts[along, r, s] = 0
                    _along(split, filters, along, s, parts[along, r, s])
        if down == 0:
            for r in range(2):
                _interleave(parts[0, r], low[2 * k + r])
            _to_complex(parts[1], high[2, k], high[3, k])
        else:
            _to_complex(parts[0], high[0, k], high[5, k])
            _to_complex(parts[1], high[1, k], high[4, k])


@parallel_from(_SERIAL)
def _synthesise(
    low: np.ndarray,
    z: np.ndarray,
    filters: Filters,
    rows: np.ndarray,
    columns: np.ndarray,
    parts: np.ndarray,
    out: np.ndarray,
) -> None:
    count, height = z.shape[2], out.shape[1]
    for job in prange(z.shape[0] * count):
        plane, k = job // count, job % count
        _from_complex(z[plane, :, k], parts[plane, :, 2 * k : 2 * k + 2])
    for job in prange(out.shape[0] * height):
        plane, i = job // height, job % height
        _synthesise_row(low[plane], parts[plane], filters, rows, columns, i, out[plane, i])


@kernel
def _synthesise_row(
    low: np.ndarray, parts: np.ndarray, filters: Filters, rows: np.ndarray, columns: np.ndarray, i: int, out: np.ndarray
) -> None:
    """Row i from the low-low part and the high-low (down, along), low-high and high-high ones."""
    hop, phases = filters[0], filters[3].shape[1]
    k, r = i // phases, i % phases
    line = np.empty(low.shape[1], low.dtype)
    split = np.empty((hop, columns.size // hop), low.dtype)
    sums = np.zeros((phases, out.size // phases), low.dtype)
    for along in range(2):
        line[:] = 0
        _down(parts[1] if along else low, filters, rows, k, 0, r, line)
        _down(parts[2] if along else parts[0], filters, rows, k, 1, r, line)
        _split(line, columns, split)
        for s in range(phases):
            _along(split, filters, along, s, sums[s])
    _interleave(sums, out)


@kernel
def _down(x: np.ndarray, filters: Filters, rows: np.ndarray, k: int, band: int, phase: int, line: np.ndarray) -> None:
    """Add to ``line`` the row k of this band and phase."""
    hop, step, starts, taps = filters
    place = hop * k + starts[band, phase]
    tap = taps[band, phase]
    for i in range(0, tap.size - 1, 2):
        add_two(line, tap[i], x[rows[place + step * i]], tap[i + 1], x[rows[place + step * (i + 1)]])
    if tap.size % 2:
        add_one(line, tap[-1], x[rows[place + step * (tap.size - 1)]])


@kernel
def _along(split: np.ndarray, filters: Filters, band: int, phase: int, out: np.ndarray) -> None:
    """Add to ``out`` what this band and phase make of the line whose phases lie in ``split``."""
    hop, step, starts, taps = filters
    n = out.size
    tap = taps[band, phase]
    for i in range(0, tap.size - 1, 2):
        place = starts[band, phase] + step * i
        there = place + step
        a = split[place % hop, place // hop : place // hop + n]
        b = split[there % hop, there // hop : there // hop + n]
        add_two(out, tap[i], a, tap[i + 1], b)
    if tap.size % 2:
        place = starts[band, phase] + step * (tap.size - 1)
        add_one(out, tap[-1], split[place % hop, place // hop : place // hop + n])


@kernel
def _split(line: np.ndarray, columns: np.ndarray, split: np.ndarray) -> None:
    """The extended line, its samples of each phase side by side."""
    hop = split.shape[0]
    for phase in range(hop):
        part = split[phase]
        for j in range(part.size):
            part[j] = line[columns[hop * j + phase]]


@kernel
def _interleave(parts: np.ndarray, out: np.ndarray) -> None:
    phases = parts.shape[0]
    for s in range(phases):
        part = parts[s]
        for j in range(part.size):
            out[phases * j + s] = part[j]


@kernel(fuse=True)
def _to_complex(quad: np.ndarray, difference: np.ndarray, total: np.ndarray) -> None:
    """(p − q)/√2 and (p + q)/√2 of p = aa + i·ab, q = bb − i·ba, the letters naming the trees of row and column."""
    root = quad.dtype.type(_ROOT_HALF)
    aa, ab, ba, bb = quad[0, 0], quad[0, 1], quad[1, 0], quad[1, 1]
    for j in range(aa.size):
        difference[j, 0] = (aa[j] - bb[j]) * root
        difference[j, 1] = (ab[j] + ba[j]) * root
        total[j, 0] = (aa[j] + bb[j]) * root
        total[j, 1] = (ab[j] - ba[j]) * root


@kernel(fuse=True)
def _from_complex(z: np.ndarray, parts: np.ndarray) -> None:
    """The inverse of :func:`_to_complex` for the rows of three pairs of bands, the trees interleaved."""
    root = z.dtype.type(_ROOT_HALF)
    for part in range(3):
        first = (0, 2, 1)[part]
        difference, total = z[first], z[5 - first]
        upper, lower = parts[part, 0], parts[part, 1]
        for j in range(difference.shape[0]):
            upper[2 * j] = (total[j, 0] + difference[j, 0]) * root
            upper[2 * j + 1] = (total[j, 1] + difference[j, 1]) * root
            lower[2 * j] = (difference[j, 1] - total[j, 1]) * root
            lower[2 * j + 1] = (total[j, 0] - difference[j, 0]) * root
