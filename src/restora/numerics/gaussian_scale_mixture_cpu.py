"""The CPU kernel of the Gaussian scale mixture: a row at a time, in pieces whose thirteen posteriors stay in cache."""

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.exponential import exp
from restora.core.kernels import kernel, parallel_from

_PIECE = 128  # coefficients worked on at once
_SERIAL = 1 << 12  # coefficients below which it is not worth waking other threads (about 1 ms)

_Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Whitening (k, n), log weights (z), halves of the gains (z, k), gains times the centre's shares (z, k)."""


def posterior_mean_cpu(
    band: Float[Tensor, "h w"],
    parent: Float[Tensor, "h w"] | None,
    window: int,
    mixture: tuple[Tensor, Tensor, Tensor, Tensor],
) -> Float[Tensor, "h w"]:
    """E[x_c | y] of a periodic band; ``mixture`` is whitening, log weights, gains, the centre's shares, in float64."""
    y = band.contiguous().numpy()
    above = np.empty((0, 0), y.dtype) if parent is None else parent.contiguous().numpy()
    whitening, log_weights, gains, centre = (array.numpy() for array in mixture)
    even = ((0, 0), (0, len(centre) % 2))  # the kernel takes coordinates in twos
    arrays = (
        np.ascontiguousarray(np.pad(whitening, even[::-1])).astype(y.dtype),
        log_weights.astype(y.dtype),
        np.pad(0.5 * gains, even).astype(y.dtype),
        np.pad(gains * centre, even).astype(y.dtype),
    )
    out = np.empty_like(y)
    _rows.sized(y.size)(y, above, window // 2, arrays, out)
    return torch.from_numpy(out)


@parallel_from(_SERIAL)
def _rows(y: np.ndarray, parent: np.ndarray, radius: int, mixture: _Arrays, out: np.ndarray) -> None:
    for i in prange(y.shape[0]):
        _row(y, parent, radius, mixture, i, out[i])


@kernel
def _row(y: np.ndarray, parent: np.ndarray, radius: int, mixture: _Arrays, i: int, out: np.ndarray) -> None:
    whitening, log_weights, halves, shares = mixture
    height, width = y.shape
    side = 2 * radius + 1
    lines = np.empty((side, width + 2 * radius), y.dtype)
    for k in range(side):
        _wrapped(y[(i + k - radius) % height], radius, lines[k])
    coordinates, samples = whitening.shape[0], log_weights.size
    v = np.empty((coordinates, _PIECE), y.dtype)
    squares = np.empty((coordinates, _PIECE), y.dtype)
    exponents = np.empty((samples, _PIECE), y.dtype)
    means = np.empty((samples, _PIECE), y.dtype)
    for left in range(0, width, _PIECE):
        n = min(_PIECE, width - left)
        for c in range(coordinates):
            _coordinate(lines, parent, i, left, whitening[c], v[c, :n], squares[c, :n])
        for z in range(samples):
            _combined(log_weights[z], halves[z], squares, exponents[z, :n])
            _combined(y.dtype.type(0), shares[z], v, means[z, :n])
        _average(exponents, means, out[left : left + n])


@kernel
def _wrapped(line: np.ndarray, radius: int, out: np.ndarray) -> None:
    width = line.size
    out[radius : radius + width] = line
    for j in range(radius):
        out[j] = line[(j - radius) % width]
        out[radius + width + j] = line[j % width]


@kernel(fuse=True)
def _coordinate(
    lines: np.ndarray, parent: np.ndarray, i: int, left: int, weights: np.ndarray, v: np.ndarray, squares: np.ndarray
) -> None:
    """v = Σ w·y over the neighbourhoods of a piece of a row, and v²."""
    n = v.size
    side = lines.shape[0]
    v[:] = 0
    for k in range(side):
        for j in range(side):
            w, a = weights[k * side + j], lines[k, left + j : left + j + n]
            for x in range(n):
                v[x] += w * a[x]
    if parent.size:
        w, a = weights[side * side], parent[i, left : left + n]
        for x in range(n):
            v[x] += w * a[x]
    for x in range(n):
        squares[x] = v[x] * v[x]


@kernel(fuse=True)
def _combined(start: float, weights: np.ndarray, terms: np.ndarray, out: np.ndarray) -> None:
    n = out.size
    out[:] = start
    for c in range(0, weights.size, 2):
        w, a, u, b = weights[c], terms[c, :n], weights[c + 1], terms[c + 1, :n]
        for x in range(n):
            out[x] += w * a[x] + u * b[x]


@kernel(fuse=True)
def _average(exponents: np.ndarray, means: np.ndarray, out: np.ndarray) -> None:
    """Σ p·mean over the samples of z, p ∝ exp(exponent)."""
    n = out.size
    largest = exponents[0, :n].copy()
    for z in range(1, exponents.shape[0]):
        row = exponents[z]
        for x in range(n):
            largest[x] = max(largest[x], row[x])
    total = np.zeros(n, out.dtype)
    out[:] = 0
    for z in range(exponents.shape[0]):
        row, mean = exponents[z], means[z]
        for x in range(n):
            p = exp(row[x] - largest[x])
            total[x] += p
            out[x] += p * mean[x]
    for x in range(n):
        out[x] /= total[x]
