"""The CPU kernel of pixelwise non-local means.

The image is cut into strips of rows, one a task. For each offset of a half plane a strip goes down its rows: the
squared differences of a row are found once and kept as long as patches cover it; their sums down the columns, along the
row, the weights and what they add to both ends follow, each in a line that stays in the cache.

A weight adds to its pixel and to the one at the offset, which lies up to t rows below. Every second strip is done
first, then the others, so that no two that run at once write the same row, and sums come out the same for any number
of threads.
"""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.exponential import exp
from restora.core.kernels import kernel

_ROWS = 32  # of a strip, at least


def pixelwise_means_cpu(z: Tensor, f: int, t: int, sigma: float, h: float, least: float) -> Tensor:
    """Images (b, c, h, w) from images extended by 2t + f, float32 or float64, on the CPU."""
    extended = z.contiguous().numpy()
    b, c, height, width = extended.shape
    height, width = height - 2 * (2 * t + f), width - 2 * (2 * t + f)
    largest = float(np.finfo(extended.dtype).max)  # an infinite scale times a distance of 0 would be no number
    scale, bias = min(1 / ((2 * f + 1) ** 2 * c * h**2), largest), 2 * (sigma / h) ** 2
    law = (extended.dtype.type(scale), extended.dtype.type(bias))
    out = np.empty((b, c, height, width), extended.dtype)
    strip = max(_ROWS, t)
    starts = np.arange(-t, height, strip)
    for image in range(b):
        # Of every pixel of the image and t around: Σ w y of each channel, Σ w, and the largest w.
        sums = np.zeros((c + 2, height + 2 * t, width + 2 * t), extended.dtype)
        sums[-1] = least
        for part in (starts[::2].copy(), starts[1::2].copy()):
            _strips(extended[image], f, t, law, part, strip, sums)
        _divide(extended[image], f, t, sums, out[image])
    return torch.from_numpy(out)


@kernel(parallel=True)
def _strips(
    z: np.ndarray, f: int, t: int, law: tuple[float, float], starts: np.ndarray, rows: int, sums: np.ndarray
) -> None:
    for job in prange(starts.size):
        _strip(z, f, t, law, starts[job], rows, sums)


@kernel
def _strip(z: np.ndarray, f: int, t: int, law: tuple[float, float], first: int, rows: int, sums: np.ndarray) -> None:
    """All offsets of a half plane, for pixels p in rows ``first`` … of the image, and t columns around it.

    Rows of ``sums`` and of z begin t and 2t + f above the image.
    """
    width = sums.shape[2]
    last = min(first + rows, sums.shape[1] - 2 * t)
    squares = np.empty((2 * f + 1, width + 2 * f), z.dtype)
    column, w = np.empty(width + 2 * f, z.dtype), np.empty(width, z.dtype)
    for i in range(t + 1):
        for j in range(-t if i > 0 else 1, t + 1):
            for k in range(2 * f):
                _squares(z, first + 2 * t + k, i, j, t, squares[k])
            for row in range(first, last):
                newest = (row - first + 2 * f) % (2 * f + 1)
                _squares(z, row + 2 * t + 2 * f, i, j, t, squares[newest])
                _sum_rows(squares, column)
                _weights(column, f, law, w)
                _accumulate(z, w, row, i, j, f, t, sums)


@kernel(fuse=True)
def _squares(z: np.ndarray, row: int, i: int, j: int, t: int, out: np.ndarray) -> None:
    """Σ (z − z(· + δ))² over the channels, of a row of z, from t columns left of its weights' patches on."""
    n = out.size
    a, b = z[0, row, t : t + n], z[0, row + i, t + j : t + j + n]
    for x in range(n):
        out[x] = (a[x] - b[x]) ** 2
    for channel in range(1, z.shape[0]):
        a, b = z[channel, row, t : t + n], z[channel, row + i, t + j : t + j + n]
        for x in range(n):
            out[x] += (a[x] - b[x]) ** 2


@kernel(fuse=True)
def _sum_rows(squares: np.ndarray, out: np.ndarray) -> None:
    n, first = out.size, squares[0]
    if squares.shape[0] == 1:
        for x in range(n):
            out[x] = first[x]
    for k in range(1, squares.shape[0], 2):
        a, b = squares[k], squares[k + 1]
        if k == 1:
            for x in range(n):
                out[x] = first[x] + (a[x] + b[x])
        else:
            for x in range(n):
                out[x] += a[x] + b[x]


@kernel(fuse=True)
def _weights(column: np.ndarray, f: int, law: tuple[float, float], w: np.ndarray) -> None:
    scale, bias = law
    n = w.size
    centre = column[f : f + n]
    for x in range(n):
        w[x] = centre[x]
    for k in range(1, f + 1):
        a, b = column[f - k : f - k + n], column[f + k : f + k + n]
        for x in range(n):
            w[x] += a[x] + b[x]
    for x in range(n):
        w[x] = exp(min(bias - scale * w[x], np.float32(0)))


@kernel(fuse=True)
def _accumulate(z: np.ndarray, w: np.ndarray, row: int, i: int, j: int, f: int, t: int, sums: np.ndarray) -> None:
    """Add what the weights of a row bring to its pixels p, and to those at p + δ as far as they are kept."""
    c, left = z.shape[0], 2 * t + f  # where, in a row of z, the image begins
    width = sums.shape[2] - 2 * t
    here, there = row + left, row + i + left  # rows of z
    if row >= 0:
        share = w[t : t + width]
        for channel in range(c):
            out, y = sums[channel, row + t, t : t + width], z[channel, there, left + j : left + j + width]
            for x in range(width):
                out[x] += share[x] * y[x]
        _add(share, sums[c, row + t, t : t + width], sums[c + 1, row + t, t : t + width])
    if 0 <= row + i < sums.shape[1] - 2 * t:
        share = w[t - j : t - j + width]  # p = q − δ for the pixels q of the image
        for channel in range(c):
            out, y = sums[channel, row + i + t, t : t + width], z[channel, here, left - j : left - j + width]
            for x in range(width):
                out[x] += share[x] * y[x]
        _add(share, sums[c, row + i + t, t : t + width], sums[c + 1, row + i + t, t : t + width])


@kernel(fuse=True)
def _add(share: np.ndarray, total: np.ndarray, largest: np.ndarray) -> None:
    for x in range(share.size):
        total[x] += share[x]
        largest[x] = max(largest[x], share[x])


@kernel(fuse=True)
def _divide(z: np.ndarray, f: int, t: int, sums: np.ndarray, out: np.ndarray) -> None:
    c, height, width = out.shape
    left = 2 * t + f
    for channel in range(c):
        for i in range(height):
            y, line = z[channel, i + left, left : left + width], out[channel, i]
            total, weight, own = sums[channel, i + t, t : t + width], sums[c, i + t, t : t + width], sums[c + 1, i + t]
            for x in range(width):
                line[x] = (total[x] + own[t + x] * y[x]) / (weight[x] + own[t + x])
