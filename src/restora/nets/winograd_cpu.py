"""Numba kernels of Winograd's convolution F(4×4, 3×3): tiles into its domain and out of it.

Arrays are float32 with the channels last. Tiles of 4×4 pixels are numbered through all images, row by row. A tile is
copied into a buffer that stays in the first cache, transformed there along its lines and its columns, and copied out:
each a loop over the channels, which the compiler turns into vectors because the distances in the buffer are constants,
which they are where the loops are inlined, and because no loop has more than one stream into an array that may overlap
with another.

The matrices Bᵀ and Aᵀ belong to the points of interpolation 0, ±1, ±2, ∞.
"""

import numpy as np
from numba import prange

from restora.core.kernels import kernel

WIDEST = 512
"""The most channels the kernels take."""

_PITCH = WIDEST + 16  # an odd number of cache lines, so that a buffer spreads over all sets of the cache
_2, _4, _5, _8 = (np.float32(number) for number in (2, 4, 5, 8))


@kernel(fuse=True, parallel=True)
def inputs_to_domain(x: np.ndarray, first: int, out: np.ndarray) -> None:
    """Bᵀ d B of n tiles from ``first`` on: d the 6×6 pixels of x (b, h, w, c) around each, zeros beyond the border.

    Args:
        x: images; of their channels the first c.
        first: tile.
        out: (36, n, c).
    """
    for n in prange(out.shape[1]):
        tile = np.empty((36, _PITCH), np.float32)
        _load_pixels(x, first + n, 1, out.shape[2], tile)
        for i in range(6):
            _to_domain(tile, 6 * i, 1, out.shape[2])
        for j in range(6):
            _to_domain(tile, j, 6, out.shape[2])
        _store_products(tile, n, out)


@kernel(fuse=True, parallel=True)
def gradients_to_domain(g: np.ndarray, first: int, out: np.ndarray) -> None:
    """A g Aᵀ of n tiles from ``first`` on: g the 4×4 pixels of each, zeros beyond the border.

    Args:
        g: (b, h, w, c), or of more channels.
        first: tile.
        out: (36, n, c).
    """
    for n in prange(out.shape[1]):
        tile = np.empty((36, _PITCH), np.float32)
        _load_pixels(g, first + n, 0, out.shape[2], tile)
        for i in range(4):
            _spread(tile, 6 * i, 1, out.shape[2])
        for j in range(6):
            _spread(tile, j, 6, out.shape[2])
        _store_products(tile, n, out)


@kernel(fuse=True, parallel=True)
def domain_to_outputs(products: np.ndarray, first: int, bias: np.ndarray, y: np.ndarray) -> None:
    """Aᵀ m A + bias of n tiles from ``first`` on, into y; what lies beyond the border is dropped.

    Args:
        products: m, (36, n, c).
        first: tile.
        bias: (c).
        y: (b, h, w, c).
    """
    for n in prange(products.shape[1]):
        tile = np.empty((36, _PITCH), np.float32)
        for k in range(36):
            for c in range(y.shape[3]):
                tile[k, c] = products[k, n, c]
        for j in range(6):
            _from_domain(tile, j, 6, y.shape[3])
        for i in range(4):
            _from_domain(tile, 6 * i, 1, y.shape[3])
        _store_pixels(tile, first + n, bias, y)


@kernel(inline=True)
def _corner(images: np.ndarray, number: int) -> tuple[int, int, int]:
    """Image, top row and left column of a tile."""
    rows, columns = (images.shape[1] + 3) // 4, (images.shape[2] + 3) // 4
    place = number % (rows * columns)
    return number // (rows * columns), 4 * (place // columns), 4 * (place % columns)


@kernel(inline=True)
def _load_pixels(x: np.ndarray, number: int, around: int, channels: int, tile: np.ndarray) -> None:
    image, top, left = _corner(x, number)
    for i in range(4 + 2 * around):
        for j in range(4 + 2 * around):
            row, column = top - around + i, left - around + j
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                for c in range(channels):
                    tile[6 * i + j, c] = x[image, row, column, c]
            else:
                for c in range(channels):
                    tile[6 * i + j, c] = 0


@kernel(inline=True)
def _store_pixels(tile: np.ndarray, number: int, bias: np.ndarray, y: np.ndarray) -> None:
    image, top, left = _corner(y, number)
    for i in range(min(4, y.shape[1] - top)):
        for j in range(min(4, y.shape[2] - left)):
            for c in range(y.shape[3]):
                y[image, top + i, left + j, c] = tile[6 * i + j, c] + bias[c]


@kernel(inline=True)
def _store_products(tile: np.ndarray, n: int, out: np.ndarray) -> None:
    for k in range(36):
        for c in range(out.shape[2]):
            out[k, n, c] = tile[k, c]


@kernel(fuse=True, inline=True)
def _to_domain(tile: np.ndarray, start: int, step: int, channels: int) -> None:
    """Bᵀ of six numbers ``step`` apart, in place, of each channel."""
    for c in range(channels):
        d0, d1, d2 = tile[start, c], tile[start + step, c], tile[start + 2 * step, c]
        d3, d4, d5 = tile[start + 3 * step, c], tile[start + 4 * step, c], tile[start + 5 * step, c]
        one, one_odd = d4 - _4 * d2, d3 - _4 * d1
        two, two_odd = d4 - d2, _2 * (d3 - d1)
        tile[start, c] = _4 * d0 - _5 * d2 + d4
        tile[start + step, c] = one + one_odd
        tile[start + 2 * step, c] = one - one_odd
        tile[start + 3 * step, c] = two + two_odd
        tile[start + 4 * step, c] = two - two_odd
        tile[start + 5 * step, c] = _4 * d1 - _5 * d3 + d5


@kernel(fuse=True, inline=True)
def _from_domain(tile: np.ndarray, start: int, step: int, channels: int) -> None:
    """Aᵀ of six numbers ``step`` apart, in place of the first four, of each channel."""
    for c in range(channels):
        m0, m1, m2 = tile[start, c], tile[start + step, c], tile[start + 2 * step, c]
        m3, m4, m5 = tile[start + 3 * step, c], tile[start + 4 * step, c], tile[start + 5 * step, c]
        one, one_odd = m1 + m2, m1 - m2
        two, two_odd = m3 + m4, m3 - m4
        tile[start, c] = m0 + one + two
        tile[start + step, c] = one_odd + _2 * two_odd
        tile[start + 2 * step, c] = one + _4 * two
        tile[start + 3 * step, c] = one_odd + _8 * two_odd + m5


@kernel(fuse=True, inline=True)
def _spread(tile: np.ndarray, start: int, step: int, channels: int) -> None:
    """A of four numbers ``step`` apart, in place and two more, of each channel."""
    for c in range(channels):
        g0, g1, g2, g3 = tile[start, c], tile[start + step, c], tile[start + 2 * step, c], tile[start + 3 * step, c]
        one, one_odd = g0 + g2, g1 + g3
        two, two_odd = g0 + _4 * g2, _2 * g1 + _8 * g3
        tile[start + step, c] = one + one_odd
        tile[start + 2 * step, c] = one - one_odd
        tile[start + 3 * step, c] = two + two_odd
        tile[start + 4 * step, c] = two - two_odd
        tile[start + 5 * step, c] = g3
