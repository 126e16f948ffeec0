"""The CPU kernel of the bilateral filter.

The weight of two pixels serves both. A tile, one a task, keeps the sums Σ w y and Σ w of its pixels; for each row, and
each offset of one half of the window, a line of weights is found and added, times the values at the other end, to the
sums at either end. Every inner loop runs along a row without branches, over few arrays, all of which fit into the
cache of first level.
"""

import numpy as np
import torch
from numba import prange
from torch import Tensor

from restora.core.exponential import exp
from restora.core.kernels import kernel, parallel_from

_ROWS = 32  # of a tile
_NUMBERS = 1024  # of a row of sums in a tile: columns times (channels + 1)
_SERIAL = 1 << 20  # weights below which it is not worth waking other threads (about 2 ms)


def bilateral_cpu(z: Tensor, g: Tensor, law: list[tuple[int, int, float]], radius: int) -> Tensor:
    """Images from images and guides extended by ``radius``, float32 or float64.

    ``law`` holds (i, j, distance) for the offsets of one half of the window, i >= 0; the weight of two pixels that far
    apart is exp(−|g − g'|² − distance).
    """
    values, guide = z.contiguous().numpy(), g.contiguous().numpy()
    b, c, height, width = values.shape
    out = np.empty((b, c, height - 2 * radius, width - 2 * radius), values.dtype)
    _images.sized(out.size * len(law))(values, guide, np.array(law, values.dtype).reshape(-1, 3), radius, out)
    return torch.from_numpy(out)


@parallel_from(_SERIAL)
def _images(z: np.ndarray, g: np.ndarray, law: np.ndarray, radius: int, out: np.ndarray) -> None:
    count, channels, height, width = out.shape
    columns = _NUMBERS // (1 + channels)
    down, across = (height + _ROWS - 1) // _ROWS, (width + columns - 1) // columns
    for job in prange(count * down * across):
        image, place = job // (down * across), job % (down * across)
        corner = (place // across * _ROWS, place % across * columns)
        _tile(z[image], g[image], law, radius, corner, out[image])


@kernel(fuse=True)
def _tile(z: np.ndarray, g: np.ndarray, law: np.ndarray, radius: int, corner: tuple[int, int], out: np.ndarray) -> None:
    """The part of the output at this corner. The sums reach ``radius`` beyond it; those at the rim are thrown away."""
    channels, height, width = out.shape
    top, left = corner
    rows, columns = min(_ROWS, height - top), min(_NUMBERS // (1 + channels), width - left)
    weight = np.ones((rows + 2 * radius, columns + 2 * radius), z.dtype)
    total = np.empty((channels, rows + 2 * radius, columns + 2 * radius), z.dtype)
    total[:] = z[:, top : top + rows + 2 * radius, left : left + columns + 2 * radius]
    for r in range(rows + radius):
        _row(z, g, law, radius, corner, r, total, weight)
    for channel in range(channels):
        for r in range(rows):
            t, n = total[channel, radius + r, radius:], weight[radius + r, radius:]
            line = out[channel, top + r, left : left + columns]
            for x in range(columns):
                line[x] = t[x] / n[x]


@kernel(fuse=True)
def _row(  # noqa: C901, PLR0912
    z: np.ndarray,
    g: np.ndarray,
    law: np.ndarray,
    radius: int,
    corner: tuple[int, int],
    r: int,
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Weigh the pixels of row r of the tile against those later in the window; add each to the sums of the other.

    One long function, for a call would take as long as a loop.
    """
    top, left = corner
    lines = np.empty(weight.shape[1], z.dtype)
    for k in range(len(law)):
        i, j, distance = int(law[k, 0]), int(law[k, 1]), law[k, 2]
        if r + i < radius:
            continue
        a, b = max(-j, 0), max(j, 0)  # where the lines of the two ends begin
        w = lines[: lines.size - a - b]
        u, v = g[0, top + r, left + a :], g[0, top + r + i, left + b :]
        if len(g) == 1:
            for x in range(w.size):
                w[x] = exp(-((u[x] - v[x]) ** 2) - distance)
        else:
            for x in range(w.size):
                w[x] = (u[x] - v[x]) ** 2
            for channel in range(1, len(g)):
                u, v = g[channel, top + r, left + a :], g[channel, top + r + i, left + b :]
                for x in range(w.size):
                    w[x] += (u[x] - v[x]) ** 2
            for x in range(w.size):
                w[x] = exp(-w[x] - distance)
        for other, own, start, at in ((r + i, r, b, a), (r, r + i, a, b)):
            n, y, t = weight[own, at:], z[0, top + other, left + start :], total[0, own, at:]
            for x in range(w.size):
                n[x] += w[x]
                t[x] += w[x] * y[x]
            for channel in range(1, len(z)):
                y, t = z[channel, top + other, left + start :], total[channel, own, at:]
                for x in range(w.size):
                    t[x] += w[x] * y[x]
