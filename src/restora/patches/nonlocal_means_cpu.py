"""The CPU kernel of patchwise non-local means.

The image is cut into tiles, one a task. A tile goes through the rows of its patch centres; for a row, the weights to all
candidates are found (array W: an offset a line), divided by their sum, summed over the patch's width (array V), and added,
times the candidates' pixels, to the output rows that the patches cover. So W and V stay in the cache, each weight is computed
once a tile, every inner loop runs along a row without branches, and sums have few terms.
"""

from typing import no_type_check

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from restora.patches.exponential import exp

_ROWS, _COLUMNS = 64, 512  # of a tile


def nonlocal_means_cpu(z: Tensor, f: int, t: int, sigma: float, h: float, least: float) -> Tensor:
    """Images (b, c, h, w) from images extended by t + 2f, float32 or float64, on the CPU."""
    extended = z.contiguous().numpy()
    margin = t + 2 * f
    b, c = extended.shape[:2]
    size = (extended.shape[2] - 2 * margin, extended.shape[3] - 2 * margin)
    out = np.zeros((b, c, *size), extended.dtype)
    # −(d² − 2σ²)/h² = bias − scale·Σ(P − Q)², and all numbers in the dtype of the image
    scale, bias, floor = (
        extended.dtype.type(value) for value in (1 / ((2 * f + 1) ** 2 * c * h**2), 2 * (sigma / h) ** 2, least)
    )
    _images(extended, f, t, scale, bias, floor, out)
    return torch.from_numpy(out)


@njit(parallel=True, cache=True)
@no_type_check
def _images(z, f, t, scale, bias, least, out):
    count, _, height, width = out.shape
    down, across = (height + _ROWS - 1) // _ROWS, (width + _COLUMNS - 1) // _COLUMNS
    for job in prange(count * down * across):
        image, place = job // (down * across), job % (down * across)
        top, left = place // across * _ROWS, place % across * _COLUMNS
        _tile(z[image], f, t, scale, bias, least, top, left, out[image])


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _tile(z, f, t, scale, bias, least, top, left, out):
    channels = out.shape[0]
    bottom, right = min(top + _ROWS, out.shape[1]), min(left + _COLUMNS, out.shape[2])
    columns, centres = right - left, right - left + 2 * f
    W = np.empty(((2 * t + 1) ** 2, centres), z.dtype)
    V = np.empty(((2 * t + 1) ** 2, columns), z.dtype)
    total, largest = np.empty(centres, z.dtype), np.empty(centres, z.dtype)
    line = np.empty(centres + 2 * f, z.dtype)
    for r in range(top - f, bottom + f):  # the row of the patch centres, in the output
        largest[:] = least
        _weights(z, r + t + 2 * f, left + t, f, t, scale, bias, W, total, largest, line)
        _shares(W, total, f, V, line[:centres])
        for i in range(max(r - f, top), min(r + f + 1, bottom)):
            for channel in range(channels):
                _add_candidates(z[channel], i + 2 * f, left + 2 * f, V, t, out[channel, i, left:right])


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _weights(z, row, left, f, t, scale, bias, W, total, largest, line):
    """W: the weights of a row of patches, offset by offset; total: their sum. The patch itself gets the largest."""
    total[:] = 0
    offset = 0
    for i in range(-t, t + 1):
        for j in range(-t, t + 1):
            if i != 0 or j != 0:
                _column_sums(z, row, left, i, j, f, line)
                _box(line, f, W[offset])
                _exponentials(W[offset], scale, bias, total, largest)
            offset += 1
    own = W[offset // 2]
    for x in range(own.size):
        own[x] = largest[x]
        total[x] += largest[x]


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _column_sums(z, row, left, i, j, f, out):
    """out = sum of (z − z(· + δ))², δ = (i, j), over the channels and the rows −f … f."""
    n = out.size
    out[:] = 0
    for channel in range(z.shape[0]):
        a, b = z[channel, row][left : left + n], z[channel, row + i][left + j : left + j + n]
        for x in range(n):
            out[x] += (a[x] - b[x]) ** 2
        for k in range(1, f + 1):
            a, b = z[channel, row - k][left : left + n], z[channel, row - k + i][left + j : left + j + n]
            c, d = z[channel, row + k][left : left + n], z[channel, row + k + i][left + j : left + j + n]
            for x in range(n):
                out[x] += (a[x] - b[x]) ** 2 + (c[x] - d[x]) ** 2


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _box(line, f, out):
    """Sum of 2f + 1 neighbours; out is shorter than line by 2f."""
    n = out.size
    centre = line[f : f + n]
    for x in range(n):
        out[x] = centre[x]
    for k in range(1, f + 1):
        a, b = line[f - k : f - k + n], line[f + k : f + k + n]
        for x in range(n):
            out[x] += a[x] + b[x]


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _exponentials(w, scale, bias, total, largest):
    for x in range(w.size):
        w[x] = exp(min(bias - scale * w[x], np.float32(0)))
        total[x] += w[x]
        largest[x] = max(largest[x], w[x])


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _shares(W, total, f, V, line):
    """V = box(W/total) along the row, over the number of patches that cover a pixel."""
    patches = (2 * f + 1) ** 2
    for x in range(total.size):
        total[x] = 1 / (patches * total[x])
    for offset in range(W.shape[0]):
        w = W[offset]
        for x in range(w.size):
            line[x] = w[x] * total[x]
        _box(line, f, V[offset])


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _add_candidates(z, top, left, V, t, out):
    """out += Σ_δ V_δ·z(· + δ), the first δ at (top, left); two offsets a sweep, so that ``out`` is touched half as often."""
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
