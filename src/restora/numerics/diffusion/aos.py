"""Additive operator splitting: a step of scalar diffusion that is stable for every τ.

    u⁺ = ½ [(I − 2τ A_x)⁻¹ + (I − 2τ A_y)⁻¹] u,    A_x u = ∂_x(g ∂_x u), A_y u = ∂_y(g ∂_y u),

with g at a face the mean of its two pixels and no flux through the border. Every line of pixels is a tridiagonal
system. The step satisfies the maximum principle and preserves the mean of the image.

On CPU tensors a Numba kernel eliminates 16 lines side by side (Thomas' algorithm), for rows and columns alike; all
other tensors and those with gradients take parallel cyclic reduction, which solves all lines at once in log₂ n sweeps.

J. Weickert, B. M. ter Haar Romeny, M. A. Viergever, "Efficient and reliable schemes for nonlinear diffusion filtering",
IEEE Transactions on Image Processing 7(3), 1998, doi:10.1109/83.661190.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor
from torch.nn.functional import pad

from restora.core.backend import runs_on_cpu_kernels
from restora.core.kernels import kernel, parallel_from
from restora.numerics.diffusion.rows import SERIAL, as_array

_LANES = 16  # lines eliminated side by side: two vector registers of float32
_ONE, _HALF = np.float32(1), np.float32(0.5)  # exact in either precision


def aos_step(u: Float[Tensor, "b c h w"], g: Float[Tensor, "b 1 h w"], step: float) -> Float[Tensor, "b c h w"]:
    """The step above; ``step`` is τ > 0, g >= 0 the conductance of all channels."""
    if not runs_on_cpu_kernels(u, g):
        return (_implicit(u, g, step, -1) + _implicit(u, g, step, -2)) / 2
    out = np.empty(u.shape, as_array(u).dtype)
    _aos.sized(u.numel())(as_array(u), as_array(g), out.dtype.type(step), out)
    return torch.from_numpy(out)


def aos_reach(step: float, tolerance: float = 1e-7) -> int:
    """Pixels in which the impulse response where g = 1 falls to ``tolerance`` of its peak.

    It falls as qᵏ with q = (1 + 2m − √(1 + 4m))/2m, m = 2τ.
    """
    m = 2 * step
    return math.ceil(math.log(tolerance) / math.log((1 + 2 * m - math.sqrt(1 + 4 * m)) / (2 * m)))


def _implicit(u: Tensor, g: Tensor, step: float, dim: int) -> Tensor:
    """(I − 2τ A)⁻¹u along one dimension by parallel cyclic reduction.

    Each sweep takes from every equation −a x[i−s] + b x[i] − c x[i+s] = d its two neighbours, times what makes their
    middle terms cancel; s doubles until no neighbour is left.
    """
    d, g = u.movedim(dim, -1), g.movedim(dim, -1)
    n = d.shape[-1]
    faces = step * (g[..., 1:] + g[..., :-1])
    a, c = pad(faces, (1, 0)), pad(faces, (0, 1))
    b = 1 + a + c
    s = 1
    while s < n:
        before, after = a / _shifted(b, s, 1.0), c / _shifted(b, -s, 1.0)
        d = d + before * _shifted(d, s) + after * _shifted(d, -s)
        b = b - before * _shifted(c, s) - after * _shifted(a, -s)
        a, c = before * _shifted(a, s), after * _shifted(c, -s)
        s *= 2
    return (d / b).movedim(-1, dim)


def _shifted(x: Tensor, s: int, beyond: float = 0.0) -> Tensor:
    """x[i − s], and ``beyond`` where there is none."""
    return pad(x[..., :-s], (s, 0), value=beyond) if s > 0 else pad(x[..., -s:], (0, -s), value=beyond)


@parallel_from(SERIAL + 1)
def _aos(u: np.ndarray, g: np.ndarray, step: float, out: np.ndarray) -> None:
    b, _, h, w = u.shape
    down, across = b * ((w + _LANES - 1) // _LANES), b * ((h + _LANES - 1) // _LANES)
    for job in prange(down):
        _lines(u, g, step, False, job, out)
    for job in prange(across):
        _lines(u, g, step, True, job, out)


@kernel(fuse=True)
def _lines(u: np.ndarray, g: np.ndarray, step: float, rows: bool, job: int, out: np.ndarray) -> None:
    """Up to 16 columns, or rows, of one image: half their solution put into, or added to, ``out``."""
    _, channels, h, w = u.shape
    n, m = (w, h) if rows else (h, w)
    groups = (m + _LANES - 1) // _LANES
    image, first = job // groups, job % groups * _LANES
    x, face, l, inverse = np.zeros((4, n, _LANES), u.dtype)
    _gather(g[image, 0], rows, first, x)
    _eliminate(x, step, face, l, inverse)
    for c in range(channels):
        _gather(u[image, c], rows, first, x)
        _substitute(face, l, inverse, x)
        _scatter(x, rows, first, out[image, c])


@kernel
def _gather(plane: np.ndarray, rows: bool, first: int, x: np.ndarray) -> None:
    h, w = plane.shape
    if rows:
        for k in range(min(_LANES, h - first)):
            for i in range(w):
                x[i, k] = plane[first + k, i]
    else:
        for i in range(h):
            for k in range(min(_LANES, w - first)):
                x[i, k] = plane[i, first + k]


@kernel
def _scatter(x: np.ndarray, rows: bool, first: int, out: np.ndarray) -> None:
    h, w = out.shape
    if rows:
        for k in range(min(_LANES, h - first)):
            for i in range(w):
                out[first + k, i] += _HALF * x[i, k]
    else:
        for i in range(h):
            for k in range(min(_LANES, w - first)):
                out[i, first + k] = _HALF * x[i, k]


@kernel(fuse=True)
def _eliminate(g: np.ndarray, step: float, face: np.ndarray, l: np.ndarray, inverse: np.ndarray) -> None:
    """I − 2τ A = L U: ``face`` = −(the upper diagonal), l = −(the lower one of L), ``inverse`` = 1/(diagonal of U)."""
    n = g.shape[0]
    for i in range(n):
        for k in range(_LANES):
            before = face[i - 1, k] if i > 0 else np.float32(0)
            face[i, k] = step * (g[i, k] + g[i + 1, k]) if i < n - 1 else np.float32(0)
            l[i, k] = before * inverse[i - 1, k] if i > 0 else np.float32(0)
            inverse[i, k] = _ONE / (_ONE + before + face[i, k] - l[i, k] * before)


@kernel(fuse=True)
def _substitute(face: np.ndarray, l: np.ndarray, inverse: np.ndarray, x: np.ndarray) -> None:
    n = x.shape[0]
    for i in range(1, n):
        for k in range(_LANES):
            x[i, k] += l[i, k] * x[i - 1, k]
    for k in range(_LANES):
        x[n - 1, k] *= inverse[n - 1, k]
    for i in range(n - 2, -1, -1):
        for k in range(_LANES):
            x[i, k] = (x[i, k] + face[i, k] * x[i + 1, k]) * inverse[i, k]
