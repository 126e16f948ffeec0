"""Separable convolution of images with short symmetric kernels: a Numba kernel on the CPU, Torch elsewhere."""

from typing import no_type_check

import numpy as np
import torch
from jaxtyping import Float
from numba import njit, prange
from torch import Tensor

from restora.operators.boundaries import Extension, extend, inside

_STRIP = 32  # rows a thread does in one go: enough to hide its start, few enough to share a small image
_SERIAL = 1 << 23  # multiplications below which it is not worth waking other threads (about 2 ms)


def gaussian_radius(s: float, truncate: float = 4.0) -> int:
    """Radius in pixels at which a Gaussian of standard deviation ``s`` is cut: ``truncate``·s, rounded half up."""
    return int(truncate * s + 0.5)


def gaussian_kernel(s: float, truncate: float = 4.0) -> Float[Tensor, " k"]:
    """G_s(u) ∝ exp(−u²/2s²) at the pixel centres u = −R … R, R = :func:`gaussian_radius`, sum one, in float64.

    With s = 0 it is the unit impulse. For s < 0.5 the samples are a poor stand-in for the Gaussian itself.
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
    dtype = x.dtype if x.dtype in (torch.float32, torch.float64) else torch.float32
    compute = _convolve_cpu if x.device.type == "cpu" and not x.requires_grad else _convolve_torch
    return compute(x.to(dtype), kernel.to("cpu", dtype), boundary).to(x.dtype)


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
    radius = len(kernel) // 2
    rows, columns = (inside(torch.arange(-radius, n + radius), n, boundary).numpy() for n in (x.shape[-2], x.shape[-1]))
    planes = x.contiguous().flatten(0, 1).numpy()
    out = np.empty_like(planes)
    separable = _serial if planes.size * (radius + 1) < _SERIAL else _parallel
    separable(planes, kernel[radius:].numpy(), rows, columns, out)
    return torch.from_numpy(out).reshape(x.shape)


@njit(cache=True)
@no_type_check
def _serial(planes: np.ndarray, half: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    count, height, _ = planes.shape
    for plane in range(count):
        for first in range(0, height, _STRIP):
            _strip(planes[plane], half, rows, columns, first, out[plane])


@njit(parallel=True, cache=True)
@no_type_check
def _parallel(planes: np.ndarray, half: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    count, height, _ = planes.shape
    strips = (height + _STRIP - 1) // _STRIP
    for job in prange(count * strips):
        _strip(planes[job // strips], half, rows, columns, job % strips * _STRIP, out[job // strips])


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _strip(
    plane: np.ndarray, half: np.ndarray, rows: np.ndarray, columns: np.ndarray, first: int, out: np.ndarray
) -> None:
    """Row by row: the vertical pass goes into a line that stays in cache, the horizontal one reads it from there."""
    height, width = plane.shape
    radius = half.size - 1
    line = np.empty(width + 2 * radius, plane.dtype)
    middle = line[radius : radius + width]
    for i in range(first, min(first + _STRIP, height)):
        _vertical(plane, half, rows[i : i + 2 * radius + 1], middle)
        for j in range(radius):
            line[j] = middle[columns[j]]
            line[radius + width + j] = middle[columns[radius + width + j]]
        _horizontal(line, half, out[i])


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _vertical(plane: np.ndarray, half: np.ndarray, rows: np.ndarray, line: np.ndarray) -> None:
    """line = Σ_k g_k (row −k + row +k); two taps a sweep, so that ``line`` is read and written half as often."""
    radius = half.size - 1
    centre = plane[rows[radius]]
    for j in range(line.size):
        line[j] = half[0] * centre[j]
    for k in range(1, radius + 1, 2):
        a, b = plane[rows[radius - k]], plane[rows[radius + k]]
        if k == radius:
            _add_one(line, half[k], a, b)
        else:
            c, d = plane[rows[radius - k - 1]], plane[rows[radius + k + 1]]
            _add_two(line, half[k], a, b, half[k + 1], c, d)


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _horizontal(line: np.ndarray, half: np.ndarray, out: np.ndarray) -> None:
    """The same along the extended line."""
    radius = half.size - 1
    n = out.size
    centre = line[radius : radius + n]
    for j in range(n):
        out[j] = half[0] * centre[j]
    for k in range(1, radius + 1, 2):
        a, b = line[radius - k : radius - k + n], line[radius + k : radius + k + n]
        if k == radius:
            _add_one(out, half[k], a, b)
        else:
            c, d = line[radius - k - 1 : radius - k - 1 + n], line[radius + k + 1 : radius + k + 1 + n]
            _add_two(out, half[k], a, b, half[k + 1], c, d)


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _add_one(out: np.ndarray, g: float, a: np.ndarray, b: np.ndarray) -> None:
    for j in range(out.size):
        out[j] += g * (a[j] + b[j])


@njit(fastmath={"contract"}, cache=True)
@no_type_check
def _add_two(out: np.ndarray, g: float, a: np.ndarray, b: np.ndarray, h: float, c: np.ndarray, d: np.ndarray) -> None:
    for j in range(out.size):
        out[j] += g * (a[j] + b[j]) + h * (c[j] + d[j])
