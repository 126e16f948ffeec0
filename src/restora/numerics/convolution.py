"""Separable convolution of images with short symmetric kernels: a Numba kernel on the CPU, Torch elsewhere."""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.core.kernels import kernel, parallel_from
from restora.operators.boundaries import Extension, extend, inside

_STRIP = 32  # rows a thread does in one go: enough to hide its start, few enough to share a small image
_SERIAL = 1 << 23  # multiplications below which it is not worth waking other threads (about 2 ms)


def gaussian_radius(s: float, truncate: float = 4.0) -> int:
    """Radius in pixels at which a Gaussian of standard deviation ``s`` is cut: ``truncate``·s, rounded half up."""
    return int(truncate * s + 0.5)


def gaussian_kernel(s: float, truncate: float = 4.0) -> Float[Tensor, " k"]:
    """G_s(u) ∝ exp(−u²/2s²) at the pixel centres u = −R … R, R = :func:`gaussian_radius`, sum one, in float64.

    With s = 0 it is the unit impulse. For s < 0.5 the samples are a poor approximation of the Gaussian.
    """
    radius = gaussian_radius(s, truncate)
    if radius == 0:
        return torch.ones(1, dtype=torch.float64)
    u = torch.arange(-radius, radius + 1, dtype=torch.float64)
    g = torch.exp(-0.5 * (u / s) ** 2)
    return g / g.sum()


def convolve_separable(
    x: Float[Tensor, "b c h w"], kernel: Float[Tensor, " k"], boundary: Extension = "reflect"
) -> Float[Tensor, "b c h w"]:
    """Convolve the columns, then the rows, of every channel with one symmetric kernel.

    CPU tensors take the Numba kernel, all others and those that carry gradients the Torch one; the two agree to the
    rounding of the dtype. Half precision is computed in float32. Cost: O(N·k) for N pixels.

    Args:
        x: images.
        kernel: odd in length, centred, symmetric.
        boundary: what lies beyond the border; the kernel may be longer than the image.
    """
    y = single_at_least(x)
    compute = _convolve_cpu if runs_on_cpu_kernels(y) else _convolve_torch
    return compute(y, kernel.to("cpu", y.dtype), boundary).to(x.dtype)


def _convolve_torch(x: Tensor, kernel: Tensor, boundary: Extension) -> Tensor:
    """A tap at a time, a fused multiply-add of views each: cuDNN would round float32 to TF32, and is no faster."""
    radius = len(kernel) // 2
    for dim, margin in ((-2, (radius, 0)), (-1, (0, radius))):
        n, extended = x.shape[dim], extend(x, margin, margin, boundary)
        x = torch.zeros_like(x)
        for j, tap in enumerate(kernel.tolist()):
            x = x.add_(extended.narrow(dim, j, n), alpha=tap)
    return x


def _convolve_cpu(x: Tensor, kernel: Tensor, boundary: Extension) -> Tensor:
    half = kernel[len(kernel) // 2 :].numpy()
    half = np.concatenate((half, np.zeros(-(len(half) - 1) % 3, half.dtype)))  # taps go three a sweep
    radius = len(half) - 1
    rows, columns = (_places(n, radius, boundary) for n in (x.shape[-2], x.shape[-1]))
    planes = x.contiguous().flatten(0, 1).numpy()
    out = np.empty_like(planes)
    _separable.sized(planes.size * (radius + 1))(planes, half, rows, columns, out)
    return torch.from_numpy(out).reshape(x.shape)


@lru_cache(maxsize=16)
def _places(n: int, radius: int, boundary: Extension) -> np.ndarray:
    """Which of n samples stands at −radius … n + radius − 1; kept, as it takes as long as filtering a small image."""
    return inside(torch.arange(-radius, n + radius), n, boundary).numpy()


@parallel_from(_SERIAL)
def _separable(planes: np.ndarray, half: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    count, height, _ = planes.shape
    strips = (height + _STRIP - 1) // _STRIP
    for job in prange(count * strips):
        _strip(planes[job // strips], half, rows, columns, job % strips * _STRIP, out[job // strips])


@kernel(fuse=True)
def _strip(
    plane: np.ndarray, half: np.ndarray, rows: np.ndarray, columns: np.ndarray, first: int, out: np.ndarray
) -> None:
    """Row by row: the vertical pass goes into a line that stays in cache, the horizontal one reads it from there."""
    height, width = plane.shape
    radius = half.size - 1
    line = np.empty(width + 2 * radius, plane.dtype)
    middle = line[radius : radius + width]
    pixels, starts, places = plane.reshape(plane.size), rows * width, np.arange(2 * radius + 1)
    for i in range(first, min(first + _STRIP, height)):
        _combine(pixels, starts[i : i + 2 * radius + 1], half, middle)
        for j in range(radius):
            line[j] = middle[columns[j]]
            line[radius + width + j] = middle[columns[radius + width + j]]
        _combine(line, places, half, out[i])


@kernel(fuse=True)
def _combine(x: np.ndarray, starts: np.ndarray, half: np.ndarray, out: np.ndarray) -> None:
    """out = Σ_k g_k (x_{−k} + x_k) of the lines x_k of x that begin at ``starts``.

    Three pairs a sweep, so that ``out`` is read and written a third as often.
    """
    n, radius = out.size, half.size - 1
    g0, centre = half[0], x[starts[radius] :][:n]
    if radius == 0:
        out[:] = centre
    for k in range(1, radius + 1, 3):
        g, h, i = half[k], half[k + 1], half[k + 2]
        a, b = x[starts[radius - k] :][:n], x[starts[radius + k] :][:n]
        c, d = x[starts[radius - k - 1] :][:n], x[starts[radius + k + 1] :][:n]
        e, f = x[starts[radius - k - 2] :][:n], x[starts[radius + k + 2] :][:n]
        if k == 1:
            for j in range(n):
                out[j] = g0 * centre[j] + g * (a[j] + b[j]) + h * (c[j] + d[j]) + i * (e[j] + f[j])
        else:
            for j in range(n):
                out[j] += g * (a[j] + b[j]) + h * (c[j] + d[j]) + i * (e[j] + f[j])
