"""Diffusion with a scalar conductance: explicit steps u ← u + τ·div(g ∇u) on the four neighbours of a pixel.

Nothing flows through the border. The flux through a face between two pixels is what leaves the one and enters the
other, so it is computed once, and the mean of the image is kept. All channels have one conductance: s² is the mean
over the channels of the squared difference, so that a gray image is treated like a colour image of three equal
channels. A step with 0 <= g <= 1 satisfies the maximum principle for τ <= 1/4.

CPU tensors take a Numba kernel that goes through memory once a step, all others and those with gradients the Torch one.
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.exponential import exp
from restora.core.kernels import kernel, parallel_from
from restora.numerics.diffusion.rows import SERIAL, as_array, strips_of

Conductance = Literal["g1", "g2", "tukey"]
"""g1 = exp(−(s/K)²), g2 = 1/(1 + (s/K)²), tukey = ½(1 − (s/K)²/2)² for s² <= 2K², else 0."""

_CODES: dict[Conductance, int] = {"g1": 0, "g2": 1, "tukey": 2}

_ONE, _HALF = np.float32(1), np.float32(0.5)  # exact in either precision; a Python number would make a loop double


def conductance(s2: Tensor, K: float | Tensor, law: Conductance) -> Tensor:
    """g(s) of the squared difference ``s2``."""
    ratio = s2 / K**2
    if law == "g1":
        return torch.exp(-ratio)
    if law == "g2":
        return 1 / (1 + ratio)
    return (1 - ratio / 2).clamp_min(0).square() / 2


def perona_malik_step(
    u: Float[Tensor, "b c h w"], K: Float[Tensor, " b"], law: Conductance, step: float
) -> Float[Tensor, "b c h w"]:
    """u + τ Σ_d g(|∇_d u|) ∇_d u over the four one-sided differences ∇_d, each with its own conductance.

    Args:
        u: images.
        K: contrast of each image, > 0, on the scale of u.
        law: the conductance g.
        step: τ, at most 1/4.
    """
    if not runs_on_cpu_kernels(u):
        return _perona_malik_torch(u, K.to(u)[:, None, None, None], law, step)
    out, number = np.empty(u.shape, as_array(u).dtype), as_array(u).dtype.type
    inverse = (1 / (K.double() ** 2 * u.shape[1])).numpy().astype(number)
    _perona_malik.sized(u.numel())(as_array(u), inverse, _CODES[law], number(step), strips_of(u), out)
    return torch.from_numpy(out)


def diffusion_step(u: Float[Tensor, "b c h w"], g: Float[Tensor, "b 1 h w"], step: float) -> Float[Tensor, "b c h w"]:
    """u + τ·div(g ∇u), g at a face being the mean of its two pixels."""
    if not runs_on_cpu_kernels(u, g):
        across, down = (g[..., 1:] + g[..., :-1]) / 2, (g[..., 1:, :] + g[..., :-1, :]) / 2
        return u + step * (_gain(across * u.diff(dim=-1), -1) + _gain(down * u.diff(dim=-2), -2))
    out, number = np.empty(u.shape, as_array(u).dtype), as_array(u).dtype.type
    _diffusion.sized(u.numel())(as_array(u), as_array(g), number(step), strips_of(u), out)
    return torch.from_numpy(out)


def _perona_malik_torch(u: Tensor, K: Tensor, law: Conductance, step: float) -> Tensor:
    differences = (u.diff(dim=-1), u.diff(dim=-2))
    across, down = (conductance(d.square().mean(dim=1, keepdim=True), K, law) * d for d in differences)
    return u + step * (_gain(across, -1) + _gain(down, -2))


def _gain(flux: Tensor, dim: int) -> Tensor:
    """The sum of the fluxes into a pixel through its two faces along ``dim``; the border has none."""
    zero = torch.zeros_like(flux.sum(dim, keepdim=True))
    return torch.cat((zero, flux, zero), dim).diff(dim=dim)


@parallel_from(SERIAL + 1)
def _perona_malik(
    u: np.ndarray, inverse: np.ndarray, law: int, step: float, strips: np.ndarray, out: np.ndarray
) -> None:
    for k in prange(len(strips)):
        _perona_malik_rows(u, inverse, law, step, strips[k], out)


@kernel(fuse=True)
def _perona_malik_rows(
    batch: np.ndarray, inverse: np.ndarray, law: int, step: float, strip: np.ndarray, out: np.ndarray
) -> None:
    image, first, last = strip
    u, scale = batch[image], inverse[image]
    channels, h, w = u.shape
    north, south, east = (
        np.zeros((channels, w), u.dtype),
        np.zeros((channels, w), u.dtype),
        np.empty((channels, w), u.dtype),
    )
    g = np.empty(w, u.dtype)
    if first > 0:
        _own_flux(u, first - 1, True, scale, law, step, g, north)
    for i in range(first, last):
        if i < h - 1:
            _own_flux(u, i, True, scale, law, step, g, south)
        else:
            south[:] = 0
        _own_flux(u, i, False, scale, law, step, g, east)
        for c in range(channels):
            _balance(u[c, i], north[c], south[c], east[c], out[image, c, i])
        north, south = south, north


@kernel(fuse=True)
def _own_flux(
    u: np.ndarray, i: int, down: bool, inverse: float, law: int, step: float, g: np.ndarray, flux: np.ndarray
) -> None:
    """τ g(|d|) d for the differences d from row i, down or to the right, of all channels."""
    channels, _, w = u.shape
    n = w if down else w - 1
    g[:] = 0
    for c in range(channels):
        a = u[c, i]
        b = u[c, i + 1] if down else u[c, i, 1:]
        for j in range(n):
            d = b[j] - a[j]
            flux[c, j] = d
            g[j] += d * d
    _conduct(g[:n], inverse, law, step)
    for c in range(channels):
        for j in range(n):
            flux[c, j] *= g[j]


@kernel(fuse=True)
def _conduct(g: np.ndarray, inverse: float, law: int, step: float) -> None:
    """Replace Σ d² by τ g, in place."""
    if law == 0:
        for j in range(g.size):
            g[j] = step * exp(-g[j] * inverse)
    elif law == 1:
        for j in range(g.size):
            g[j] = step / (_ONE + g[j] * inverse)
    else:
        for j in range(g.size):
            g[j] = step * _HALF * max(_ONE - _HALF * inverse * g[j], np.float32(0)) ** 2


@kernel(fuse=True)
def _balance(u: np.ndarray, north: np.ndarray, south: np.ndarray, east: np.ndarray, out: np.ndarray) -> None:
    w = u.size
    out[0] = u[0] + (south[0] - north[0])
    for j in range(1, w):
        out[j] = u[j] + (south[j] - north[j]) - east[j - 1]
    for j in range(w - 1):
        out[j] += east[j]


@parallel_from(SERIAL + 1)
def _diffusion(u: np.ndarray, g: np.ndarray, step: float, strips: np.ndarray, out: np.ndarray) -> None:
    for k in prange(len(strips)):
        _diffusion_rows(u, g, step, strips[k], out)


@kernel(fuse=True)
def _diffusion_rows(u: np.ndarray, g: np.ndarray, step: float, strip: np.ndarray, out: np.ndarray) -> None:
    image, first, last = strip
    _, channels, h, w = u.shape
    north, south, east = np.empty(w, u.dtype), np.empty(w, u.dtype), np.empty(w, u.dtype)
    half = step * _HALF
    G = g[image, 0]
    for c in range(channels):
        U = u[image, c]
        k = max(first - 1, 0)
        _face_flux(U[k], U[first], G[k], G[first], half, north)
        for i in range(first, last):
            k = min(i + 1, h - 1)
            _face_flux(U[i], U[k], G[i], G[k], half, south)
            _face_flux(U[i, : w - 1], U[i, 1:], G[i, : w - 1], G[i, 1:], half, east)
            _balance(U[i], north, south, east, out[image, c, i])
            north, south = south, north


@kernel(fuse=True)
def _face_flux(a: np.ndarray, b: np.ndarray, ga: np.ndarray, gb: np.ndarray, half: float, flux: np.ndarray) -> None:
    for j in range(a.size):
        flux[j] = half * (ga[j] + gb[j]) * (b[j] - a[j])
