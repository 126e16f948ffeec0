"""The CPU kernels of the domain transform: one pass along the rows or the columns of images, in place.

A block of lines, one a task, is copied to a buffer with samples of all lines side by side, (sample, line). Recursions
and running sums then take a step in all lines at once, in vector instructions; and so do the windows, without a branch.
"""

import numpy as np
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from

_LANES = 128  # lines of a block that recurs
_LINES = 16  # lines of a block with windows, which needs five buffers
_SERIAL = 1 << 18  # numbers below which it is not worth waking other threads (about 2 ms)


def recursive_pass(x: Tensor, v: Tensor, across: bool) -> None:
    """x(u) ← x(u) + v(u)(x(u − 1) − x(u)) forwards, the same with v(u + 1) and x(u + 1) backwards; then v ← v².

    Args:
        x: (b, c, h, w + pad), contiguous; the padding keeps columns from evicting each other from the cache.
        v: (b, sample, line), contiguous; this tells w.
        across: along the rows; else along the columns.
    """
    _recursive.sized(x.numel())(x.numpy(), v.numpy(), across)


def windowed_pass(x: Tensor, d: Tensor, r: float, interpolate: bool, across: bool) -> None:
    """The mean of the samples, or of the straight lines between them, within r of each sample.

    Args:
        x: as for :func:`recursive_pass`.
        d: (b, sample, line), contiguous: distances to the sample before, positive.
        r: half the width of the window.
        interpolate: take the straight lines.
        across: along the rows; else along the columns.
    """
    _windowed.sized(x.numel())(x.numpy(), d.numpy(), r, interpolate, across)


@parallel_from(_SERIAL)
def _recursive(x: np.ndarray, v: np.ndarray, across: bool) -> None:
    blocks = (v.shape[2] + _LANES - 1) // _LANES
    for job in prange(len(v) * blocks):
        _recur(x[job // blocks], v[job // blocks], job % blocks * _LANES, across)


@parallel_from(_SERIAL)
def _windowed(x: np.ndarray, d: np.ndarray, r: float, interpolate: bool, across: bool) -> None:
    blocks = (d.shape[2] + _LINES - 1) // _LINES
    for job in prange(len(d) * blocks):
        _slide(x[job // blocks], d[job // blocks], r, job % blocks * _LINES, interpolate, across)


@kernel
def _load(plane: np.ndarray, first: int, across: bool, block: np.ndarray) -> None:
    n, lines = block.shape
    if across:
        for i in range(lines):
            row = plane[first + i]
            for k in range(n):
                block[k, i] = row[k]
    else:
        for k in range(n):
            block[k] = plane[k, first : first + lines]


@kernel
def _store(block: np.ndarray, first: int, across: bool, plane: np.ndarray) -> None:
    n, lines = block.shape
    if across:
        for i in range(lines):
            row = plane[first + i]
            for k in range(n):
                row[k] = block[k, i]
    else:
        for k in range(n):
            plane[k, first : first + lines] = block[k]


@kernel(fuse=True)
def _recur(x: np.ndarray, v: np.ndarray, first: int, across: bool) -> None:
    n, lines = len(v), min(_LANES, v.shape[1] - first)
    block = np.empty((n, lines), x.dtype)
    for channel in range(len(x)):
        _load(x[channel], first, across, block)
        for k in range(1, n):
            here, before, w = block[k], block[k - 1], v[k, first:]
            for i in range(lines):
                here[i] += w[i] * (before[i] - here[i])
        for k in range(n - 2, -1, -1):
            here, after, w = block[k], block[k + 1], v[k + 1, first:]
            for i in range(lines):
                here[i] += w[i] * (after[i] - here[i])
        _store(block, first, across, x[channel])
    for k in range(n):
        w = v[k, first : first + lines]
        for i in range(lines):
            w[i] *= w[i]


@kernel
def _slide(x: np.ndarray, d: np.ndarray, r: float, first: int, interpolate: bool, across: bool) -> None:
    """Positions and sums are in double precision; a position more lies beyond all windows."""
    n, lines = len(d), min(_LINES, d.shape[1] - first)
    t, sums = np.zeros((n + 1, lines)), np.zeros((n + 1, lines))
    for k in range(1, n):
        for i in range(lines):
            t[k, i] = t[k - 1, i] + d[k, first + i]
    t[n] = np.inf
    low, high = np.empty((n + 1, lines), np.uint32), np.empty((n + 1, lines), np.uint32)
    _windows(t, r, low, high)
    block = np.empty((n, lines), x.dtype)
    ends, steps = np.empty((2, 0, 0)), np.empty((0, 0))
    if interpolate:
        ends, steps = _ends(t, r, low, high)
    for channel in range(len(x)):
        _load(x[channel], first, across, block)
        if interpolate:
            _mean_of_lines(block, steps, ends, r, low, high, sums)
        else:
            _mean_of_samples(block, low, high, sums)
        _store(block, first, across, x[channel])


@kernel
def _windows(t: np.ndarray, r: float, low: np.ndarray, high: np.ndarray) -> None:
    """``low``, ``high``: the first sample after t(u) − r, the first after t(u) + r; both for all u of all lines.

    The samples t(a) and the ends t(u) + r are merged: at each of 2n steps either a or u moves on, so u = step − a. When
    u moves, a is the first sample beyond its window; when a does, u is the first window that a lies in.
    """
    n, lines = t.shape[0] - 1, t.shape[1]
    begun = np.zeros(lines, np.uint64)  # unsigned: such an index needs no test whether it counts from the end
    for step in range(np.uint64(2 * n)):
        for i in range(lines):
            a = begun[i]
            u = step - a
            low[a, i], high[u, i] = u, a
            begun[i] = a + np.uint64(t[a, i] <= t[u, i] + r)


@kernel(fuse=True)
def _mean_of_samples(block: np.ndarray, low: np.ndarray, high: np.ndarray, sums: np.ndarray) -> None:
    n, lines = block.shape
    shares = np.empty(n + 1)
    for k in range(n):
        shares[k + 1] = 1 / (k + 1)
        for i in range(lines):
            sums[k + 1, i] = sums[k, i] + block[k, i]
    for u in range(n):
        for i in range(lines):
            a, b = np.uint64(low[u, i]), np.uint64(high[u, i])
            block[u, i] = (sums[b, i] - sums[a, i]) * shares[b - a]


@kernel
def _ends(t: np.ndarray, r: float, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The reach of a window before its first and after its last sample; the steps between samples."""
    n, lines = t.shape[0] - 1, t.shape[1]
    ends, steps = np.empty((2, n, lines)), np.empty((n, lines))
    for u in range(n):
        for i in range(lines):
            ends[0, u, i] = t[np.uint64(low[u, i]), i] - t[u, i] + r
            ends[1, u, i] = t[u, i] + r - t[np.uint64(high[u, i]) - np.uint64(1), i]
            steps[u, i] = t[u, i] - t[max(u - 1, 0), i]
    return ends, steps


@kernel(fuse=True)
def _mean_of_lines(
    block: np.ndarray,
    steps: np.ndarray,
    ends: np.ndarray,
    r: float,
    low: np.ndarray,
    high: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Sums of trapezoids, cut where the window ends; beyond the first and the last sample the line is level."""
    n, lines = block.shape
    slopes = np.zeros((n + 1, lines))  # half of it, of the line that ends at each sample
    for k in range(1, n):
        for i in range(lines):
            slopes[k, i] = 0.5 * (block[k, i] - block[k - 1, i]) / steps[k, i]
            sums[k, i] = sums[k - 1, i] + 0.5 * (block[k, i] + block[k - 1, i]) * steps[k, i]
    out, share = np.empty_like(block), 1 / (2 * r)
    for u in range(n):
        for i in range(lines):
            a, b = np.uint64(low[u, i]), np.uint64(high[u, i])
            c, left, right = b - np.uint64(1), ends[0, u, i], ends[1, u, i]
            area = sums[c, i] - sums[a, i] + right * (block[c, i] + right * slopes[b, i])
            out[u, i] = (area + left * (block[a, i] - left * slopes[a, i])) * share
    block[:] = out
