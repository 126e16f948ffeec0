"""Batch-OMP on the CPU: a signal at a time, with what it needs in cache, many threads over the signals."""

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel

_BLOCK = 64  # signals a thread takes at a time


def batch_omp_cpu(
    G: Float[Tensor, "n n"], start: Float[Tensor, "b n"], energy: Float[Tensor, " b"], most: int, floor: float
) -> Float[Tensor, "b n"]:
    """Codes over unit atoms from G = DᵀD, the rows of YᵀD and ‖y‖²; at most K atoms, until the error <= floor."""
    out = np.zeros(start.shape, start.numpy().dtype)
    _signals(G.contiguous().numpy(), start.contiguous().numpy(), energy.contiguous().numpy(), most, floor, out)
    return torch.from_numpy(out)


@kernel(parallel=True)
def _signals(G: np.ndarray, start: np.ndarray, energy: np.ndarray, most: int, floor: float, out: np.ndarray) -> None:
    count, n = start.shape
    blocks = (count + _BLOCK - 1) // _BLOCK
    for block in prange(blocks):
        L = np.empty((most, most), G.dtype)
        lines = np.empty((3, most), G.dtype)
        support = np.empty(most, np.int64)
        alpha = np.empty(n, G.dtype)
        for s in range(block * _BLOCK, min((block + 1) * _BLOCK, count)):
            size = _signal(G, start[s], energy[s], floor, L, lines, support, alpha)
            for i in range(size):
                out[s, support[i]] = lines[1, i]


@kernel(fuse=True)
def _signal(
    G: np.ndarray,
    start: np.ndarray,
    energy: float,
    floor: float,
    L: np.ndarray,
    lines: np.ndarray,
    support: np.ndarray,
    alpha: np.ndarray,
) -> int:
    """Code one signal: put its coefficients γ in lines[1], and return the size of its support."""
    right, gamma, w = lines[0], lines[1], lines[2]
    alpha[:] = start
    size, eps = 0, 10 * np.finfo(G.dtype).eps
    while size < right.size and energy > floor:
        atom = _largest(alpha, support, size)
        if atom < 0:
            break
        row, pivot = G[atom], 1.0
        for i in range(size):
            total = row[support[i]]
            for j in range(i):
                total -= L[i, j] * w[j]
            w[i] = total / L[i, i]
            pivot -= w[i] * w[i]
        if pivot <= eps:  # within the span of the others
            break
        L[size, :size] = w[:size]
        L[size, size] = np.sqrt(pivot)
        support[size], right[size] = atom, start[atom]
        size += 1
        _solve(L, right, gamma, size)
        alpha[:] = start
        fitted = 0.0
        for i in range(size):
            _subtract(alpha, gamma[i], G[support[i]])
            fitted += gamma[i] * right[i]
        if energy - fitted <= floor:
            break
    return size


@kernel
def _largest(alpha: np.ndarray, support: np.ndarray, size: int) -> int:
    """The atom of largest |α| that is not chosen yet; −1 where all those are 0."""
    for i in range(size):
        alpha[support[i]] = 0
    best, atom = 0.0, -1
    for j in range(alpha.size):
        value = abs(alpha[j])
        if value > best:
            best, atom = value, j
    return atom


@kernel(fuse=True)
def _solve(L: np.ndarray, right: np.ndarray, gamma: np.ndarray, size: int) -> None:
    """γ with LLᵀγ = right."""
    for i in range(size):
        total = right[i]
        for j in range(i):
            total -= L[i, j] * gamma[j]
        gamma[i] = total / L[i, i]
    for i in range(size - 1, -1, -1):
        total = gamma[i]
        for j in range(i + 1, size):
            total -= L[j, i] * gamma[j]
        gamma[i] = total / L[i, i]


@kernel(fuse=True)
def _subtract(alpha: np.ndarray, factor: float, row: np.ndarray) -> None:
    for j in range(alpha.size):
        alpha[j] -= factor * row[j]
