"""Bivariate shrinkage of frame coefficients: a Numba kernel on the CPU, Torch elsewhere (Şendur, Selesnick 2002)."""

import math

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.kernels import kernel, parallel_from
from restora.numerics.convolution import convolve_separable
from restora.operators.boundaries import inside

_SERIAL = 1 << 18  # coefficients below which it is not worth waking other threads (about 3 ms)
_LEAST_NORM = 1e-6
_LEAST = 1e-30  # of (σ_x·r)², so that nothing is divided by zero


def energy(theta: Float[Tensor, "b c k u v m"], norms: Float[Tensor, "#k #u #v #m"]) -> Float[Tensor, "b c k u v"]:
    """Squared modulus of coefficients of m components, each divided by the norm of its row of the frame.

    A row may be zero, beside a border or in an image one pixel wide: its coefficient is zero, and stays zero.
    """
    return (theta / norms.clamp_min(_LEAST_NORM)).square().sum(dim=-1)


def bivariate_shrinkage(
    theta: Float[Tensor, "b c k u v m"],
    norms: Float[Tensor, "#k #u #v #m"],
    parent: Float[Tensor, "b c k p q"],
    sigma: float,
    window: int,
) -> tuple[Float[Tensor, "b c k u v m"], Float[Tensor, "b c k u v"]]:
    """θ·max(1 − √3σ²/(σ_x·r), 0), and the energies |θ|² of before, where noise is σ in every component.

    r² = |θ|² + |parent|², and σ_x² = max(mean of |θ|²/m over the window − σ², 0), the band extended by reflection.
    CPU tensors take the Numba kernel, all others and those that carry gradients the Torch one. Cost: O(N·window).

    Args:
        theta: coefficients of k bands of one level, real (m = 1) or complex (m = 2).
        norms: of the rows of the frame, by which θ is divided in all that is measured.
        parent: energies of the next coarser level: that at (i, j) belongs to the children (2i, 2j) … (2i + 1, 2j + 1).
        sigma: σ of the noise, > 0.
        window: side of the square over which σ_x is measured, odd.
    """
    if runs_on_cpu_kernels(theta, parent):
        return _shrink_cpu(theta, norms, parent, sigma, window)
    own = energy(theta, norms)
    box = torch.full((window,), 1 / window, dtype=torch.float64)
    mean = convolve_separable(own.flatten(0, 1), box).unflatten(0, own.shape[:2]) / theta.shape[-1]
    for dim in (-2, -1):
        parent = parent.index_select(dim, torch.arange(own.shape[dim], device=parent.device) // 2)
    product = (mean - sigma**2).clamp_min(0) * (own + parent)
    gain = (1 - math.sqrt(3) * sigma**2 / product.clamp_min(_LEAST).sqrt()).clamp_min(0)
    return theta * gain[..., None], own


def _shrink_cpu(theta: Tensor, norms: Tensor, parent: Tensor, sigma: float, window: int) -> tuple[Tensor, Tensor]:
    *outer, height, width, components = theta.shape
    coefficients = theta.reshape(-1, height, width * components).numpy()
    rows, columns = (inside(torch.arange(n + window - 1) - window // 2, n, "reflect").numpy() for n in (height, width))
    own = np.empty((len(coefficients), height, width), coefficients.dtype)
    out = np.empty_like(coefficients)
    _bands.sized(coefficients.size)(
        coefficients,
        norms.expand(theta.shape[-4:]).reshape(-1, height, width * components).contiguous().numpy(),
        parent.flatten(0, -3).contiguous().numpy(),
        coefficients.dtype.type(sigma**2),
        (rows, columns),
        own,
        out,
    )
    return torch.from_numpy(out).view(theta.shape), torch.from_numpy(own).view(*outer, height, width)


_Places = tuple[np.ndarray, np.ndarray]
"""The row and the column at each position of the band extended by half a window on each side."""


@parallel_from(_SERIAL)
def _bands(
    theta: np.ndarray,
    norms: np.ndarray,
    parent: np.ndarray,
    variance: float,
    places: _Places,
    own: np.ndarray,
    out: np.ndarray,
) -> None:
    bands, height = norms.shape[0], theta.shape[1]
    for job in prange(theta.shape[0] * height):
        band, i = job // height, job % height
        _energies(theta[band, i], norms[band % bands, i], own[band, i])
    for job in prange(theta.shape[0] * height):
        band, i = job // height, job % height
        _shrink_row(theta[band, i], own[band], parent[band, i // 2], variance, i, places, out[band, i])


@kernel(fuse=True)
def _energies(theta: np.ndarray, norms: np.ndarray, own: np.ndarray) -> None:
    least = norms.dtype.type(_LEAST_NORM)
    if own.size == theta.size:
        for j in range(own.size):
            own[j] = (theta[j] / max(norms[j], least)) ** 2
    else:
        for j in range(own.size):
            real, imaginary = theta[2 * j] / max(norms[2 * j], least), theta[2 * j + 1] / max(norms[2 * j + 1], least)
            own[j] = real**2 + imaginary**2


@kernel(fuse=True)
def _shrink_row(
    theta: np.ndarray, own: np.ndarray, parent: np.ndarray, variance: float, i: int, places: _Places, out: np.ndarray
) -> None:
    rows, columns = places
    number = own.dtype.type
    width = own.shape[1]
    window = columns.size - width + 1
    gain = _window_mean(own, rows[i : i + window], columns, theta.size // width)
    threshold = number(math.sqrt(3)) * variance
    for j in range(width):
        product = max(gain[j] - variance, number(0)) * (own[i, j] + parent[j // 2])
        gain[j] = max(number(1) - threshold / math.sqrt(max(product, number(_LEAST))), number(0))
    if theta.size == width:
        for j in range(width):
            out[j] = theta[j] * gain[j]
    else:
        for j in range(width):
            out[2 * j] = theta[2 * j] * gain[j]
            out[2 * j + 1] = theta[2 * j + 1] * gain[j]


@kernel(fuse=True)
def _window_mean(own: np.ndarray, rows: np.ndarray, columns: np.ndarray, components: int) -> np.ndarray:
    """Mean energy of one component over the window around each position of a row."""
    width = own.shape[1]
    line = own[rows[0]].copy()
    for k in range(1, rows.size):
        row = own[rows[k]]
        for j in range(width):
            line[j] += row[j]
    extended = np.empty(columns.size, own.dtype)
    for j in range(columns.size):
        extended[j] = line[columns[j]]
    mean = np.zeros(width, own.dtype)
    for k in range(rows.size):
        for j in range(width):
            mean[j] += extended[k + j]
    scale = own.dtype.type(1 / (rows.size**2 * components))
    for j in range(width):
        mean[j] *= scale
    return mean
