"""Feature-sign search on the CPU: a signal at a time, with what it needs in cache, many threads over the signals.

Correlations are kept in the precision of the signals, the few coefficients of a support and the Cholesky factor of its
Gram matrix in double precision, so that the equations on a support are solved as well as G and b allow.
"""

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel

_BLOCK = 64  # signals a thread takes at a time
_LANES = 32  # correlations that are searched for their largest at a time


def feature_sign_cpu(
    G: Float[Tensor, "n n"], b: Float[Tensor, "s n"], lam: float, tolerance: float, most: int
) -> Float[Tensor, "s n"]:
    """Codes from G = DᵀD and the rows of YᵀD, with at most ``most`` atoms; float32 or float64."""
    out = np.zeros(b.shape, b.numpy().dtype)
    _signals(G.contiguous().numpy(), b.contiguous().numpy(), lam, tolerance, most, out)
    return torch.from_numpy(out)


@kernel(parallel=True)
def _signals(G: np.ndarray, b: np.ndarray, lam: float, tolerance: float, most: int, out: np.ndarray) -> None:
    count, n = b.shape
    blocks = (count + _BLOCK - 1) // _BLOCK
    for block in prange(blocks):
        L = np.empty((most, most), np.float64)
        lines = np.empty((5, most), np.float64)
        support = np.empty(most, np.int64)
        gradient = np.empty(n, G.dtype)
        for s in range(block * _BLOCK, min((block + 1) * _BLOCK, count)):
            size = _signal(G, b[s], lam, tolerance, L, lines, support, gradient)
            for i in range(size):
                out[s, support[i]] = lines[0, i]


@kernel
def _signal(
    G: np.ndarray,
    b: np.ndarray,
    lam: float,
    tolerance: float,
    L: np.ndarray,
    lines: np.ndarray,
    support: np.ndarray,
    gradient: np.ndarray,
) -> int:
    """Code one signal: put its coefficients a in lines[0], and return the size of its support."""
    a, theta, x = lines[0], lines[1], lines[2]
    gradient[:] = -b
    size, left = 0, 20 * a.size
    while size < a.size and left > 0:
        atom = _largest(gradient)
        if abs(gradient[atom]) <= lam + tolerance:
            break
        support[size], a[size], theta[size] = atom, 0.0, -np.sign(gradient[atom])
        size += 1
        _factor(G, support, size - 1, size, L)
        while size > 0 and left > 0:
            left -= 1
            _solve(L, b, support, lam, theta, size, x)
            if _agree(x, theta, size):
                a[:size] = x[:size]
                break
            if not _search(G, b, lam, support, lines, size):
                left = 0  # nothing falls any more: rounding decides
            kept = _drop_zeros(a, theta, support, size)
            first, size = kept // (a.size + 1), kept % (a.size + 1)
            _factor(G, support, first, size, L)
        gradient[:] = -b
        _add_rows(G, support, a, size, gradient)
        for i in range(size):
            gradient[support[i]] = 0
    return size


@kernel
def _agree(x: np.ndarray, theta: np.ndarray, size: int) -> bool:
    for i in range(size):
        if x[i] * theta[i] <= 0:
            return False
    return True


@kernel(fuse=True, relax=("nnan", "nsz", "reassoc"))
def _peak(line: np.ndarray) -> float:
    peak = line[0] * 0
    for j in range(line.size):
        peak = max(peak, abs(line[j]))
    return peak


@kernel
def _largest(gradient: np.ndarray) -> int:
    """The index of the largest absolute value."""
    best, start = _peak(gradient[:_LANES]), 0
    for first in range(_LANES, gradient.size, _LANES):
        peak = _peak(gradient[first : first + _LANES])
        if peak > best:
            best, start = peak, first
    for j in range(start, min(start + _LANES, gradient.size)):
        if abs(gradient[j]) == best:
            return j
    return start


@kernel
def _factor(G: np.ndarray, support: np.ndarray, first: int, size: int, L: np.ndarray) -> None:
    """Rows first … size − 1 of the Cholesky factor of G on the support."""
    least = 16 * np.finfo(G.dtype).eps  # then a support of dependent atoms moves along their null space
    for k in range(first, size):
        row = G[support[k]]
        pivot = float(row[support[k]])
        for i in range(k):
            total = float(row[support[i]])
            for j in range(i):
                total -= L[i, j] * L[k, j]
            L[k, i] = total / L[i, i]
            pivot -= L[k, i] * L[k, i]
        L[k, k] = np.sqrt(max(pivot, least))


@kernel
def _solve(
    L: np.ndarray, b: np.ndarray, support: np.ndarray, lam: float, theta: np.ndarray, size: int, x: np.ndarray
) -> None:
    """x with LLᵀx = b − λθ on the support."""
    for i in range(size):
        total = b[support[i]] - lam * theta[i]
        for j in range(i):
            total -= L[i, j] * x[j]
        x[i] = total / L[i, i]
    for i in range(size - 1, -1, -1):
        total = x[i]
        for j in range(i + 1, size):
            total -= L[j, i] * x[j]
        x[i] = total / L[i, i]


@kernel
def _search(G: np.ndarray, b: np.ndarray, lam: float, support: np.ndarray, lines: np.ndarray, size: int) -> bool:
    """Move a towards x, to x or where a coefficient changes its sign, whichever is lowest; whether a has moved."""
    a, x, d, places = lines[0], lines[2], lines[3], lines[4]
    slope, bend = 0.0, 0.0
    for i in range(size):
        d[i] = x[i] - a[i]
    for i in range(size):
        row, Ga, Gd = G[support[i]], 0.0, 0.0
        for j in range(size):
            Ga += row[support[j]] * a[j]
            Gd += row[support[j]] * d[j]
        slope += d[i] * (Ga - b[support[i]])
        bend += d[i] * Gd
        places[i] = -a[i] / d[i] if a[i] * x[i] < 0 else 1.0
    best, place = _length(a, d, 0.0, size) * lam, 0.0
    for i in range(size + 1):
        t = places[i] if i < size else 1.0
        value = t * slope + 0.5 * t * t * bend + lam * _length(a, d, t, size)
        if value < best:
            best, place = value, t
    for i in range(size):
        a[i] = 0.0 if places[i] == place and place < 1 else a[i] + place * d[i]
    return place > 0


@kernel
def _length(a: np.ndarray, d: np.ndarray, t: float, size: int) -> float:
    """‖a + td‖₁."""
    total = 0.0
    for i in range(size):
        total += abs(a[i] + t * d[i])
    return total


@kernel
def _drop_zeros(a: np.ndarray, theta: np.ndarray, support: np.ndarray, size: int) -> int:
    """Take zeros out of the support and set θ to the signs; first index changed times (most + 1), plus the size."""
    kept, first = 0, size
    for i in range(size):
        if a[i] == 0:
            first = min(first, kept)
            continue
        a[kept], support[kept], theta[kept] = a[i], support[i], np.sign(a[i])
        kept += 1
    return min(first, kept) * (a.size + 1) + kept


@kernel(fuse=True)
def _add_rows(G: np.ndarray, support: np.ndarray, a: np.ndarray, size: int, out: np.ndarray) -> None:
    """out += Σ_i a_i G[support_i]."""
    zero = out[0] * 0
    for i in range(0, size, 4):
        p, q = G[support[i]], G[support[min(i + 1, size - 1)]]
        r, s = G[support[min(i + 2, size - 1)]], G[support[min(i + 3, size - 1)]]
        f, g = zero + out.dtype.type(a[i]), zero
        h, k = zero, zero
        if i + 1 < size:
            g = out.dtype.type(a[i + 1])
        if i + 2 < size:
            h = out.dtype.type(a[i + 2])
        if i + 3 < size:
            k = out.dtype.type(a[i + 3])
        for j in range(out.size):
            out[j] += (f * p[j] + g * q[j]) + (h * r[j] + k * s[j])
