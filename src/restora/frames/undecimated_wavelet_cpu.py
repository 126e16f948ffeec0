"""CPU kernels of one level of the undecimated wavelet transform, row by row through lines that stay in cache.

Only rows a multiple of ``step`` above it depend on a row of the image. So both directions go through every ``step``-th
row, as in a transform without holes.
"""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from

_SERIAL = 1 << 22  # pixels times taps below which it is not worth waking other threads (about 2 ms)
_CHUNK = 64  # rows a thread does in one go; the synthesis begins L − 1 rows before them


def analyse_cpu(x: Tensor, kernels: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """(b, c, h, w) to the approximation (b, c, h, w) and the details (b, c, 3, h, w)."""
    low, details = _analysed(x, kernels, step, 3)
    return low, details.unflatten(0, x.shape[:2])


def low_pass_cpu(x: Tensor, kernels: Tensor, step: int) -> Tensor:
    """The approximation alone."""
    return _analysed(x, kernels, step, 0)[0]


def synthesise_cpu(approximation: Tensor, details: Tensor, kernels: Tensor, step: int) -> Tensor:
    """The adjoint of :func:`analyse_cpu`."""
    bands = details.contiguous().flatten(0, 1).numpy()
    return _synthesised(approximation, approximation, bands, kernels, step, np.zeros(3, bands.dtype), True)


def shrink_cpu(coarse: Tensor, x: Tensor, kernels: Tensor, step: int, t: Tensor, hard: bool) -> Tensor:
    """The adjoint of ``coarse`` and of the shrunk details of ``x``, which are made a row at a time."""
    none = np.empty((coarse.shape[0] * coarse.shape[1], 0, *coarse.shape[-2:]), t.numpy().dtype)
    return _synthesised(coarse, x, none, kernels, step, t.flatten().numpy(), hard)


def _analysed(x: Tensor, kernels: Tensor, step: int, bands: int) -> tuple[Tensor, Tensor]:
    planes = x.contiguous().flatten(0, 1).numpy()
    low = np.empty_like(planes)
    details = np.empty((len(planes), bands, *planes.shape[1:]), planes.dtype)
    _analyse.sized(planes.size * kernels.numel())(planes, kernels.to(x.dtype).numpy(), step, low, details)
    return torch.from_numpy(low).reshape(x.shape), torch.from_numpy(details)


def _synthesised(
    coarse: Tensor, x: Tensor, details: np.ndarray, kernels: Tensor, step: int, t: np.ndarray, hard: bool
) -> Tensor:
    approximation, source = (planes.contiguous().flatten(0, 1).numpy() for planes in (coarse, x))
    out = np.empty_like(approximation)
    work = out.size * kernels.numel()
    chunk = _CHUNK if _synthesise.is_parallel(work) else out.shape[1]
    taps = kernels.to(coarse.dtype).numpy()
    _synthesise.sized(work)(approximation, details, source, taps, step, (t, hard), chunk, out)
    return torch.from_numpy(out).reshape(coarse.shape)


@parallel_from(_SERIAL)
def _analyse(x: np.ndarray, kernels: np.ndarray, step: int, low: np.ndarray, details: np.ndarray) -> None:
    chunks = (x.shape[1] + _CHUNK - 1) // _CHUNK
    for job in prange(x.shape[0] * chunks):
        plane, first = job // chunks, job % chunks * _CHUNK
        last = min(first + _CHUNK, x.shape[1])
        _analyse_rows(x[plane], kernels, step, first, last, low[plane], details[plane])


@kernel
def _analyse_rows(
    x: np.ndarray, kernels: np.ndarray, step: int, first: int, last: int, low: np.ndarray, details: np.ndarray
) -> None:
    width = x.shape[1]
    lines = np.empty((2, width + (kernels.shape[1] - 1) * step), x.dtype)
    for i in range(first, last):
        _down(x, kernels[0], step, i, lines[0])
        _along(lines[0], kernels[0], step, low[i])
        if details.shape[0]:
            _down(x, kernels[1], step, i, lines[1])
            _along(lines[1], kernels[0], step, details[0, i])
            _along(lines[0], kernels[1], step, details[1, i])
            _along(lines[1], kernels[1], step, details[2, i])


@parallel_from(_SERIAL)
def _synthesise(
    coarse: np.ndarray,
    details: np.ndarray,
    x: np.ndarray,
    kernels: np.ndarray,
    step: int,
    rule: tuple[np.ndarray, bool],
    chunk: int,
    out: np.ndarray,
) -> None:
    height = out.shape[1]
    phases = min(step, height)
    chunks = ((height + step - 1) // step + chunk - 1) // chunk
    for job in prange(out.shape[0] * phases * chunks):
        plane, phase, first = job // (phases * chunks), job // chunks % phases, job % chunks * chunk
        last = min(first + chunk, (height - phase + step - 1) // step)
        rows = (phase, first, last)
        _synthesise_rows(coarse[plane], details[plane], x[plane], kernels, step, rows, rule, out[plane])


@kernel
def _synthesise_rows(
    coarse: np.ndarray,
    details: np.ndarray,
    x: np.ndarray,
    kernels: np.ndarray,
    step: int,
    rows: tuple[int, int, int],
    rule: tuple[np.ndarray, bool],
    out: np.ndarray,
) -> None:
    """Rows phase + m·step of the image, first <= m < last, from the details, or where there are none from those of x.

    ``ring`` holds, for the last L rows of the bands, what their low and their high-pass halves give along the row.
    """
    phase, first, last = rows
    height, width = out.shape
    length = kernels.shape[1]
    margin = (length - 1) * step
    lines, bands = np.empty((2, width + margin), out.dtype), np.empty((4, width + margin), out.dtype)
    ring = np.empty((length, 2, width), out.dtype)
    for m in range(first - length + 1, last):
        i = (phase + m * step) % height
        bands[0, margin:] = coarse[i]
        if details.shape[0]:
            for band in range(3):
                bands[band + 1, margin:] = details[band, i]
        else:
            _shrunk_row(x, kernels, step, i, rule, lines, bands)
        for band in range(4):
            for j in range(margin - 1, -1, -1):
                bands[band, j] = bands[band, j + width]
        for down in range(2):
            _back_along(bands[down], bands[down + 2], kernels, step, ring[m % length, down])
        if m >= first:
            row = out[phase + m * step]
            row[:] = 0
            for j in range(length):
                halves = ring[(m - j) % length]
                _add_two(row, kernels[0, j], halves[0], kernels[1, j], halves[1])


@kernel
def _shrunk_row(
    x: np.ndarray,
    kernels: np.ndarray,
    step: int,
    i: int,
    rule: tuple[np.ndarray, bool],
    lines: np.ndarray,
    bands: np.ndarray,
) -> None:
    """Row i of the details of x, shrunk, at the end of the lines of ``bands`` from the second on."""
    t, hard = rule
    margin = (kernels.shape[1] - 1) * step
    for down in range(2):
        _down(x, kernels[down], step, i, lines[down])
    for band in range(1, 4):
        detail = bands[band, margin:]
        _along(lines[band % 2], kernels[band // 2], step, detail)
        if hard:
            _keep(detail, t[band - 1])
        else:
            _soften(detail, t[band - 1])


@kernel
def _down(x: np.ndarray, kernel: np.ndarray, step: int, i: int, line: np.ndarray) -> None:
    """Row i of the image filtered down its columns, extended to the right by one period and more."""
    height, width = x.shape
    middle = line[:width]
    middle[:] = 0
    for j in range(0, kernel.size, 2):
        upper, lower = x[(i + j * step) % height], x[(i + (j + 1) * step) % height]
        _add_two(middle, kernel[j], upper, kernel[j + 1], lower)
    for j in range(width, line.size):
        line[j] = line[j - width]


@kernel
def _along(line: np.ndarray, kernel: np.ndarray, step: int, out: np.ndarray) -> None:
    """Σ_j f[j]·line[n + j·step]."""
    n = out.size
    out[:] = 0
    for j in range(0, kernel.size, 2):
        a, b = line[j * step : j * step + n], line[(j + 1) * step : (j + 1) * step + n]
        _add_two(out, kernel[j], a, kernel[j + 1], b)


@kernel
def _back_along(low: np.ndarray, high: np.ndarray, kernels: np.ndarray, step: int, out: np.ndarray) -> None:
    """The adjoint: Σ_j f[j]·line[margin + n − j·step] summed over both bands."""
    n = out.size
    margin = (kernels.shape[1] - 1) * step
    out[:] = 0
    for j in range(kernels.shape[1]):
        start = margin - j * step
        _add_two(out, kernels[0, j], low[start : start + n], kernels[1, j], high[start : start + n])


@kernel(fuse=True)
def _add_two(out: np.ndarray, g: float, a: np.ndarray, h: float, b: np.ndarray) -> None:
    for j in range(out.size):
        out[j] += g * a[j] + h * b[j]


@kernel
def _keep(detail: np.ndarray, t: float) -> None:
    zero = detail.dtype.type(0)
    for j in range(detail.size):
        detail[j] = detail[j] if abs(detail[j]) > t else zero


@kernel
def _soften(detail: np.ndarray, t: float) -> None:
    for j in range(detail.size):
        detail[j] -= min(max(detail[j], -t), t)
