"""Diffusion with a tensor: the stencils of div(D∇u) and of trace(D·Hess u), nine pixels each.

D is a field of planes (b, 3, h, w): a = D_xx, b = D_xy, c = D_yy (see
:mod:`restora.numerics.diffusion.structure_tensor`), the same for all channels. Every stencil is a sum of weighted
differences to the eight neighbours:

- ``central``: the axes have the weights ½(a + a_nb) and ½(c + c_nb), the corners ±¼(b of the two pixels between). It is
  the most isotropic one, but weights of corners may be negative, so that it may overshoot at edges.
- ``nonnegative``: Weickert's. The axes have the weights ½(a + a_nb − |b| − |b_nb|), the corners
  ¼(|b_nb| ± b_nb + |b| ± b). No weight is negative where the condition number of D is below 3 + 2√2.
- ``trace``: a ∂²u/∂x² + 2b ∂²u/∂x∂y + c ∂²u/∂y² with D of the pixel itself. It is no divergence, so that the mean is
  not preserved.

Beyond the border lies the mirror image of u, and so of D: b changes its sign. Thus nothing flows through the border.
With eigenvalues of D up to 1 explicit steps are stable for τ <= 1/4.

CPU tensors take a Numba kernel that goes through memory once a step, all others and those with gradients the Torch one.
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.kernels import kernel, parallel_from
from restora.numerics.diffusion.rows import SERIAL, as_array, strips_of
from restora.operators.boundaries import extend

DivergenceStencil = Literal["central", "nonnegative"]
"""Stencil of div(D∇u) or trace(D·Hess u) with nine pixels."""

Stencil = DivergenceStencil | Literal["trace"]

_CODES: dict[Stencil, int] = {"central": 0, "nonnegative": 1, "trace": 2}
_HALF, _QUARTER, _TWO = np.float32(0.5), np.float32(0.25), np.float32(2)  # exact in either precision

LIMIT = 0.25
"""The largest stable explicit step for eigenvalues of D up to 1."""


def tensor_step(
    u: Float[Tensor, "b c h w"], D: Float[Tensor, "b 3 h w"], step: float, stencil: Stencil = "central"
) -> Float[Tensor, "b c h w"]:
    """u + τ A(D)u."""
    return _combine(u, D, 1.0, step, stencil)


def tensor_velocity(
    u: Float[Tensor, "b c h w"], D: Float[Tensor, "b 3 h w"], stencil: Stencil = "central"
) -> Float[Tensor, "b c h w"]:
    """A(D)u, the change of u in a unit of time."""
    return _combine(u, D, 0.0, 1.0, stencil)


def _combine(u: Tensor, D: Tensor, keep: float, step: float, stencil: Stencil) -> Tensor:
    """keep·u + τ A(D)u."""
    if not runs_on_cpu_kernels(u, D):
        return keep * u + step * _apply(u, D, stencil)
    out, number = np.empty(u.shape, as_array(u).dtype), as_array(u).dtype.type
    _tensor.sized(u.numel())(as_array(u), as_array(D), number(keep), number(step), _CODES[stencil], strips_of(u), out)
    return torch.from_numpy(out)


def _apply(u: Tensor, D: Tensor, stencil: Stencil) -> Tensor:
    def at(x: Tensor, i: int, j: int) -> Tensor:
        return x[..., 1 + i : x.shape[-2] - 1 + i, 1 + j : x.shape[-1] - 1 + j]

    U = extend(u, (1, 1), (1, 1), "reflect")
    a, b, c = (plane[:, None] for plane in extend(D, (1, 1), (1, 1), "reflect").unbind(1))
    b = b * _mirrored_signs(b)
    axes, corners = torch.zeros_like(u), torch.zeros_like(u)
    for s in (-1, 1):
        wx, wy = at(a, 0, s) + at(a, 0, 0), at(c, s, 0) + at(c, 0, 0)
        same, other = at(b, 0, s) + at(b, s, 0), -at(b, 0, s) - at(b, -s, 0)  # of (s, s) and of (−s, s)
        if stencil == "nonnegative":
            wx = wx - at(b, 0, s).abs() - at(b, 0, 0).abs()
            wy = wy - at(b, s, 0).abs() - at(b, 0, 0).abs()
            same = 2 * (at(b, s, s).clamp_min(0) + at(b, 0, 0).clamp_min(0))
            other = 2 * ((-at(b, -s, s)).clamp_min(0) + (-at(b, 0, 0)).clamp_min(0))
        elif stencil == "trace":
            wx, wy, same, other = 2 * at(a, 0, 0), 2 * at(c, 0, 0), 2 * at(b, 0, 0), -2 * at(b, 0, 0)
        axes = axes + wx * (at(U, 0, s) - u) + wy * (at(U, s, 0) - u)
        corners = corners + same * (at(U, s, s) - u) + other * (at(U, -s, s) - u)
    return axes / 2 + corners / 4


def _mirrored_signs(b: Tensor) -> Tensor:
    """1 inside, −1 on the margin of one pixel, 1 in its corners, which are mirrored twice."""
    rows, columns = (torch.ones(n, dtype=b.dtype, device=b.device) for n in b.shape[-2:])
    for line in (rows, columns):
        line[0] = line[-1] = -1
    return rows[:, None] * columns


@parallel_from(SERIAL + 1)
def _tensor(
    u: np.ndarray, D: np.ndarray, keep: float, step: float, stencil: int, strips: np.ndarray, out: np.ndarray
) -> None:
    for k in prange(len(strips)):
        _tensor_rows(u, D, keep, step, stencil, strips[k], out)


@kernel(fuse=True)
def _tensor_rows(
    u: np.ndarray, D: np.ndarray, keep: float, step: float, stencil: int, strip: np.ndarray, out: np.ndarray
) -> None:
    """Rows of u and D go, extended by a pixel on each side, into three lines that take turns and stay in cache."""
    image, first, last = strip
    _, channels, _, w = u.shape
    lines = np.empty((3, 3 + channels, w + 2), u.dtype)
    _load(u[image], D[image], first - 1, lines[(first + 2) % 3])
    _load(u[image], D[image], first, lines[first % 3])
    for i in range(first, last):
        _load(u[image], D[image], i + 1, lines[(i + 1) % 3])
        above, here, below = lines[(i + 2) % 3], lines[i % 3], lines[(i + 1) % 3]
        for c in range(channels):
            if stencil == 0:
                _central(above, here, below, 3 + c, keep, step, out[image, c, i])
            elif stencil == 1:
                _nonnegative(above, here, below, 3 + c, keep, step, out[image, c, i])
            else:
                _trace(above, here, below, 3 + c, keep, step, out[image, c, i])


@kernel
def _load(u: np.ndarray, D: np.ndarray, i: int, line: np.ndarray) -> None:
    """Row i of a, b, c and all channels; rows −1 and h are mirror images."""
    channels, h, w = u.shape
    k = min(max(i, 0), h - 1)
    for plane in range(3):
        _extend(D[plane, k], line[plane])
    for c in range(channels):
        _extend(u[c, k], line[3 + c])
    b = line[1]
    b[0], b[w + 1] = -b[0], -b[w + 1]
    if k != i:
        for j in range(w + 2):
            b[j] = -b[j]


@kernel
def _extend(row: np.ndarray, out: np.ndarray) -> None:
    n = row.size
    inner = out[1 : n + 1]
    for j in range(n):
        inner[j] = row[j]
    out[0], out[n + 1] = row[0], row[n - 1]


@kernel(fuse=True)
def _central(
    above: np.ndarray, here: np.ndarray, below: np.ndarray, plane: int, keep: float, step: float, out: np.ndarray
) -> None:
    a, b, north_b, south_b = here[0], here[1], above[1], below[1]
    c, north_c, south_c = here[2], above[2], below[2]
    north, u, south = above[plane], here[plane], below[plane]
    half, quarter = step * _HALF, step * _QUARTER
    for j in range(out.size):
        x = u[j + 1]
        across = (a[j] + a[j + 1]) * (u[j] - x) + (a[j + 2] + a[j + 1]) * (u[j + 2] - x)
        down = (north_c[j + 1] + c[j + 1]) * (north[j + 1] - x) + (south_c[j + 1] + c[j + 1]) * (south[j + 1] - x)
        rising = (b[j] + north_b[j + 1]) * (north[j] - x) + (b[j + 2] + south_b[j + 1]) * (south[j + 2] - x)
        falling = (b[j + 2] + north_b[j + 1]) * (north[j + 2] - x) + (b[j] + south_b[j + 1]) * (south[j] - x)
        out[j] = keep * x + half * (across + down) + quarter * (rising - falling)


@kernel(fuse=True)
def _nonnegative(
    above: np.ndarray, here: np.ndarray, below: np.ndarray, plane: int, keep: float, step: float, out: np.ndarray
) -> None:
    a, b, north_b, south_b = here[0], here[1], above[1], below[1]
    c, north_c, south_c = here[2], above[2], below[2]
    north, u, south = above[plane], here[plane], below[plane]
    half, zero = step * _HALF, np.float32(0)
    for j in range(out.size):
        x, size = u[j + 1], abs(b[j + 1])
        up, fall = max(b[j + 1], zero), max(-b[j + 1], zero)
        west, east = a[j] + a[j + 1] - abs(b[j]) - size, a[j + 2] + a[j + 1] - abs(b[j + 2]) - size
        top = north_c[j + 1] + c[j + 1] - abs(north_b[j + 1]) - size
        bottom = south_c[j + 1] + c[j + 1] - abs(south_b[j + 1]) - size
        across = west * (u[j] - x) + east * (u[j + 2] - x)
        down = top * (north[j + 1] - x) + bottom * (south[j + 1] - x)
        rising = (max(north_b[j], zero) + up) * (north[j] - x) + (max(south_b[j + 2], zero) + up) * (south[j + 2] - x)
        falling = (max(-north_b[j + 2], zero) + fall) * (north[j + 2] - x)
        falling += (max(-south_b[j], zero) + fall) * (south[j] - x)
        out[j] = keep * x + half * (across + down + rising + falling)


@kernel(fuse=True)
def _trace(
    above: np.ndarray, here: np.ndarray, below: np.ndarray, plane: int, keep: float, step: float, out: np.ndarray
) -> None:
    a, b, c = here[0], here[1], here[2]
    north, u, south = above[plane], here[plane], below[plane]
    for j in range(out.size):
        x = u[j + 1]
        bend = a[j + 1] * ((u[j] - x) + (u[j + 2] - x)) + c[j + 1] * ((north[j + 1] - x) + (south[j + 1] - x))
        twist = b[j + 1] * ((north[j] + south[j + 2]) - (north[j + 2] + south[j]))
        out[j] = keep * x + step * (bend + _HALF * twist)
