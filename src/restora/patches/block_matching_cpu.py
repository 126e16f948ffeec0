"""The CPU kernel of block matching.

A task is a row of references. For one offset, the squared differences of the rows that the blocks cover are summed down
the columns into a line, and the line is summed over the width of a block by doubling; so all distances of the row of
references to that offset come from two or three sweeps over a line that stays in the cache, without branches. Only at
the references is a distance compared, and the list of the nearest changed.
"""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel


def match_cpu(
    z: Tensor, side: int, rows: list[int], columns: list[int], offsets: list[tuple[int, int]], members: int, tau: float
) -> tuple[Tensor, Tensor]:
    """(index, length) of :class:`restora.patches.block_matching.Groups`.

    Args:
        z: images, float32 or float64.
        side: of a block.
        rows: where references begin; ``columns`` likewise.
        columns: see ``rows``.
        offsets: from a reference to its candidates, in the order in which they are tried.
        members: at most so many a group.
        tau: bound of the mean squared difference.
    """
    planes = z.contiguous().numpy()
    b, c = planes.shape[:2]
    index = np.zeros((b, len(rows), len(columns), members), np.int32)
    length = np.zeros((b, len(rows), len(columns)), np.int32)
    bound = planes.dtype.type(tau * side**2 * c)
    _match(
        planes,
        side,
        np.asarray(rows, np.int64),
        np.asarray(columns, np.int64),
        np.asarray(offsets, np.int64),
        bound,
        index,
        length,
    )
    return torch.from_numpy(index).flatten(1, 2), torch.from_numpy(length).flatten(1)


@kernel(parallel=True)
def _match(
    z: np.ndarray,
    side: int,
    rows: np.ndarray,
    columns: np.ndarray,
    offsets: np.ndarray,
    bound: float,
    index: np.ndarray,
    length: np.ndarray,
) -> None:
    for job in prange(z.shape[0] * rows.size):
        image, row = job // rows.size, job % rows.size
        _match_row(z[image], side, rows[row], columns, offsets, bound, index[image, row], length[image, row])


@kernel(fuse=True)
def _match_row(
    z: np.ndarray,
    side: int,
    row: int,
    columns: np.ndarray,
    offsets: np.ndarray,
    bound: float,
    index: np.ndarray,
    length: np.ndarray,
) -> None:
    _, height, width = z.shape
    line, other, distance = np.empty(width, z.dtype), np.empty(width, z.dtype), np.empty(width, z.dtype)
    nearest = np.full(index.shape, bound, z.dtype)
    for r in range(columns.size):  # the reference itself
        nearest[r, 0] = -1
        index[r, 0] = row * width + columns[r]
        length[r] = 1
    worst = nearest[:, -1].copy()
    for k in range(offsets.shape[0]):
        i, j = offsets[k, 0], offsets[k, 1]
        if (i == 0 and j == 0) or row + i < 0 or row + i + side > height:
            continue
        left, right = max(0, -j), min(width, width - j)  # columns that have a partner
        if right - left < side:
            continue
        _column_sums(z, row, i, j, left, side, line[: right - left])
        _window_sums(line[: right - left], side, other, distance)
        first, last = np.searchsorted(columns, left), np.searchsorted(columns, right - side + 1)
        for r in range(first, last):
            found = distance[columns[r] - left]
            if found < worst[r]:
                _insert(found, (row + i) * width + columns[r] + j, r, nearest, index, length)
                worst[r] = nearest[r, -1]


@kernel(fuse=True)
def _column_sums(z: np.ndarray, row: int, i: int, j: int, left: int, side: int, out: np.ndarray) -> None:
    """out = Σ (z − z(· + δ))², δ = (i, j), over the channels and the rows of a block; four rows a sweep."""
    n, there = out.size, left + j
    fours = side - side % 4
    if fours == 0 or z.shape[0] > 1:
        out[:] = 0
    for channel in range(z.shape[0]):
        plane = z[channel]
        for k in range(row, row + fours, 4):
            a0, b0 = plane[k, left : left + n], plane[k + i, there : there + n]
            a1, b1 = plane[k + 1, left : left + n], plane[k + 1 + i, there : there + n]
            a2, b2 = plane[k + 2, left : left + n], plane[k + 2 + i, there : there + n]
            a3, b3 = plane[k + 3, left : left + n], plane[k + 3 + i, there : there + n]
            if k == row and z.shape[0] == 1:
                for x in range(n):
                    out[x] = ((a0[x] - b0[x]) ** 2 + (a1[x] - b1[x]) ** 2) + (
                        (a2[x] - b2[x]) ** 2 + (a3[x] - b3[x]) ** 2
                    )
            else:
                for x in range(n):
                    out[x] += ((a0[x] - b0[x]) ** 2 + (a1[x] - b1[x]) ** 2) + (
                        (a2[x] - b2[x]) ** 2 + (a3[x] - b3[x]) ** 2
                    )
        for k in range(row + fours, row + side):
            a0, b0 = plane[k, left : left + n], plane[k + i, there : there + n]
            for x in range(n):
                out[x] += (a0[x] - b0[x]) ** 2


@kernel(fuse=True)
def _window_sums(line: np.ndarray, side: int, other: np.ndarray, out: np.ndarray) -> None:
    """out[x] = line[x] + … + line[x + side − 1], put together from sums over 1, 2, 4 … pixels. Uses up ``line``."""
    n, valid = line.size, line.size - side + 1
    at, span = 0, 1
    while True:
        if side & span:
            part = line[at : at + valid]
            if at == 0:
                for x in range(valid):
                    out[x] = part[x]
            else:
                for x in range(valid):
                    out[x] += part[x]
            at += span
        if 2 * span > side:
            return
        m = n - 2 * span + 1
        a, b = line[:m], line[span : span + m]
        for x in range(m):
            other[x] = a[x] + b[x]
        line, other = other, line
        span *= 2


@kernel
def _insert(distance: float, corner: int, r: int, nearest: np.ndarray, index: np.ndarray, length: np.ndarray) -> None:
    """Put a block into the list of a reference, which stays sorted; the last falls out."""
    members = nearest.shape[1]
    k = min(length[r], members - 1)
    while k > 0 and nearest[r, k - 1] > distance:
        nearest[r, k] = nearest[r, k - 1]
        index[r, k] = index[r, k - 1]
        k -= 1
    nearest[r, k] = distance
    index[r, k] = corner
    length[r] = min(length[r] + 1, members)
