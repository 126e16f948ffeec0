"""Isotropic, colour-coupled total variation TV(x) = Σ_ij |(Dx)_ij|, and the two half-steps every primal-dual solver of it takes.

|(Dx)_ij| is the Euclidean norm over the two forward differences of all channels, with the ``reflect`` border of
:mod:`restora.numerics.differences` (Neumann). Its conjugate is the indicator of |p_ij| <= 1.

The half-steps are memory-bound: written with whole-image operations they go through memory ten times. So CPU tensors take
Numba kernels that go through it once; all others, and those that carry gradients, take the Torch form of the same equation.
"""

from typing import no_type_check

import numpy as np
import torch
from jaxtyping import Float
from numba import njit, prange
from torch import Tensor

from restora.numerics.differences import divergence, gradient
from restora.numerics.prox import project_ball

_STRIP = 16  # rows a thread does in one go


def total_variation(x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """TV(x) of each image, summed in float64."""
    if not _native(x):
        return torch.linalg.vector_norm(gradient(x), dim=(1, 2)).sum(dim=(-2, -1), dtype=torch.float64)
    rows = np.empty((x.shape[0], x.shape[2]))
    _norms(x.contiguous().numpy(), rows)
    return torch.from_numpy(rows.sum(1))


def ascend(
    p: Float[Tensor, "b 2 c h w"], x: Float[Tensor, "b c h w"], sigma: float, radius: float
) -> Float[Tensor, "b 2 c h w"]:
    """The projection of p + σDx on |p_ij| <= radius, the proximal step of the conjugate of radius·TV."""
    if not (_native(p) and _native(x)):
        return project_ball(p + sigma * gradient(x), radius, dim=(1, 2))
    p, x = p.contiguous().numpy(), x.contiguous().numpy()
    out = np.empty_like(p)
    _ascend(p, x, p.dtype.type(sigma), p.dtype.type(radius), out)
    return torch.from_numpy(out)


def descend(
    x: Float[Tensor, "b c h w"], p: Float[Tensor, "b 2 c h w"], tau: float
) -> Float[Tensor, "b c h w"]:
    """x − τDᵀp = x + τ div p."""
    if not (_native(p) and _native(x)):
        return x + tau * divergence(p)
    p, x = p.contiguous().numpy(), x.contiguous().numpy()
    out = np.empty_like(x)
    _descend(x, p, p.dtype.type(tau), out)
    return torch.from_numpy(out)


def _native(x: Tensor) -> bool:
    return x.device.type == "cpu" and not x.requires_grad and x.dtype in (torch.float32, torch.float64)


@njit(parallel=True, error_model="numpy", cache=True)
@no_type_check
def _ascend(p, x, sigma, radius, out):
    b, c, h, w = x.shape
    strips = (h + _STRIP - 1) // _STRIP
    for job in prange(b * strips):
        image, first = job // strips, job % strips * _STRIP
        norm = np.empty(w, p.dtype)
        for i in range(first, min(first + _STRIP, h)):
            norm[:] = 0
            for channel in range(c):
                row = x[image, channel, i]
                below = x[image, channel, min(i + 1, h - 1)]
                _raise(p[image, 0, channel, i], row, below, sigma, out[image, 0, channel, i], norm)
                _raise(p[image, 1, channel, i, : w - 1], row[: w - 1], row[1:], sigma, out[image, 1, channel, i, : w - 1], norm[: w - 1])
                last = p[image, 1, channel, i, w - 1]
                out[image, 1, channel, i, w - 1] = last
                norm[w - 1] += last * last
            for j in range(w):
                norm[j] = radius / max(np.sqrt(norm[j]), radius)
            for d in range(2):
                for channel in range(c):
                    _scale(out[image, d, channel, i], norm)


@njit(fastmath={"contract"}, error_model="numpy", cache=True)
@no_type_check
def _raise(p, x, after, sigma, out, norm):
    """out = p + σ(after − x), and its square added to ``norm``."""
    for j in range(p.size):
        value = p[j] + sigma * (after[j] - x[j])
        out[j] = value
        norm[j] += value * value


@njit(fastmath={"contract"}, error_model="numpy", cache=True)
@no_type_check
def _scale(out, factor):
    for j in range(out.size):
        out[j] *= factor[j]


@njit(parallel=True, error_model="numpy", cache=True)
@no_type_check
def _descend(x, p, tau, out):
    b, c, h, w = x.shape
    strips = (h + _STRIP - 1) // _STRIP
    for job in prange(b * c * strips):
        image, channel, first = job // (c * strips), job // strips % c, job % strips * _STRIP
        zero = np.zeros(w, p.dtype)
        for i in range(first, min(first + _STRIP, h)):
            down, right = p[image, 0, channel, i], p[image, 1, channel, i]
            above = p[image, 0, channel, i - 1] if i > 0 else zero
            _lower(x[image, channel, i], down if i < h - 1 else zero, above, right, tau, out[image, channel, i])


@njit(fastmath={"contract"}, error_model="numpy", cache=True)
@no_type_check
def _lower(x, down, above, right, tau, out):
    """out = x + τ(down − above + right − its left neighbour); the last ``right`` is no difference and counts as 0."""
    w = x.size
    for j in range(w):
        out[j] = x[j] + tau * (down[j] - above[j])
    for j in range(w - 1):
        out[j] += tau * right[j]
    for j in range(1, w):
        out[j] -= tau * right[j - 1]


@njit(parallel=True, error_model="numpy", cache=True)
@no_type_check
def _norms(x, out):
    """Σ_j |(Dx)_ij| of each row i of each image."""
    b, c, h, w = x.shape
    for job in prange(b * h):
        image, i = job // h, job % h
        norm = np.zeros(w, x.dtype)
        for channel in range(c):
            row, below = x[image, channel, i], x[image, channel, min(i + 1, h - 1)]
            for j in range(w):
                norm[j] += (below[j] - row[j]) ** 2
            for j in range(w - 1):
                norm[j] += (row[j + 1] - row[j]) ** 2
        total = 0.0
        for j in range(w):
            total += np.sqrt(norm[j])
        out[image, i] = total
