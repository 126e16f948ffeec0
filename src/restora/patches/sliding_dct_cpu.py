"""The CPU kernel of shrinkage in sliding cosine transforms.

The output is cut into tiles, one a task; patches that reach over a border are done by both sides, so that no two tasks
write the same pixel. A tile goes through its rows of patches. For a row, the columns are transformed for all positions
at once, then the rows, a coefficient a line (C), so that every inner loop runs along a row of the image; after
shrinkage the two steps are undone in the same way, into the output rows which the patches cover.
"""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel

_ROWS, _COLUMNS = 64, 256  # of a tile


def sliding_dct_cpu(z: Tensor, pilot: Tensor | None, forward: Tensor, sigma: float, threshold: float) -> Tensor:
    """Images (b, c, h, w) from images extended by n − 1 on each side, float32 or float64, on the CPU.

    Args:
        z: noisy images, extended.
        pilot: estimates, extended, or None for hard thresholding.
        forward: the matrix of the transform, (n, n).
        sigma: standard deviation of the noise.
        threshold: in σ.
    """
    n = len(forward)
    planes = z.contiguous().flatten(0, 1).numpy()
    guides = planes if pilot is None else pilot.contiguous().flatten(0, 1).numpy()
    out = np.empty((len(planes), z.shape[-2] - 2 * (n - 1), z.shape[-1] - 2 * (n - 1)), planes.dtype)
    law = (planes.dtype.type(sigma**2), planes.dtype.type(threshold * sigma if pilot is None else -1))
    _images(planes, guides, forward.contiguous().numpy(), law, out)
    return torch.from_numpy(out).reshape(*z.shape[:2], *out.shape[1:])


@kernel(parallel=True)
def _images(z: np.ndarray, pilot: np.ndarray, D: np.ndarray, law: tuple[float, float], out: np.ndarray) -> None:
    count, height, width = out.shape
    down, across = (height + _ROWS - 1) // _ROWS, (width + _COLUMNS - 1) // _COLUMNS
    for job in prange(count * down * across):
        plane, place = job // (down * across), job % (down * across)
        _tile(z[plane], pilot[plane], D, law, place // across * _ROWS, place % across * _COLUMNS, out[plane])


@kernel(fuse=True)
def _tile(
    z: np.ndarray, pilot: np.ndarray, D: np.ndarray, law: tuple[float, float], top: int, left: int, out: np.ndarray
) -> None:
    n = D.shape[0]
    height, width = min(_ROWS, out.shape[0] - top), min(_COLUMNS, out.shape[1] - left)
    across = width + 2 * (n - 1)  # pixels that the patches of the tile cover, of which the middle is the tile
    places = width + n - 1  # patches of a row
    total, weight = np.zeros((height, across), z.dtype), np.zeros((height, across), z.dtype)
    C, P = np.empty((n * n, places), z.dtype), np.empty((n * n, places), z.dtype)
    lines, share = np.empty((n, across), z.dtype), np.empty(places, z.dtype)
    backward = np.ascontiguousarray(D.T)
    for row in range(height + n - 1):
        patches = z[top + row : top + row + n, left : left + across]
        _analyse(patches, D, lines, C)
        if law[1] >= 0:
            _threshold(C, law[1], share)
        else:
            _analyse(pilot[top + row : top + row + n, left : left + across], D, lines, P)
            _wiener(C, P, law[0], share)
        _synthesise(C, backward, lines, row - (n - 1), total)
        _add_weights(share, n, lines[0], row - (n - 1), weight)
    for i in range(height):
        for j in range(width):
            out[top + i, left + j] = total[i, n - 1 + j] / weight[i, n - 1 + j]


@kernel(fuse=True)
def _analyse(patches: np.ndarray, D: np.ndarray, lines: np.ndarray, C: np.ndarray) -> None:
    """C[k, l] along the row of patches, from the n rows of the image which they cover."""
    n = D.shape[0]
    for k in range(n):
        _combine(D[k], patches, lines[k])
    for k in range(n):
        line = lines[k]
        for l in range(n):
            _correlate(D[l], line, C[k * n + l])


@kernel(fuse=True)
def _combine(taps: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
    """out = Σ_i taps[i]·rows[i]."""
    n, m = taps.size, out.size
    for i in range(0, n - n % 4, 4):
        a, b, c, d = taps[i], taps[i + 1], taps[i + 2], taps[i + 3]
        p, q, r, s = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
        if i == 0:
            for x in range(m):
                out[x] = (a * p[x] + b * q[x]) + (c * r[x] + d * s[x])
        else:
            for x in range(m):
                out[x] += (a * p[x] + b * q[x]) + (c * r[x] + d * s[x])
    for i in range(n - n % 4, n):
        a, p = taps[i], rows[i]
        if i == 0:
            for x in range(m):
                out[x] = a * p[x]
        else:
            for x in range(m):
                out[x] += a * p[x]


@kernel(fuse=True)
def _correlate(taps: np.ndarray, line: np.ndarray, out: np.ndarray) -> None:
    """out[x] = Σ_j taps[j]·line[x + j]."""
    n, m = taps.size, out.size
    for j in range(0, n - n % 4, 4):
        a, b, c, d = taps[j], taps[j + 1], taps[j + 2], taps[j + 3]
        p, q, r, s = line[j : j + m], line[j + 1 : j + 1 + m], line[j + 2 : j + 2 + m], line[j + 3 : j + 3 + m]
        if j == 0:
            for x in range(m):
                out[x] = (a * p[x] + b * q[x]) + (c * r[x] + d * s[x])
        else:
            for x in range(m):
                out[x] += (a * p[x] + b * q[x]) + (c * r[x] + d * s[x])
    for j in range(n - n % 4, n):
        a, p = taps[j], line[j : j + m]
        if j == 0:
            for x in range(m):
                out[x] = a * p[x]
        else:
            for x in range(m):
                out[x] += a * p[x]


@kernel(fuse=True)
def _threshold(C: np.ndarray, t: float, share: np.ndarray) -> None:
    """θ̂ times its weight, in place; the mean is kept."""
    share[:] = 1
    for k in range(1, C.shape[0]):
        line = C[k]
        for x in range(share.size):
            keep = abs(line[x]) >= t
            line[x] = line[x] if keep else C.dtype.type(0)
            share[x] += C.dtype.type(1) if keep else C.dtype.type(0)
    for x in range(share.size):
        share[x] = 1 / share[x]
    _scale(C, share)


@kernel(fuse=True)
def _wiener(C: np.ndarray, P: np.ndarray, variance: float, share: np.ndarray) -> None:
    share[:] = np.finfo(C.dtype).eps
    for k in range(C.shape[0]):
        line, p = C[k], P[k]
        for x in range(share.size):
            power = p[x] * p[x]
            whole = power + variance
            gain = power / whole if whole > 0 else C.dtype.type(1)  # 0/0: σ² is too small for the dtype
            line[x] *= gain
            share[x] += gain * gain
    for x in range(share.size):
        share[x] = 1 / share[x]
    _scale(C, share)


@kernel(fuse=True)
def _scale(C: np.ndarray, share: np.ndarray) -> None:
    for k in range(C.shape[0]):
        line = C[k]
        for x in range(share.size):
            line[x] *= share[x]


@kernel(fuse=True)
def _synthesise(C: np.ndarray, backward: np.ndarray, lines: np.ndarray, first: int, total: np.ndarray) -> None:
    """Add the patches of a row to the rows of the tile they cover, of which ``first`` is the upper one."""
    n, places = backward.shape[0], C.shape[1]
    part = np.empty(places, C.dtype)
    for k in range(n):
        line = lines[k]
        line[:] = 0
        for j in range(n):
            _combine(backward[j], C[k * n : (k + 1) * n], part)
            there = line[j : j + places]
            for x in range(places):
                there[x] += part[x]
    whole = np.empty(lines.shape[1], C.dtype)
    for i in range(max(0, -first), min(n, total.shape[0] - first)):
        _combine(backward[i], lines, whole)
        out = total[first + i]
        for x in range(out.size):
            out[x] += whole[x]


@kernel(fuse=True)
def _add_weights(share: np.ndarray, n: int, line: np.ndarray, first: int, weight: np.ndarray) -> None:
    line[:] = 0
    for j in range(n):
        there = line[j : j + share.size]
        for x in range(share.size):
            there[x] += share[x]
    for i in range(max(0, -first), min(n, weight.shape[0] - first)):
        out = weight[first + i]
        for x in range(out.size):
            out[x] += line[x]
