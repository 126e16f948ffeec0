"""The CPU kernel of collaborative filtering.

A stack of m blocks of n x n pixels lies in memory as (n, n, m), the members innermost, so that every step of every
transform runs over neighbours in memory. The members stand in bit-reversed order: then the Haar transform, which pairs
the blocks 2k and 2k + 1, adds and subtracts the two halves of a line.

Tasks are strips of groups. A strip writes around itself, as far as a window and a block reach. Every second strip is
done first, then the others, so that no two strips which run at once write the same pixel, and sums come out the same
for any number of threads.
"""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel

LEAST_NOISE = 1e-30
"""The least variance of the noise that a group is taken to have, so that the sums of weights are finite in float32."""

_Tables = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""forward, inverse (n, n); deviation (c, n, n); window (n, n)."""

_Sums = tuple[np.ndarray, np.ndarray]
"""Σ weight·estimate and Σ weight, (c, h, w)."""


def collaborate_cpu(
    y: Tensor, pilot: Tensor | None, index: Tensor, length: Tensor, tables: list[Tensor], threshold: float
) -> tuple[Tensor, Tensor]:
    """(Σ weight·estimate, Σ weight) of images (b, c, h, w), float32 or float64, on the CPU.

    Args:
        y: noisy images.
        pilot: estimates of the noiseless ones, or None for hard thresholding.
        index: corners of the blocks of each group, (b, groups, members).
        length: of the groups.
        tables: see ``_Tables``.
        threshold: of hard thresholding, in deviations.
    """
    noisy = y.contiguous().numpy()
    guide = noisy if pilot is None else pilot.contiguous().numpy()
    total, weight = np.zeros_like(noisy), np.zeros_like(noisy)
    arrays = tuple(np.ascontiguousarray(table.numpy()) for table in tables)
    groups, lengths = index.numpy(), length.numpy()
    n, width = len(tables[0]), y.shape[-1]
    for image in range(len(noisy)):
        even, odd = _strips(groups[image], lengths[image], width, n)
        level = noisy.dtype.type(threshold if pilot is None else -1)
        for strips in (even, odd):
            sums = (total[image], weight[image])
            _collaborate(noisy[image], guide[image], groups[image], lengths[image], strips, arrays, level, sums)
    return torch.from_numpy(total), torch.from_numpy(weight)


def _strips(index: np.ndarray, length: np.ndarray, width: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs of groups (first, last + 1), every second one: those that run at once write no pixel in common.

    The references of the groups go down the image. A strip takes those whose rows lie in a band as high as twice the
    farthest that any block of a group is from its reference, and a block.
    """
    rows = index[:, 0] // width
    reach = max(  # a member at a time: index is larger than the image
        int((np.abs(index[:, k] // width - rows) * (length > k)).max()) for k in range(index.shape[1])
    )
    band = 2 * reach + n
    starts = np.searchsorted(rows, np.arange(0, int(rows[-1]) + band + 1, band))
    strips = np.stack((starts[:-1], starts[1:]), axis=1)
    return strips[::2].copy(), strips[1::2].copy()


@kernel(parallel=True)
def _collaborate(
    y: np.ndarray,
    pilot: np.ndarray,
    index: np.ndarray,
    length: np.ndarray,
    strips: np.ndarray,
    tables: _Tables,
    threshold: float,
    sums: _Sums,
) -> None:
    for job in prange(strips.shape[0]):
        _strip(y, pilot, index, length, strips[job], tables, threshold, sums)


@kernel
def _strip(
    y: np.ndarray,
    pilot: np.ndarray,
    index: np.ndarray,
    length: np.ndarray,
    strip: np.ndarray,
    tables: _Tables,
    threshold: float,
    sums: _Sums,
) -> None:
    forward, inverse, deviation, window = tables
    n, members = window.shape[0], index.shape[1]
    buffers = np.empty((3, n * n * members), y.dtype)
    theta, p, scratch = buffers[0], buffers[1], buffers[2]
    lanes = np.empty(members, np.int64)
    for group in range(strip[0], strip[1]):
        m = 1
        while 2 * m <= length[group]:
            m *= 2
        _reverse_bits(lanes[:m])
        used = n * n * m
        for channel in range(y.shape[0]):
            _load(y[channel], index[group, :m], lanes[:m], n, theta[:used])
            _analyse(theta[:used], forward, m, scratch[:used])
            if threshold >= 0:
                noise = _threshold(theta[:used], deviation[channel], threshold, m)
            else:
                _load(pilot[channel], index[group, :m], lanes[:m], n, p[:used])
                _analyse(p[:used], forward, m, scratch[:used])
                noise = _wiener(theta[:used], p[:used], deviation[channel], m)
            _synthesise(theta[:used], inverse, m, scratch[:used])
            _add(theta[:used], index[group, :m], lanes[:m], window, 1 / noise, sums[0][channel], sums[1][channel])


@kernel
def _reverse_bits(lanes: np.ndarray) -> None:
    """The permutation that reverses the bits of 0 … m − 1, m a power of two."""
    lanes[0] = 0
    half = 1
    while half < lanes.size:
        for k in range(half):
            lanes[k] *= 2
            lanes[k + half] = lanes[k] + 1
        half *= 2


@kernel
def _load(plane: np.ndarray, corners: np.ndarray, lanes: np.ndarray, n: int, stack: np.ndarray) -> None:
    m, width = lanes.size, plane.shape[1]
    for k in range(m):
        i, j = corners[k] // width, corners[k] % width
        at = lanes[k]
        for row in range(n):
            line = plane[i + row, j : j + n]
            for x in range(n):
                stack[at] = line[x]
                at += m


@kernel
def _analyse(stack: np.ndarray, forward: np.ndarray, m: int, scratch: np.ndarray) -> None:
    """The block transform, then Haar along the stack, in place."""
    n = forward.shape[0]
    _multiply(forward, stack, n * m, scratch)
    for i in range(n):
        _multiply(forward, scratch[i * n * m : (i + 1) * n * m], m, stack[i * n * m : (i + 1) * n * m])
    _haar(stack, m)


@kernel
def _synthesise(stack: np.ndarray, inverse: np.ndarray, m: int, scratch: np.ndarray) -> None:
    n = inverse.shape[0]
    _inverse_haar(stack, m)
    _multiply(inverse, stack, n * m, scratch)
    for i in range(n):
        _multiply(inverse, scratch[i * n * m : (i + 1) * n * m], m, stack[i * n * m : (i + 1) * n * m])


@kernel(fuse=True)
def _multiply(matrix: np.ndarray, x: np.ndarray, m: int, out: np.ndarray) -> None:
    """out = matrix · x, x and out being (n, m) row by row; four rows of x a sweep."""
    n = matrix.shape[0]
    for i in range(n):
        line = out[i * m : (i + 1) * m]
        for k in range(0, n - n % 4, 4):
            a, b, c, d = matrix[i, k], matrix[i, k + 1], matrix[i, k + 2], matrix[i, k + 3]
            p, q = x[k * m : (k + 1) * m], x[(k + 1) * m : (k + 2) * m]
            r, s = x[(k + 2) * m : (k + 3) * m], x[(k + 3) * m : (k + 4) * m]
            if k == 0:
                for t in range(m):
                    line[t] = (a * p[t] + b * q[t]) + (c * r[t] + d * s[t])
            else:
                for t in range(m):
                    line[t] += (a * p[t] + b * q[t]) + (c * r[t] + d * s[t])
        for k in range(n - n % 4, n):
            a, p = matrix[i, k], x[k * m : (k + 1) * m]
            if k == 0:
                for t in range(m):
                    line[t] = a * p[t]
            else:
                for t in range(m):
                    line[t] += a * p[t]


@kernel(fuse=True)
def _haar(stack: np.ndarray, m: int) -> None:
    r = stack.dtype.type(0.7071067811865476)
    for start in range(0, stack.size, m):
        half = m // 2
        while half:
            a, b = stack[start : start + half], stack[start + half : start + 2 * half]
            for t in range(half):
                s, d = r * (a[t] + b[t]), r * (a[t] - b[t])
                a[t] = s
                b[t] = d
            half //= 2


@kernel(fuse=True)
def _inverse_haar(stack: np.ndarray, m: int) -> None:
    r = stack.dtype.type(0.7071067811865476)
    for start in range(0, stack.size, m):
        half = 1
        while half < m:
            a, b = stack[start : start + half], stack[start + half : start + 2 * half]
            for t in range(half):
                s, d = r * (a[t] + b[t]), r * (a[t] - b[t])
                a[t] = s
                b[t] = d
            half *= 2


@kernel(fuse=True)
def _threshold(stack: np.ndarray, deviation: np.ndarray, threshold: float, m: int) -> float:
    """θ̂ in place; returns the variance of the noise that is left, or the least of one coefficient if none is kept.

    It is never zero.
    """
    noise, least = stack.dtype.type(0), deviation[0, 0] ** 2
    n = deviation.shape[0]
    for place in range(n * n):
        s = deviation[place // n, place % n]
        least = min(least, s**2)
        line = stack[place * m : (place + 1) * m]
        kept = 0
        for t in range(m):
            keep = abs(line[t]) >= threshold * s
            line[t] = line[t] if keep else 0
            kept += keep
        noise += kept * s**2
    return max(noise, least, stack.dtype.type(LEAST_NOISE))


@kernel(fuse=True, relax=("reassoc",))
def _wiener(stack: np.ndarray, pilot: np.ndarray, deviation: np.ndarray, m: int) -> float:
    noise, least = stack.dtype.type(0), deviation[0, 0] ** 2
    n = deviation.shape[0]
    for place in range(n * n):
        variance = deviation[place // n, place % n] ** 2
        least = min(least, variance)
        line, p = stack[place * m : (place + 1) * m], pilot[place * m : (place + 1) * m]
        kept = stack.dtype.type(0)
        for t in range(m):
            power = p[t] ** 2
            whole = power + variance
            gain = power / whole if whole > 0 else stack.dtype.type(1)  # 0/0: without noise all is kept
            line[t] *= gain
            kept += gain**2
        noise += kept * variance
    return max(noise, least, stack.dtype.type(LEAST_NOISE))


@kernel(fuse=True)
def _add(
    stack: np.ndarray,
    corners: np.ndarray,
    lanes: np.ndarray,
    window: np.ndarray,
    share: float,
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Add the blocks and their weights to the sums, where they come from."""
    n, m, width = window.shape[0], lanes.size, total.shape[1]
    for k in range(m):
        i, j = corners[k] // width, corners[k] % width
        at = lanes[k]
        for row in range(n):
            sums, weights, part = total[i + row, j : j + n], weight[i + row, j : j + n], window[row]
            for x in range(n):
                w = share * part[x]
                sums[x] += w * stack[at]
                weights[x] += w
                at += m
