"""CPU kernel of an iteration for ½‖u − y‖² + TGV²(u): one pass for the duals, one for the image and its slopes."""

import numpy as np
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from
from restora.numerics.generalized_variation import GeneralizedVariation
from restora.numerics.pdhg import State
from restora.numerics.total_variation import SERIAL, ball_factors, scale_row

_STRIP = 16


def denoising_step(regulariser: GeneralizedVariation, y: Float[Tensor, "b c h w"], state: State) -> State:
    """:func:`restora.numerics.pdhg.step` for ½‖u − y‖² + TGV²(u), γ = 0, *in the memory of the state*.

    Contiguous CPU tensors of one dtype only (:func:`restora.numerics.total_variation.fuses`).
    (p, q) ← the projections of (p, q) + σK x̄;  (u, v)⁺ = (u, v) − τKᵀ(p, q), u⁺ ← (u⁺ + τy)/(1 + τ);  x̄ ← 2x⁺ − x.
    """
    b, channels, h, w = y.shape
    p, q = state.p
    x, x_bar = (field.numpy().reshape(b, 3, channels, h, w) for field in (state.x, state.x_bar))
    factors = np.array([state.sigma[0], state.tau, regulariser.alpha1, regulariser.alpha0], x.dtype)
    _images.sized(y.numel())(p.numpy(), q.numpy(), x, x_bar, y.numpy(), factors)
    return state


@parallel_from(SERIAL // 4 + 1)
def _images(p: np.ndarray, q: np.ndarray, x: np.ndarray, x_bar: np.ndarray, y: np.ndarray, factors: np.ndarray) -> None:
    b, _, h, _ = y.shape
    strips = (h + _STRIP - 1) // _STRIP
    for job in prange(b * strips):
        image, first = job // strips, job % strips * _STRIP
        _raise_rows(p[image], q[image], x_bar[image], factors, first, min(first + _STRIP, h))
    for job in prange(b * strips):
        image, first = job // strips, job % strips * _STRIP
        rows = (first, min(first + _STRIP, h))
        _lower_rows(p[image], q[image], x[image], x_bar[image], y[image], factors, rows)


@kernel(fuse=True)
def _raise_rows(p: np.ndarray, q: np.ndarray, x: np.ndarray, factors: np.ndarray, first: int, last: int) -> None:
    sigma, _, alpha1, alpha0 = factors
    channels, h, w = x.shape[1:]
    lines, norm = np.empty((3, channels, w), x.dtype), np.empty(w, x.dtype)
    zero = np.zeros(w, x.dtype)
    for i in range(first, last):
        norm[:] = 0
        for c in range(channels):
            u, v0, v1 = x[0, c, i], x[1, c, i], x[2, c, i]
            if i < h - 1:
                _slope(p[0, c, i], u, x[0, c, i + 1], v0, sigma, lines[0, c], norm)
            else:
                lines[0, c] = 0
            right = lines[1, c]
            _slope(p[1, c, i, : w - 1], u[: w - 1], u[1:], v1[: w - 1], sigma, right[: w - 1], norm[: w - 1])
            right[w - 1] = 0
        ball_factors(norm, alpha1)
        for c in range(channels):
            scale_row(lines[0, c], norm, p[0, c, i])
            scale_row(lines[1, c], norm, p[1, c, i])
        norm[:] = 0
        for c in range(channels):
            v0, v1 = x[1, c, i], x[2, c, i]
            above0, above1 = (x[1, c, i - 1], x[2, c, i - 1]) if i > 0 else (v0, v1)
            _bend(q[0, c, i], v0, above0, sigma, lines[0, c], norm)
            lines[1, c, 0] = q[1, c, i, 0]
            _bend(q[1, c, i, 1:], v1[1:], v1[: w - 1], sigma, lines[1, c, 1:], norm[1:])
            _shear(q[2, c, i], v0, v1, above1, sigma, lines[2, c], norm, zero)
        ball_factors(norm, alpha0)
        for c in range(channels):
            for k in range(3):
                scale_row(lines[k, c], norm, q[k, c, i])


@kernel(fuse=True)
def _slope(
    p: np.ndarray, u: np.ndarray, after: np.ndarray, v: np.ndarray, sigma: float, out: np.ndarray, norm: np.ndarray
) -> None:
    """out = p + σ(after − u − v)."""
    for j in range(u.size):
        value = p[j] + sigma * (after[j] - u[j] - v[j])
        out[j] = value
        norm[j] += value * value


@kernel(fuse=True)
def _bend(q: np.ndarray, v: np.ndarray, before: np.ndarray, sigma: float, out: np.ndarray, norm: np.ndarray) -> None:
    """out = q + σ(v − before)."""
    for j in range(v.size):
        value = q[j] + sigma * (v[j] - before[j])
        out[j] = value
        norm[j] += value * value


@kernel(fuse=True)
def _shear(
    q: np.ndarray,
    v0: np.ndarray,
    v1: np.ndarray,
    above1: np.ndarray,
    sigma: float,
    out: np.ndarray,
    norm: np.ndarray,
    line: np.ndarray,
) -> None:
    """out = q + σ½(∂₁v₀ + ∂₀v₁), which counts twice; ``line`` has the first difference, 0 in its first entry."""
    w = v0.size
    for j in range(1, w):
        line[j] = v0[j] - v0[j - 1]
    half = sigma / 2
    for j in range(w):
        value = q[j] + half * (line[j] + v1[j] - above1[j])
        out[j] = value
        norm[j] += 2 * value * value


@kernel(fuse=True)
def _lower_rows(
    p: np.ndarray,
    q: np.ndarray,
    x: np.ndarray,
    x_bar: np.ndarray,
    y: np.ndarray,
    factors: np.ndarray,
    rows: tuple[int, int],
) -> None:
    _, tau, _, _ = factors
    channels, h, w = y.shape
    down, zero = np.empty(w, y.dtype), np.zeros(w, y.dtype)
    share = 1 / (1 + tau)
    for i in range(rows[0], rows[1]):
        for c in range(channels):
            above = p[0, c, i - 1] if i > 0 else zero
            _differ(p[0, c, i], above, p[1, c, i], down)
            _relax(down, y[c, i], tau, share, x[0, c, i], x_bar[0, c, i])
            below00, below01 = (q[0, c, i + 1], q[2, c, i + 1]) if i < h - 1 else (zero, zero)
            here00, here01 = (q[0, c, i], q[2, c, i]) if i > 0 else (zero, zero)
            _bent(p[0, c, i], here00, below00, q[2, c, i], down)
            _move(down, tau, x[1, c, i], x_bar[1, c, i])
            _bent(p[1, c, i], here01, below01, q[1, c, i], down)
            _move(down, tau, x[2, c, i], x_bar[2, c, i])


@kernel(fuse=True)
def _differ(p0: np.ndarray, above: np.ndarray, p1: np.ndarray, out: np.ndarray) -> None:
    """div p; p₁ of the last column is 0."""
    for j in range(out.size):
        out[j] = p0[j] - above[j] + p1[j]
    for j in range(1, out.size):
        out[j] -= p1[j - 1]


@kernel(fuse=True)
def _bent(p: np.ndarray, here: np.ndarray, below: np.ndarray, across: np.ndarray, out: np.ndarray) -> None:
    """p − ∂ᵀ(down) − ∂ᵀ(across)."""
    w = out.size
    for j in range(w):
        out[j] = p[j] - here[j] + below[j]
    for j in range(1, w):
        out[j] -= across[j]
    for j in range(w - 1):
        out[j] += across[j + 1]


@kernel(fuse=True)
def _relax(step: np.ndarray, y: np.ndarray, tau: float, share: float, x: np.ndarray, x_bar: np.ndarray) -> None:
    for j in range(x.size):
        new = (x[j] + tau * (step[j] + y[j])) * share
        x_bar[j] = 2 * new - x[j]
        x[j] = new


@kernel(fuse=True)
def _move(step: np.ndarray, tau: float, x: np.ndarray, x_bar: np.ndarray) -> None:
    for j in range(x.size):
        new = x[j] + tau * step[j]
        x_bar[j] = 2 * new - x[j]
        x[j] = new
