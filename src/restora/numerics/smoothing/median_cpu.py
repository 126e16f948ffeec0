"""The CPU kernels of the median: sorting networks for windows of 3x3 and 5x5, counts of ranks for larger ones."""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from
from restora.operators.boundaries import inside

_STRIP = 32  # rows a thread does in one go
_SERIAL = 1 << 19  # numbers below which it is not worth waking other threads (about 2 ms)
_BANDS = 4  # of a plane, each with counts of its own


def _indices(n: int, radius: int) -> np.ndarray:
    return inside(torch.arange(-radius, n + radius), n, "reflect").numpy()


def median_by_network(y: Tensor, radius: int) -> Tensor:
    """Radius 1 or 2. 15 or 70 comparisons a pixel."""
    planes = y.contiguous().flatten(0, 1).numpy()
    rows, columns = (_indices(n, radius) for n in planes.shape[1:])
    out = np.empty_like(planes)
    _by_network.sized(planes.size)(planes, rows, columns, out)
    return torch.from_numpy(out).reshape(y.shape)


def median_by_ranks(y: Tensor, radius: int) -> Tensor:
    """The pixels of a plane are sorted once; then their ranks, which are integers, are counted in sliding windows."""
    flat = y.flatten(0, 1).flatten(1)
    values, places = flat.sort(dim=1)
    ranks = torch.empty_like(places, dtype=torch.int32)
    ranks.scatter_(1, places, torch.arange(flat.shape[1], dtype=torch.int32).expand(len(flat), -1))
    rows, columns = (_indices(n, radius) for n in y.shape[-2:])
    found = np.empty((len(flat), *y.shape[-2:]), np.int32)
    planes = ranks.reshape(found.shape).numpy()
    _by_ranks.sized(found.size)(planes, rows, columns, found)
    del places, ranks, planes
    return values.gather(1, torch.from_numpy(found).flatten(1).long()).reshape(y.shape)


@parallel_from(_SERIAL)
def _by_network(planes: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    strips = (planes.shape[1] + _STRIP - 1) // _STRIP
    for job in prange(len(planes) * strips):
        plane = job // strips
        _network_strip(planes[plane], rows, columns, job % strips * _STRIP, out[plane])


@kernel
def _network_strip(plane: np.ndarray, rows: np.ndarray, columns: np.ndarray, first: int, out: np.ndarray) -> None:
    height, width = plane.shape
    radius = (columns.size - width) // 2
    last = min(first + _STRIP, height)
    z = np.empty((last - first + 2 * radius, columns.size), plane.dtype)
    for i in range(len(z)):
        row, line = plane[rows[first + i]], z[i]
        line[radius : radius + width] = row
        for j in range(radius):
            line[j], line[radius + width + j] = row[columns[j]], row[columns[radius + width + j]]
    sorted_columns = np.empty((5, columns.size), plane.dtype)
    for i in range(first, last):
        if radius == 1:
            _median9(z[i - first], z[i - first + 1], z[i - first + 2], out[i])
        else:
            sorted_columns[:] = z[i - first : i - first + 5]
            _sort_columns(sorted_columns)
            _median25(sorted_columns, out[i])


@kernel
def _order(a: float, b: float) -> tuple[float, float]:
    return (a if a < b else b), (b if a < b else a)


@kernel
def _middle(a: float, b: float, c: float) -> float:
    low, high = _order(a, b)
    return max(low, min(high, c))


@kernel
def _sort3(a: float, b: float, c: float) -> tuple[float, float, float]:
    a, b = _order(a, b)
    b, c = _order(b, c)
    a, b = _order(a, b)
    return a, b, c


@kernel
def _sort5(a: float, b: float, c: float, d: float, e: float) -> tuple[float, float, float, float, float]:
    a, b = _order(a, b)
    d, e = _order(d, e)
    c, e = _order(c, e)
    c, d = _order(c, d)
    a, d = _order(a, d)
    a, c = _order(a, c)
    b, e = _order(b, e)
    b, d = _order(b, d)
    b, c = _order(b, c)
    return a, b, c, d, e


@kernel
def _median9(p: np.ndarray, q: np.ndarray, r: np.ndarray, out: np.ndarray) -> None:
    """Median of sorted columns: the middle of largest least, the middle middle and the least largest (Smith 1996)."""
    for x in range(out.size):
        a, b, c = _sort3(p[x], q[x], r[x])
        d, e, f = _sort3(p[x + 1], q[x + 1], r[x + 1])
        g, h, i = _sort3(p[x + 2], q[x + 2], r[x + 2])
        out[x] = _middle(max(a, d, g), _middle(b, e, h), min(c, f, i))


@kernel
def _sort_columns(z: np.ndarray) -> None:
    """The network of :func:`_sort5` on lines: neighbouring windows share these columns."""
    for i, j in ((0, 1), (3, 4), (2, 4), (2, 3), (0, 3), (0, 2), (1, 4), (1, 3), (1, 2)):
        a, b = z[i], z[j]
        for x in range(a.size):
            a[x], b[x] = _order(a[x], b[x])


@kernel
def _median25(z: np.ndarray, out: np.ndarray) -> None:
    """With columns and rows sorted 12 of 25 cannot be the median; with three diagonals sorted, 6 of the other 13."""
    v, w, x, y, t = z[0], z[1], z[2], z[3], z[4]
    for i in range(out.size):
        _, _, _, a3, a4 = _sort5(v[i], v[i + 1], v[i + 2], v[i + 3], v[i + 4])
        _, _, b2, b3, b4 = _sort5(w[i], w[i + 1], w[i + 2], w[i + 3], w[i + 4])
        _, c1, c2, c3, _ = _sort5(x[i], x[i + 1], x[i + 2], x[i + 3], x[i + 4])
        d0, d1, d2, _, _ = _sort5(y[i], y[i + 1], y[i + 2], y[i + 3], y[i + 4])
        e0, e1, _, _, _ = _sort5(t[i], t[i + 1], t[i + 2], t[i + 3], t[i + 4])
        l2, l3 = _largest2(a3, b2, c1, d0)
        _, m1, m2, m3, _ = _sort5(a4, b3, c2, d1, e0)
        u0, u1 = _least2(b4, c3, d2, e1)
        p, q = _largest2of3(l2, m1, u0)
        r, s = _least2of3(l3, m3, u1)
        p, q = _order(p, q)
        r, s = _order(r, s)
        out[i] = _middle(max(p, r), m2, min(q, s))


@kernel
def _largest2(a: float, b: float, c: float, d: float) -> tuple[float, float]:
    a, b = _order(a, b)
    c, d = _order(c, d)
    return max(min(b, d), a, c), max(b, d)


@kernel
def _least2(a: float, b: float, c: float, d: float) -> tuple[float, float]:
    a, b = _order(a, b)
    c, d = _order(c, d)
    return min(a, c), min(max(a, c), b, d)


@kernel
def _largest2of3(a: float, b: float, c: float) -> tuple[float, float]:
    low, high = _order(a, b)
    return max(low, c), high


@kernel
def _least2of3(a: float, b: float, c: float) -> tuple[float, float]:
    low, high = _order(a, b)
    return low, min(high, c)


@parallel_from(_SERIAL // 16)
def _by_ranks(ranks: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    height = ranks.shape[1]
    for job in prange(len(ranks) * _BANDS):
        plane, band = job // _BANDS, job % _BANDS
        first, last = height * band // _BANDS, height * (band + 1) // _BANDS
        _count(ranks[plane], rows, columns, first, last, out[plane])


@kernel
def _count(ranks: np.ndarray, rows: np.ndarray, columns: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
    """Counts on three levels, each 2^bits times coarser than the one before, so that few are passed in a search."""
    width = ranks.shape[1]
    side = columns.size - width + 1
    bits = 1
    while 1 << 3 * bits < ranks.size:
        bits += 1
    fine = np.zeros(ranks.size, np.int32)
    middle = np.zeros((ranks.size >> bits) + 1, np.int32)
    coarse = np.zeros((ranks.size >> 2 * bits) + 1, np.int32)
    for i in range(first, last):
        lines = rows[i : i + side]
        for j in range(side - 1):
            _add(ranks, lines, columns[j], 1, bits, fine, middle, coarse)
        for j in range(width):
            _add(ranks, lines, columns[j + side - 1], 1, bits, fine, middle, coarse)
            out[i, j] = _find(fine, middle, coarse, bits, side * side // 2)
            _add(ranks, lines, columns[j], -1, bits, fine, middle, coarse)
        for j in range(width, columns.size):
            _add(ranks, lines, columns[j], -1, bits, fine, middle, coarse)


@kernel
def _add(
    ranks: np.ndarray,
    lines: np.ndarray,
    column: int,
    times: int,
    bits: int,
    fine: np.ndarray,
    middle: np.ndarray,
    coarse: np.ndarray,
) -> None:
    """Count a column of the window so many times more."""
    for line in lines:
        rank = ranks[line, column]
        fine[rank] += times
        middle[rank >> bits] += times
        coarse[rank >> 2 * bits] += times


@kernel
def _find(fine: np.ndarray, middle: np.ndarray, coarse: np.ndarray, bits: int, below: int) -> int:
    """The rank with so many others below it."""
    rank = 0
    for counts in (coarse, middle, fine):
        rank <<= bits
        while counts[rank] <= below:
            below -= counts[rank]
            rank += 1
    return rank
