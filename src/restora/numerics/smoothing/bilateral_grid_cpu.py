"""The CPU kernels of the bilateral grid: splat and slice. Cells lie (row, column, level), their numbers together."""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from

_SERIAL = 1 << 17  # pixels below which it is not worth waking other threads (about 2 ms)


def splat_cpu(values: Tensor, level: Tensor, step: float, size: tuple[int, int, int]) -> Tensor:
    """Add the values (c, h, w) of each pixel to its nearest cell of a grid of that size."""
    grid = np.zeros((*size, len(values)), values.numpy().dtype)
    _splat(values.contiguous().numpy(), level.contiguous().numpy(), step, grid)
    return torch.from_numpy(grid)


def slice_cpu(grid: Tensor, level: Tensor, step: float) -> Tensor:
    """(c, h, w): the grid read by trilinear interpolation where each pixel stands."""
    out = np.empty((grid.shape[3], *level.shape), grid.numpy().dtype)
    _slice.sized(level.numel())(grid.contiguous().numpy(), level.contiguous().numpy(), step, out)
    return torch.from_numpy(out)


@kernel
def _splat(values: np.ndarray, level: np.ndarray, step: float, grid: np.ndarray) -> None:
    height, width = level.shape
    for i in range(height):
        row = grid[int(i / step + 0.5)]
        for j in range(width):
            cell = row[int(j / step + 0.5), int(level[i, j] + level.dtype.type(0.5))]
            for channel in range(len(values)):
                cell[channel] += values[channel, i, j]


@parallel_from(_SERIAL)
def _slice(grid: np.ndarray, level: np.ndarray, step: float, out: np.ndarray) -> None:
    for i in prange(len(level)):
        _slice_row(grid, level, step, i, out)


@kernel(fuse=True)
def _slice_row(grid: np.ndarray, level: np.ndarray, step: float, i: int, out: np.ndarray) -> None:
    """First the rows of cells above and below are blended, once for all pixels; then four cells are left for each."""
    _, columns, levels, channels = grid.shape
    row = int(i / step)
    t = grid.dtype.type(i / step - row)
    sheet = np.empty((columns, levels, channels), grid.dtype)
    upper, lower, blend = grid[row].reshape(-1), grid[row + 1].reshape(-1), sheet.reshape(-1)
    for x in range(blend.size):
        blend[x] = upper[x] + t * (lower[x] - upper[x])
    for j in range(level.shape[1]):
        column, k = int(j / step), int(level[i, j])
        u, v = grid.dtype.type(j / step - column), level[i, j] - k
        for channel in range(channels):
            a, b = sheet[column, k, channel], sheet[column, k + 1, channel]
            c, d = sheet[column + 1, k, channel], sheet[column + 1, k + 1, channel]
            near, far = a + v * (b - a), c + v * (d - c)
            out[channel, i, j] = near + u * (far - near)
