"""CPU kernels of the iterations for ½‖x − y‖² + λTV(x): each goes through memory once, in place, row by row.

Tensors are contiguous, of one dtype, and need no gradient (:func:`restora.numerics.total_variation.fuses`). What a
strip of rows needs of its neighbours is worked out before any of them changes, so that threads do not change a result.
"""

import numpy as np
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from
from restora.numerics.total_variation import SERIAL, ascend_row, ball_factors, lower_row, raise_row

_TALL = 64  # rows of a strip


def primal_dual_step(
    p: Float[Tensor, "b 2 c h w"],
    x: Float[Tensor, "b c h w"],
    x_bar: Float[Tensor, "b c h w"],
    y: Float[Tensor, "b c h w"],
    *,
    sigma: float,
    tau: float,
    theta: float,
    radius: float,
) -> None:
    """One iteration for ½‖x − y‖² + radius·TV(x), *in place* on contiguous CPU tensors p, x and x̄ of one dtype.

    p ← the projection of p + σDx̄ on |p_ij| <= radius; x⁺ = (x − τDᵀp + τy)/(1 + τ); x̄ ← x⁺ + θ(x⁺ − x); x ← x⁺. Row
    by row, so that each number is read and written once.
    """
    number = x.numpy().dtype.type
    factors = np.array([sigma, tau, theta, radius], number)
    tall = _TALL if _primal_dual_images.is_parallel(x.numel()) else x.shape[2]
    _primal_dual_images.sized(x.numel())(p.numpy(), x.numpy(), x_bar.numpy(), y.numpy(), factors, tall)


def dual_step(
    p: Float[Tensor, "b 2 c h w"],
    q: Float[Tensor, "b 2 c h w"],
    y: Float[Tensor, "b c h w"],
    *,
    tau: float,
    momentum: float,
    radius: float,
) -> None:
    """A projected gradient step of the dual from q, with u = y + div q; *in place* on p and q.

    p⁺ is the projection of q + τDu on |p_ij| <= radius;  q ← p⁺ + momentum·(p⁺ − p);  p ← p⁺.
    """
    _dual_of(p, q, y, (tau, momentum, radius), implicit=False)


def semi_implicit_step(
    p: Float[Tensor, "b 2 c h w"], y: Float[Tensor, "b c h w"], *, tau: float, radius: float
) -> None:
    """p ← (p + τDu)/(1 + τ|Du|/radius) with u = y + div p, *in place*."""
    _dual_of(p, p, y, (tau, 0.0, radius), implicit=True)


def _dual_of(p: Tensor, q: Tensor, y: Tensor, factors: tuple[float, float, float], *, implicit: bool) -> None:
    arrays = (p.numpy(), q.numpy(), y.numpy())
    tall = _TALL if _dual_images.is_parallel(y.numel()) else y.shape[2]
    _dual_images.sized(y.numel())(*arrays, np.array(factors, y.numpy().dtype), implicit, tall)


@parallel_from(SERIAL + 1)
def _primal_dual_images(
    p: np.ndarray, x: np.ndarray, x_bar: np.ndarray, y: np.ndarray, factors: np.ndarray, tall: int
) -> None:
    b, channels, h, w = x.shape
    strips = (h + tall - 1) // tall
    above = np.zeros((b * strips, 2, channels, 1, w), x.dtype)
    below = np.empty((b * strips, channels, 1, w), x.dtype)
    for job in prange(b * strips):
        image, first = job // strips, job % strips * tall
        below[job, :, 0] = x_bar[image, :, min(first + tall, h - 1)]
        if first > 0:
            line = np.empty((2 * channels + 1, w), x.dtype)
            ascend_row(p[image], x_bar[image], first - 1, x_bar[image], factors[0], factors[3], line, above[job])
    for job in prange(b * strips):
        image, first = job // strips, job % strips * tall
        last = min(first + tall, h)
        _primal_dual(p[image], x[image], x_bar[image], y[image], factors, (first, last), above[job], below[job])


@kernel(fuse=True)
def _primal_dual(
    p: np.ndarray,
    x: np.ndarray,
    x_bar: np.ndarray,
    y: np.ndarray,
    factors: np.ndarray,
    rows: tuple[int, int],
    above: np.ndarray,
    below: np.ndarray,
) -> None:
    """The rows from the first to before the second of one image.

    ``above`` is the new p of the row before them, ``below`` the old x̄ of the row after.
    """
    channels, h, w = x.shape
    first, last = rows
    sigma, tau, theta, radius = factors
    line, v, zero = np.empty((2 * channels + 1, w), x.dtype), np.empty(w, x.dtype), np.zeros(w, x.dtype)
    for i in range(first, last):
        if i < last - 1:
            ascend_row(p, x_bar, i, x_bar, sigma, radius, line, p)
        else:
            ascend_row(p, x_bar, i, below, sigma, radius, line, p)
        for c in range(channels):
            down = p[0, c, i] if i < h - 1 else zero
            before = p[0, c, i - 1] if i > first else above[0, c, 0]
            lower_row(x[c, i], down, before, p[1, c, i], tau, v)
            _relax(v, y[c, i], tau, theta, x[c, i], x_bar[c, i])


@kernel(fuse=True)
def _relax(v: np.ndarray, y: np.ndarray, tau: float, theta: float, x: np.ndarray, x_bar: np.ndarray) -> None:
    """x⁺ = (v + τy)/(1 + τ), and x̄ from it and the old x."""
    share = 1 / (1 + tau)
    for j in range(v.size):
        new = (v[j] + tau * y[j]) * share
        x_bar[j] = new + theta * (new - x[j])
        x[j] = new


@parallel_from(SERIAL + 1)
def _dual_images(p: np.ndarray, q: np.ndarray, y: np.ndarray, factors: np.ndarray, implicit: bool, tall: int) -> None:
    b, channels, h, w = y.shape
    strips = (h + tall - 1) // tall
    u = np.empty((b * strips + 1, channels, w), y.dtype)
    for job in prange(b * strips):
        image, first = job // strips, job % strips * tall
        _image_row(q[image], y[image], first, u[job])
    for job in prange(b * strips):
        image, first = job // strips, job % strips * tall
        rows = (first, min(first + tall, h))
        _dual(p[image], q[image], y[image], factors, implicit, rows, u[job], u[job + 1])


@kernel
def _image_row(q: np.ndarray, y: np.ndarray, i: int, out: np.ndarray) -> None:
    """Row i of u = y + div q, all channels."""
    channels, h, w = y.shape
    zero = np.zeros(w, y.dtype)
    for c in range(channels):
        down = q[0, c, i] if i < h - 1 else zero
        above = q[0, c, i - 1] if i > 0 else zero
        lower_row(y[c, i], down, above, q[1, c, i], y.dtype.type(1), out[c])


@kernel(fuse=True)
def _dual(
    p: np.ndarray,
    q: np.ndarray,
    y: np.ndarray,
    factors: np.ndarray,
    implicit: bool,
    rows: tuple[int, int],
    u_first: np.ndarray,
    u_below: np.ndarray,
) -> None:
    """The rows from the first to before the second of one image; the row of u after them is given."""
    channels, h, w = y.shape
    first, last = rows
    u, line = np.empty((2, channels, w), y.dtype), np.empty((2 * channels + 1, w), y.dtype)
    u[first % 2] = u_first
    for i in range(first, last):
        here, after = u[i % 2], u[(i + 1) % 2]
        if i + 1 < last:
            _image_row(q, y, i + 1, after)
        elif last < h:
            after[:] = u_below
        else:
            after[:] = here
        if implicit:
            _shrink_row(p, i, here, after, factors, line)
        else:
            _project_row(p, q, i, here, after, factors, line)


@kernel(fuse=True)
def _project_row(
    p: np.ndarray, q: np.ndarray, i: int, u: np.ndarray, below: np.ndarray, factors: np.ndarray, line: np.ndarray
) -> None:
    tau, momentum, radius = factors
    channels, w = u.shape
    norm = line[2 * channels]
    norm[:] = 0
    for c in range(channels):
        right = line[channels + c]
        raise_row(q[0, c, i], u[c], below[c], tau, line[c], norm)
        raise_row(q[1, c, i, : w - 1], u[c, : w - 1], u[c, 1:], tau, right[: w - 1], norm[: w - 1])
        right[w - 1] = 0
    ball_factors(norm, radius)
    for c in range(channels):
        _advance_row(line[c], norm, momentum, p[0, c, i], q[0, c, i])
        _advance_row(line[channels + c], norm, momentum, p[1, c, i], q[1, c, i])


@kernel(fuse=True)
def _advance_row(line: np.ndarray, factor: np.ndarray, momentum: float, p: np.ndarray, q: np.ndarray) -> None:
    for j in range(line.size):
        new = line[j] * factor[j]
        q[j] = new + momentum * (new - p[j])
        p[j] = new


@kernel(fuse=True)
def _shrink_row(p: np.ndarray, i: int, u: np.ndarray, below: np.ndarray, factors: np.ndarray, line: np.ndarray) -> None:
    tau, _, radius = factors
    channels, w = u.shape
    norm = line[2 * channels]
    norm[:] = 0
    for c in range(channels):
        right = line[channels + c]
        _slope_row(u[c], below[c], line[c], norm)
        _slope_row(u[c, : w - 1], u[c, 1:], right[: w - 1], norm[: w - 1])
        right[w - 1] = 0
    for j in range(w):
        whole = radius + tau * np.sqrt(norm[j])
        norm[j] = radius / whole if whole > 0 else norm.dtype.type(0)  # 0/0: the only p of a ball of radius 0 is 0
    for c in range(channels):
        _add_row(line[c], norm, tau, p[0, c, i])
        _add_row(line[channels + c], norm, tau, p[1, c, i])


@kernel(fuse=True)
def _slope_row(x: np.ndarray, after: np.ndarray, out: np.ndarray, norm: np.ndarray) -> None:
    for j in range(x.size):
        slope = after[j] - x[j]
        out[j] = slope
        norm[j] += slope * slope


@kernel(fuse=True)
def _add_row(slope: np.ndarray, factor: np.ndarray, tau: float, p: np.ndarray) -> None:
    for j in range(slope.size):
        p[j] = (p[j] + tau * slope[j]) * factor[j]
