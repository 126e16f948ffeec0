"""Isotropic, colour-coupled total variation TV(x) = Σ_ij |(Dx)_ij|, and the two half-steps of its primal-dual solvers.

|(Dx)_ij| is the Euclidean norm over the two forward differences of all channels, with the ``reflect`` border of
:mod:`restora.numerics.differences` (Neumann). Its conjugate is the indicator of |p_ij| <= 1.

The half-steps are memory-bound: written with whole-image operations they go through memory ten times. So CPU tensors
take Numba kernels that go through it once; all others, and those that carry gradients, take the Torch form of the
same equation. For denoising, :mod:`restora.numerics.rof` does whole iterations in one pass, in place.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.kernels import kernel, parallel_from
from restora.numerics.differences import divergence, gradient
from restora.numerics.prox import project_ball

_STRIP = 16  # rows a thread does in one go
SERIAL = 1 << 18  # numbers in an image up to which waking other threads costs more than it saves


def total_variation(x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """TV(x) of each image, summed in float64."""
    if not runs_on_cpu_kernels(x):
        return torch.linalg.vector_norm(gradient(x), dim=(1, 2)).sum(dim=(-2, -1), dtype=torch.float64)
    rows = np.empty((x.shape[0], x.shape[2]))
    _norms(_numpy(x), rows)
    return torch.from_numpy(rows.sum(1))


def ascend(
    p: Float[Tensor, "b 2 c h w"], x: Float[Tensor, "b c h w"], sigma: float, radius: float
) -> Float[Tensor, "b 2 c h w"]:
    """The projection of p + σDx on |p_ij| <= radius, the proximal step of the conjugate of radius·TV."""
    if not runs_on_cpu_kernels(p, x):
        return project_ball(p + sigma * gradient(x), radius, dim=(1, 2))
    out, number = np.empty(p.shape, _numpy(x).dtype), _numpy(x).dtype.type
    _ascend_images.sized(x.numel())(_numpy(p), _numpy(x), number(sigma), number(radius), out)
    return torch.from_numpy(out)


def descend(x: Float[Tensor, "b c h w"], p: Float[Tensor, "b 2 c h w"], tau: float) -> Float[Tensor, "b c h w"]:
    """x − τDᵀp = x + τ div p."""
    if not runs_on_cpu_kernels(p, x):
        return x + tau * divergence(p)
    out, number = np.empty(x.shape, _numpy(x).dtype), _numpy(x).dtype.type
    _descend_images.sized(x.numel())(_numpy(x), _numpy(p), number(tau), out)
    return torch.from_numpy(out)


@dataclass(frozen=True, slots=True)
class VariationRegulariser:
    """λTV as a :class:`restora.numerics.saddle.Regulariser`: K = D."""

    lam: float
    norm: float = math.sqrt(8)

    def start(self, u: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        return u, (u.new_zeros(u.shape[0], 2, *u.shape[1:]),)

    def ascend(self, p: tuple[Tensor, ...], x: Tensor, sigma: float) -> tuple[Tensor, ...]:
        return (ascend(p[0], x, sigma, self.lam),)

    def descend(self, x: Tensor, p: tuple[Tensor, ...], tau: float) -> Tensor:
        return descend(x, p[0], tau)

    def value(self, x: Tensor) -> Tensor:
        return self.lam * total_variation(x)


def fuses(x: Tensor) -> bool:
    """Whether the kernels that work in place (:mod:`restora.numerics.rof_cpu`) take such a tensor."""
    return runs_on_cpu_kernels(x) and x.is_contiguous()


def _numpy(x: Tensor) -> np.ndarray:
    return x.contiguous().numpy()


@parallel_from(SERIAL + 1)
def _ascend_images(p: np.ndarray, x: np.ndarray, sigma: float, radius: float, out: np.ndarray) -> None:
    b, _, h, _ = x.shape
    strips = (h + _STRIP - 1) // _STRIP
    for job in prange(b * strips):
        image, first = job // strips, job % strips * _STRIP
        _ascend(p[image], x[image], sigma, radius, first, min(first + _STRIP, h), out[image])


@kernel(fuse=True)
def _ascend(p: np.ndarray, x: np.ndarray, sigma: float, radius: float, first: int, last: int, out: np.ndarray) -> None:
    """Rows first … last − 1 of one image."""
    channels, _, w = x.shape
    line = np.empty((2 * channels + 1, w), p.dtype)
    for i in range(first, last):
        ascend_row(p, x, i, x, sigma, radius, line, out)


# No loop that reads and writes the same array becomes vector instructions, so the row goes through ``line``: then
# ``out`` may be p. Rows are taken by their number, since a slice across rows has strides that no compiler knows.
@kernel(fuse=True)
def ascend_row(
    p: np.ndarray,
    x: np.ndarray,
    i: int,
    below: np.ndarray,
    sigma: float,
    radius: float,
    line: np.ndarray,
    out: np.ndarray,
) -> None:
    """All channels of row i of p + σDx, projected while in cache; ``below`` and ``out`` may hold the one row needed."""
    k, o = min(i + 1, below.shape[1] - 1), min(i, out.shape[2] - 1)
    channels, w = x.shape[0], x.shape[2]
    norm = line[2 * channels]
    norm[:] = 0
    for c in range(channels):
        row, right, last = x[c, i], line[channels + c], p[1, c, i, w - 1]
        raise_row(p[0, c, i], row, below[c, k], sigma, line[c], norm)
        raise_row(p[1, c, i, : w - 1], row[: w - 1], row[1:], sigma, right[: w - 1], norm[: w - 1])
        right[w - 1] = last
        norm[w - 1] += last**2
    ball_factors(norm, radius)
    for c in range(channels):
        scale_row(line[c], norm, out[0, c, o])
        scale_row(line[channels + c], norm, out[1, c, o])


@kernel(fuse=True)
def ball_factors(norm: np.ndarray, radius: float) -> None:
    """Squared lengths become the factors that project on the ball of that radius; 0, not 0/0, where both are 0."""
    zero = norm.dtype.type(0)
    for j in range(norm.size):
        length = max(np.sqrt(norm[j]), radius)
        norm[j] = radius / length if length > 0 else zero


@kernel(fuse=True)
def raise_row(p: np.ndarray, x: np.ndarray, after: np.ndarray, sigma: float, out: np.ndarray, norm: np.ndarray) -> None:
    """out = p + σ(after − x), and its square added to ``norm``."""
    for j in range(p.size):
        value = p[j] + sigma * (after[j] - x[j])
        out[j] = value
        norm[j] += value * value


@kernel(fuse=True)
def scale_row(line: np.ndarray, factor: np.ndarray, out: np.ndarray) -> None:
    """Out = line · factor."""
    for j in range(out.size):
        out[j] = line[j] * factor[j]


@parallel_from(SERIAL + 1)
def _descend_images(x: np.ndarray, p: np.ndarray, tau: float, out: np.ndarray) -> None:
    b, _, h, _ = x.shape
    strips = (h + _STRIP - 1) // _STRIP
    for job in prange(b * strips):
        image, first = job // strips, job % strips * _STRIP
        _descend(x[image], p[image], tau, first, min(first + _STRIP, h), out[image])


@kernel(fuse=True)
def _descend(x: np.ndarray, p: np.ndarray, tau: float, first: int, last: int, out: np.ndarray) -> None:
    """Rows first … last − 1 of one image; the last row of p[0] and the last column of p[1] are no differences: 0."""
    channels, h, w = x.shape
    zero = np.zeros(w, p.dtype)
    for c in range(channels):
        for i in range(first, last):
            down = p[0, c, i] if i < h - 1 else zero
            above = p[0, c, i - 1] if i > 0 else zero
            lower_row(x[c, i], down, above, p[1, c, i], tau, out[c, i])


@kernel(fuse=True)
def lower_row(
    x: np.ndarray, down: np.ndarray, above: np.ndarray, right: np.ndarray, tau: float, out: np.ndarray
) -> None:
    """Out = x + τ(down − above + right − the right of the pixel to the left); the last right is no difference."""
    w = x.size
    for j in range(w):
        out[j] = x[j] + tau * (down[j] - above[j])
    for j in range(w - 1):
        out[j] += tau * right[j]
    for j in range(1, w):
        out[j] -= tau * right[j - 1]


@kernel(fuse=True)
def _norms(x: np.ndarray, out: np.ndarray) -> None:
    """Σ_j |(Dx)_ij| of each row i of each image."""
    b, channels, h, w = x.shape
    norm = np.empty(w, x.dtype)
    for image in range(b):
        for i in range(h):
            norm[:] = 0
            for c in range(channels):
                row, below = x[image, c, i], x[image, c, min(i + 1, h - 1)]
                for j in range(w):
                    norm[j] += (below[j] - row[j]) ** 2
                for j in range(w - 1):
                    norm[j] += (row[j + 1] - row[j]) ** 2
            total = 0.0
            for j in range(w):
                total += np.sqrt(norm[j])
            out[image, i] = total
