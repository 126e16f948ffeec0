"""The CPU kernel of patchwise non-local means.

The image is cut into tiles, one a task. A tile goes through the rows of its patch centres. For a row, the weights to
all candidates are found (array W, a line an offset), divided by their sum, summed over the patch's width (array V), and
added, times the candidates' pixels, to the output rows which the patches cover. So W and V stay in the cache, a weight
is computed once a tile, every inner loop runs along a row without branches, and no sum has many terms.
"""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.exponential import exp
from restora.core.kernels import kernel

_ROWS, _COLUMNS = 64, 512  # of a tile

_Law = tuple[float, float, float]
"""(scale, bias, least) of w = exp(min(bias − scale·Σ(P − Q)², 0)), and the least a patch weighs for itself."""


def nonlocal_means_cpu(z: Tensor, f: int, t: int, sigma: float, h: float, least: float) -> Tensor:
    """Images (b, c, h, w) from images extended by t + 2f, float32 or float64, on the CPU."""
    extended = z.contiguous().numpy()
    b, c, height, width = extended.shape
    margin = t + 2 * f
    out = np.zeros((b, c, height - 2 * margin, width - 2 * margin), extended.dtype)
    largest = float(np.finfo(extended.dtype).max)  # an infinite scale times a distance of 0 would be no number
    scale, bias = min(1 / ((2 * f + 1) ** 2 * c * h**2), largest), 2 * (sigma / h) ** 2
    law = tuple(extended.dtype.type(value) for value in (scale, bias, least))
    _images(extended, f, t, law, out)
    return torch.from_numpy(out)


@kernel(parallel=True)
def _images(z: np.ndarray, f: int, t: int, law: _Law, out: np.ndarray) -> None:
    count, _, height, width = out.shape
    down, across = (height + _ROWS - 1) // _ROWS, (width + _COLUMNS - 1) // _COLUMNS
    for job in prange(count * down * across):
        image, place = job // (down * across), job % (down * across)
        _tile(z[image], f, t, law, place // across * _ROWS, place % across * _COLUMNS, out[image])


@kernel(fuse=True)
def _tile(z: np.ndarray, f: int, t: int, law: _Law, top: int, left: int, out: np.ndarray) -> None:
    channels, height, width = out.shape
    bottom, right = min(top + _ROWS, height), min(left + _COLUMNS, width)
    W = np.empty(((2 * t + 1) ** 2, right - left + 2 * f), z.dtype)
    V = np.empty(((2 * t + 1) ** 2, right - left), z.dtype)
    for row in range(top - f, bottom + f):  # of the patch centres, as a row of the output
        total = _weights(z, row + t + 2 * f, left + t, f, t, law, W)
        _shares(W, total, f, V)
        for i in range(max(row - f, top), min(row + f + 1, bottom)):
            for channel in range(channels):
                _add_candidates(z[channel], i + 2 * f, left + 2 * f, t, V, out[channel, i, left:right])


@kernel(fuse=True)
def _weights(z: np.ndarray, row: int, left: int, f: int, t: int, law: _Law, W: np.ndarray) -> np.ndarray:
    """W: the weights of a row of patches, offset by offset. Returns their sums. A patch itself gets the largest."""
    scale, bias, least = law
    n = W.shape[1]
    total, largest = np.zeros(n, z.dtype), np.full(n, least, z.dtype)
    line = np.empty(n + 2 * f, z.dtype)
    offset = 0
    for i in range(-t, t + 1):
        for j in range(-t, t + 1):
            if i != 0 or j != 0:
                _column_sums(z, row, left, i, j, f, line)
                _box(line, f, W[offset])
                _exponentials(W[offset], scale, bias, total, largest)
            offset += 1
    own = W[offset // 2]
    for x in range(n):
        own[x] = largest[x]
        total[x] += largest[x]
    return total


@kernel(fuse=True)
def _column_sums(z: np.ndarray, row: int, left: int, i: int, j: int, f: int, out: np.ndarray) -> None:
    """out = sum of (z − z(· + δ))², δ = (i, j), over the channels and the rows −f … f."""
    n = out.size
    there = left + j
    out[:] = 0
    for channel in range(z.shape[0]):
        a, b = z[channel, row, left : left + n], z[channel, row + i, there : there + n]
        for x in range(n):
            out[x] += (a[x] - b[x]) ** 2
        for k in range(1, f + 1):
            a, b = z[channel, row - k, left : left + n], z[channel, row - k + i, there : there + n]
            c, d = z[channel, row + k, left : left + n], z[channel, row + k + i, there : there + n]
            for x in range(n):
                out[x] += (a[x] - b[x]) ** 2 + (c[x] - d[x]) ** 2


@kernel(fuse=True)
def _box(line: np.ndarray, f: int, out: np.ndarray) -> None:
    """Sum of 2f + 1 neighbours; out is shorter than line by 2f."""
    n = out.size
    centre = line[f : f + n]
    for x in range(n):
        out[x] = centre[x]
    for k in range(1, f + 1):
        a, b = line[f - k : f - k + n], line[f + k : f + k + n]
        for x in range(n):
            out[x] += a[x] + b[x]


@kernel(fuse=True)
def _exponentials(w: np.ndarray, scale: float, bias: float, total: np.ndarray, largest: np.ndarray) -> None:
    for x in range(w.size):
        w[x] = exp(min(bias - scale * w[x], np.float32(0)))
        total[x] += w[x]
        largest[x] = max(largest[x], w[x])


@kernel(fuse=True)
def _shares(W: np.ndarray, total: np.ndarray, f: int, V: np.ndarray) -> None:
    """V = box(W/total) along the row, over the number of patches that cover a pixel. Uses up ``total``."""
    n = total.size
    line = np.empty(n, W.dtype)
    for x in range(n):
        total[x] = 1 / ((2 * f + 1) ** 2 * total[x])
    for offset in range(W.shape[0]):
        w = W[offset]
        for x in range(n):
            line[x] = w[x] * total[x]
        _box(line, f, V[offset])


@kernel(fuse=True)
def _add_candidates(z: np.ndarray, top: int, left: int, t: int, V: np.ndarray, out: np.ndarray) -> None:
    """out += Σ_δ V_δ·z(· + δ), the first δ at (top, left).

    Two offsets a sweep, so that ``out`` is read and written half as often.
    """
    n = out.size
    side = 2 * t + 1
    for i in range(side):
        v, a = V[i * side], z[top + i, left : left + n]
        for x in range(n):
            out[x] += v[x] * a[x]
        for j in range(1, side, 2):
            v, a = V[i * side + j], z[top + i, left + j : left + j + n]
            u, b = V[i * side + j + 1], z[top + i, left + j + 1 : left + j + 1 + n]
            for x in range(n):
                out[x] += v[x] * a[x] + u[x] * b[x]
