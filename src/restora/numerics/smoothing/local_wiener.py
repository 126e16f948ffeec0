"""The local linear estimate of least squared error: every pixel is drawn to the mean of its window as it is flat."""

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor
from torch.nn.functional import avg_pool2d

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.core.kernels import kernel, parallel_from
from restora.operators.boundaries import extend, inside

_STRIP = 32  # rows a thread does in one go
_SERIAL = 1 << 18  # pixels below which it is not worth waking other threads (about 1 ms)


def local_wiener(y: Float[Tensor, "b c h w"], *, sigma: float, window: int) -> Float[Tensor, "b c h w"]:
    """x̂ = μ + max(v − σ², 0)/max(v, σ²)·(y − μ), μ and v the mean and variance of y in the window around each pixel.

    Beyond its border the image is its mirror image (half-sample symmetric). CPU tensors take the Numba kernel, all
    others and those that carry gradients the Torch one; half precision is computed in float32. Cost: O(N·window) for N
    pixels. In single precision v is exact to about 1e-7·max(y²).

    Args:
        y: images.
        sigma: σ, standard deviation of the noise, > 0.
        window: side of the window, odd.
    """
    z = single_at_least(y)
    compute = _local_wiener_cpu if runs_on_cpu_kernels(z) else _local_wiener_torch
    return compute(z, sigma**2, window // 2).to(y.dtype)


def _local_wiener_torch(y: Tensor, variance: float, r: int) -> Tensor:
    z = extend(y, (r, r), (r, r), "reflect")
    mean, power = (avg_pool2d(u, 2 * r + 1, stride=1) for u in (z, z.square()))
    v = power - mean.square()
    return y + variance / v.clamp_min(max(variance, torch.finfo(v.dtype).tiny)) * (mean - y)


def _local_wiener_cpu(y: Tensor, variance: float, r: int) -> Tensor:
    planes = y.contiguous().flatten(0, 1).numpy()
    rows, columns = (inside(torch.arange(-r, n + r), n, "reflect").numpy() for n in planes.shape[1:])
    out = np.empty_like(planes)
    _local_wiener.sized(planes.size)(planes, planes.dtype.type(variance), rows, columns, out)
    return torch.from_numpy(out).reshape(y.shape)


@parallel_from(_SERIAL)
def _local_wiener(planes: np.ndarray, variance: float, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    count, height, _ = planes.shape
    strips = (height + _STRIP - 1) // _STRIP
    for job in prange(count * strips):
        first = job % strips * _STRIP
        last = min(first + _STRIP, height)
        _strip(planes[job // strips], variance, rows, columns, first, last, out[job // strips])


@kernel
def _strip(
    y: np.ndarray, variance: float, rows: np.ndarray, columns: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    """Sums of y and y² down the columns go into lines that stay in cache, and are summed along the row from there."""
    width = y.shape[1]
    window = columns.size - width + 1
    r = window // 2
    sums, squares = np.empty(columns.size, y.dtype), np.empty(columns.size, y.dtype)
    mean, power = np.empty(width, y.dtype), np.empty(width, y.dtype)
    for i in range(first, last):
        sums[:] = 0
        squares[:] = 0
        for k in range(window):
            _add_with_square(y[rows[i + k]], sums[r : r + width], squares[r : r + width])
        for j in range(r):
            left, right = r + columns[j], r + columns[r + width + j]
            sums[j], squares[j] = sums[left], squares[left]
            sums[r + width + j], squares[r + width + j] = sums[right], squares[right]
        mean[:] = 0
        power[:] = 0
        for k in range(window):
            _add_both(sums[k : k + width], squares[k : k + width], mean, power)
        _estimate(y[i], mean, power, variance, y.dtype.type(1 / window**2), out[i])


@kernel(fuse=True)
def _add_with_square(row: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> None:
    for j in range(row.size):
        sums[j] += row[j]
        squares[j] += row[j] * row[j]


@kernel
def _add_both(a: np.ndarray, b: np.ndarray, mean: np.ndarray, power: np.ndarray) -> None:
    for j in range(a.size):
        mean[j] += a[j]
        power[j] += b[j]


@kernel(fuse=True)
def _estimate(
    row: np.ndarray, mean: np.ndarray, power: np.ndarray, variance: float, share: float, out: np.ndarray
) -> None:
    for j in range(row.size):
        mu = mean[j] * share
        v = power[j] * share - mu * mu
        most = max(v, variance)
        share_of_noise = variance / most if most > 0 else row.dtype.type(0)  # 0/0: σ² is too small for the dtype
        out[j] = row[j] + share_of_noise * (mu - row[j])
