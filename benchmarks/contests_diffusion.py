"""Nonlinear diffusion beside its peers.

No library has a float Perona–Malik in the four-neighbour form: the honest peer is that scheme with NumPy's whole-image
operations, at equal results. OpenCV's ``ximgproc.anisotropicDiffusion`` is another method under the same name: 8 bits,
three channels, rounded after every iteration, eight neighbours of equal weight, K times 765 against the sum of the
channels' differences. It stands here at the same number of iterations, with K = 0.1, which was not tuned.
"""

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
import scipy.ndimage
from benchmarks.contest import Array, Contest, as_array, as_tensor
from skimage import data
from skimage.transform import resize

from restora.core.method import Method
from restora.core.problem import Problem
from restora.methods.filters.catte import CatteDiffusion
from restora.methods.filters.edge_enhancing import EdgeEnhancingDiffusion
from restora.methods.filters.perona_malik import PeronaMalik
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255


def noisy(clean: Array) -> Array:
    return (clean + np.random.default_rng(0).normal(0, SIGMA, clean.shape)).astype(np.float32)


def ours(method: Method, y: Array) -> Array:
    return as_array(method.run(Problem(as_tensor(y), Identity(), Gaussian(SIGMA))).x)


def perona_malik(y: Array, K: float, step: float, iterations: int) -> Array:
    """g2 with one conductance for all channels, each face computed once."""
    u = y[..., None] if y.ndim == 2 else y.copy()
    K, step = np.float32(K), np.float32(step)
    for _ in range(iterations):
        change = np.zeros_like(u)
        for axis in (0, 1):
            d = np.diff(u, axis=axis)
            flux = d / (1 + np.mean(d * d, axis=2, keepdims=True) / K**2)
            change.swapaxes(0, axis)[:-1] += flux.swapaxes(0, axis)
            change.swapaxes(0, axis)[1:] -= flux.swapaxes(0, axis)
        u = u + step * change
    return u.reshape(y.shape)


def anisotropic_diffusion(y8: Array, K: float, iterations: int) -> Array:
    return cv2.ximgproc.anisotropicDiffusion(y8, 1 / 8, K, iterations) / 255


def catte(y: Array, method: CatteDiffusion) -> Array:
    """A gray image, whole-image operations."""
    u = y
    for _ in range(method.iterations):
        smoothed = scipy.ndimage.gaussian_filter(u, method.pre_smoothing)
        down, right = np.gradient(smoothed)
        g = 1 / (1 + (down * down + right * right) / np.float32(method.K) ** 2)
        change = np.zeros_like(u)
        for axis in (0, 1):
            G, C = g.swapaxes(0, axis), change.swapaxes(0, axis)
            flux = (G[1:] + G[:-1]) * np.diff(u, axis=axis).swapaxes(0, axis)
            C[:-1] += flux
            C[1:] -= flux
        u = u + np.float32(method.step / 2) * change
    return u


def at(p: Array, i: int, j: int) -> Array:
    """The extended plane moved by (i, j), without its margin of one pixel."""
    return p[1 + i : p.shape[0] - 1 + i, 1 + j : p.shape[1] - 1 + j]


def edge_enhancing(y: Array, method: EdgeEnhancingDiffusion) -> Array:
    """A gray image, whole-image operations, explicit steps; the border is treated more simply than by ours."""
    u, tau = y, np.float32(method.time / method.cycles)
    for _ in range(method.cycles):
        down, right = np.gradient(scipy.ndimage.gaussian_filter(u, method.pre_smoothing))
        m = np.maximum(down * down + right * right, np.float32(1e-9))
        across = 1 - np.exp(-3.31488 / (m / np.float32(method.contrast) ** 2) ** 4)
        planes = (u, (across * right**2 + down**2) / m, (across - 1) * down * right / m)
        U, A, B, C = (np.pad(p, 1, mode="edge") for p in (*planes, (across * down**2 + right**2) / m))
        change = np.zeros_like(u)
        for s in (-1, 1):
            change += (at(A, 0, s) + at(A, 0, 0)) / 2 * (at(U, 0, s) - u)
            change += (at(C, s, 0) + at(C, 0, 0)) / 2 * (at(U, s, 0) - u)
            change += s / 4 * at(B, 0, s) * (at(U, 1, s) - at(U, -1, s))
            change += s / 4 * at(B, s, 0) * (at(U, s, 1) - at(U, s, -1))
        u = u + tau * change
    return u


def contests() -> Iterator[Contest]:
    gray = data.camera() / 255
    large = resize(gray, (2048, 2048), order=1)
    colour = data.astronaut() / 255
    method = PeronaMalik.for_noise(SIGMA)
    work = f"perona-malik g2, {method.iterations} iterations"
    for clean in (gray, large, colour):
        y = noisy(clean)
        theirs = partial(perona_malik, y, method.K_over_sigma * SIGMA, method.step, method.iterations)
        yield Contest(work, "perona-malik", "numpy, the same scheme", clean, partial(ours, method, y), theirs)
    y = noisy(colour)
    y8 = (y.clip(0, 1) * 255).round().astype(np.uint8)
    theirs = partial(anisotropic_diffusion, y8, 0.1, method.iterations)
    yield Contest(work, "perona-malik", "opencv anisotropicDiffusion, 8 bit", colour, partial(ours, method, y), theirs)
    regularised, tensor = CatteDiffusion.for_noise(SIGMA), EdgeEnhancingDiffusion.for_noise(2 * SIGMA)
    for clean in (gray, large):
        y = noisy(clean)
        work = f"regularised diffusion, {regularised.iterations} iterations"
        mine = partial(ours, regularised, y)
        yield Contest(work, "catte-diffusion", "numpy and scipy", clean, mine, partial(catte, y, regularised))
        work = f"edge-enhancing diffusion, {tensor.cycles} steps"
        yield Contest(
            work, "eed", "numpy and scipy", clean, partial(ours, tensor, y), partial(edge_enhancing, y, tensor)
        )
