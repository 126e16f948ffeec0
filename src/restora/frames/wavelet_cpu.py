"""CPU kernels of one level of the wavelet transform: both directions in one sweep, through lines that stay in cache."""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from

_SERIAL = 1 << 26  # multiplications below which it is not worth waking other threads (about 20 ms)


def analyse_cpu(planes: Tensor, kernels: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """(n, h, w) to the approximation (n, i, j) and the three bands of details (n, 3, i, j), half as high and wide.

    Args:
        planes: images.
        kernels: low and high pass, (2, L), to be correlated with.
        rows: the row at each position of the extended image; ``columns`` likewise.
        columns: see ``rows``.
    """
    x = planes.contiguous().numpy()
    length = kernels.shape[1]
    i, j = ((len(index) - length) // 2 + 1 for index in (rows, columns))
    approximation, details = np.empty((len(x), i, j), x.dtype), np.empty((len(x), 3, i, j), x.dtype)
    _analyse.sized(x.size * length)(x, kernels.numpy(), rows.numpy(), columns.numpy(), approximation, details)
    return torch.from_numpy(approximation), torch.from_numpy(details)


def synthesise_cpu(
    approximation: Tensor,
    details: Tensor,
    kernels: Tensor,
    rows: Tensor,
    columns: Tensor,
    offset: int,
    size: tuple[int, int],
) -> Tensor:
    """Approximation (n, i, j) and details (n, 3, i, j) to the image (n, h, w).

    Args:
        approximation: as :func:`analyse_cpu` makes it.
        details: likewise.
        kernels: low and high pass, (2, L), of the synthesis.
        rows: the row at each position of the extended bands; ``columns`` likewise.
        columns: see ``rows``.
        offset: where, on the finer grid of the extended bands, the image begins.
        size: of the image.
    """
    low, high = approximation.contiguous().numpy(), details.contiguous().numpy()
    out = np.empty((len(low), *size), low.dtype)
    _synthesise.sized(out.size * kernels.shape[1])(
        low, high, kernels.numpy(), rows.numpy(), columns.numpy(), offset, out
    )
    return torch.from_numpy(out)


@parallel_from(_SERIAL)
def _analyse(
    x: np.ndarray,
    kernels: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    approximation: np.ndarray,
    details: np.ndarray,
) -> None:
    height = details.shape[2]
    for job in prange(x.shape[0] * height):
        plane, k = job // height, job % height
        _analyse_row(x[plane], kernels, rows[2 * k :], columns, k, approximation[plane], details[plane])


@kernel(fuse=True)
def _analyse_row(
    x: np.ndarray,
    kernels: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    k: int,
    approximation: np.ndarray,
    details: np.ndarray,
) -> None:
    """Row k of the approximation and of the details: high-pass down, along, both ways."""
    length = kernels.shape[1]
    line = np.zeros(x.shape[1], x.dtype)
    half = columns.size // 2
    even, odd = np.empty(half, x.dtype), np.empty(half, x.dtype)
    for down in range(2):
        line[:] = 0
        for j in range(0, length, 2):
            add_two(line, kernels[down, j], x[rows[j]], kernels[down, j + 1], x[rows[j + 1]])
        for i in range(half):
            even[i] = line[columns[2 * i]]
            odd[i] = line[columns[2 * i + 1]]
        for along in range(2):
            band = details[down + 2 * along - 1, k] if down + along else approximation[k]
            band[:] = 0
            n = band.size
            for j in range(length // 2):
                add_two(band, kernels[along, 2 * j], even[j : j + n], kernels[along, 2 * j + 1], odd[j : j + n])


@parallel_from(_SERIAL)
def _synthesise(
    approximation: np.ndarray,
    details: np.ndarray,
    kernels: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    offset: int,
    out: np.ndarray,
) -> None:
    height = out.shape[1]
    for job in prange(out.shape[0] * height):
        plane, i = job // height, job % height
        _synthesise_row(approximation[plane], details[plane], kernels, rows, columns, offset, i, out[plane, i])


@kernel(fuse=True)
def _synthesise_row(
    approximation: np.ndarray,
    details: np.ndarray,
    kernels: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    offset: int,
    i: int,
    out: np.ndarray,
) -> None:
    """Row i of the image: the sum over the taps of each band that fall on it, every second one."""
    length = kernels.shape[1]
    line = np.empty(details.shape[2], details.dtype)
    extended = np.empty(columns.size, details.dtype)
    phases = np.zeros((2, (out.size + 1) // 2), details.dtype)
    last, first = (i + offset) // 2, (i + offset) % 2
    for along in range(2):
        low, high = (details[1], details[2]) if along else (approximation, details[0])
        line[:] = 0
        for j in range(length // 2):
            row, tap = rows[last - j], first + 2 * j
            add_two(line, kernels[0, tap], low[row], kernels[1, tap], high[row])
        for j in range(columns.size):
            extended[j] = line[columns[j]]
        for phase in range(2):
            n = (out.size + 1 - phase) // 2
            last_column, first_tap = (phase + offset) // 2, (phase + offset) % 2
            for j in range(0, length // 2):
                start = last_column - j
                add_one(phases[phase, :n], kernels[along, first_tap + 2 * j], extended[start : start + n])
    for j in range(out.size // 2):
        out[2 * j] = phases[0, j]
        out[2 * j + 1] = phases[1, j]
    if out.size % 2:
        out[-1] = phases[0, -1]


@kernel(fuse=True)
def add_one(out: np.ndarray, g: float, a: np.ndarray) -> None:
    """Add g·a."""
    for j in range(out.size):
        out[j] += g * a[j]


@kernel(fuse=True)
def add_two(out: np.ndarray, g: float, a: np.ndarray, h: float, b: np.ndarray) -> None:
    """Add g·a + h·b."""
    for j in range(out.size):
        out[j] += g * a[j] + h * b[j]
