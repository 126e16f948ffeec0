"""PNG pixels of 16 bits (and gray ones of 2 and 4), which Pillow reduces to 8 or cannot write.

The format is that of the PNG specification, third edition (W3C, 2025): sections 8 (interlacing) and 9 (filtering).
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from restora.core.damage import damage
from restora.core.errors import FileProblem
from restora.core.kernels import kernel

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Samples per pixel of each colour type: gray, RGB, gray with alpha, RGB with alpha."""

_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row, first column, row step, column step of each pass."""


def decode_16(header: bytes, compressed: bytes) -> NDArray[np.uint16]:
    """Samples (h, w, c) of a PNG of 16 bits, alpha last, from its IHDR and its concatenated IDAT.

    Raises:
        FileProblem: the data are cut short, or hold what PNG does not allow.
    """
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 16 or colour not in _CHANNELS or interlaced > 1:
        raise FileProblem(f"it is no PNG of 16 bits: depth {depth}, colour type {colour}")
    channels = _CHANNELS[colour]
    passes = [(0, 0, 1, 1)] if not interlaced else list(_ADAM7)
    sizes = [(-(-(height - y) // dy), -(-(width - x) // dx)) for y, x, dy, dx in passes]
    expected = sum(h * (1 + 2 * channels * w) for h, w in sizes if h > 0 and w > 0)
    with damage(zlib.error):
        data = np.frombuffer(bytearray(zlib.decompressobj().decompress(compressed, expected)), dtype=np.uint8)
    if data.size < expected:
        raise FileProblem("the file is cut short: some of its rows are missing")
    pixels = np.empty((height, width, channels), dtype=np.uint16)
    at = 0
    for (y, x, dy, dx), (h, w) in zip(passes, sizes):
        if h > 0 and w > 0:
            length = h * (1 + 2 * channels * w)
            pixels[y::dy, x::dx] = _rows(data[at : at + length], h, w, channels)
            at += length
    return pixels


def encode_16(samples: NDArray[np.uint16]) -> Iterator[tuple[bytes, bytes]]:
    """The chunks IHDR, IDAT, IEND of a PNG of 16 bits with samples (h, w, c): gray, gray alpha, RGB, RGB alpha.

    Each row takes the filter of the smallest sum of absolute differences (the heuristic of the specification, 12.7).
    """
    height, width, channels = samples.shape
    rows = np.ascontiguousarray(samples.astype(">u2")).view(np.uint8).reshape(height, -1)
    filtered = _filtered(rows, 2 * channels)
    colour = {count: kind for kind, count in _CHANNELS.items()}[channels]
    return _chunks(height, width, 16, colour, filtered)


def encode_packed(samples: NDArray[np.uint8], depth: int) -> Iterator[tuple[bytes, bytes]]:
    """The chunks IHDR, IDAT, IEND of a gray PNG of ``depth`` = 1, 2 or 4 bits, from samples (h, w) below 2^depth."""
    height, width = samples.shape
    per_byte = 8 // depth
    padded = np.zeros((height, -(-width // per_byte) * per_byte), dtype=np.uint8)
    padded[:, :width] = samples
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    packed = np.bitwise_or.reduce(padded.reshape(height, -1, per_byte) << shifts, axis=2)
    # Filters do not pay where several pixels share a byte.
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), packed.astype(np.uint8)], axis=1)
    return _chunks(height, width, depth, 0, filtered)


def _chunks(
    height: int, width: int, depth: int, colour: int, filtered: NDArray[np.uint8]
) -> Iterator[tuple[bytes, bytes]]:
    yield b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    compressed = zlib.compress(filtered.data, 6)
    step = 2**30  # a chunk ends below 2^31 bytes
    for at in range(0, len(compressed), step):
        yield b"IDAT", compressed[at : at + step]
    yield b"IEND", b""


def _rows(data: NDArray[np.uint8], height: int, width: int, channels: int) -> NDArray[np.uint16]:
    rows = data.reshape(height, -1)
    if not _unfilter(rows, 2 * channels):
        raise FileProblem("it is damaged: a row has a filter that PNG does not know")
    return np.ascontiguousarray(rows[:, 1:]).view(">u2").reshape(height, width, channels).astype(np.uint16)


@kernel
def _unfilter(rows: NDArray[np.uint8], size: int) -> bool:
    """Undo the filters in place; the first byte of each row names its own. False if one is unknown."""
    height, length = rows.shape
    for y in range(height):
        kind = rows[y, 0]
        if kind > 4:
            return False
        for i in range(1, length):
            left = np.int64(rows[y, i - size]) if i > size else 0
            up = np.int64(rows[y - 1, i]) if y > 0 else 0
            corner = np.int64(rows[y - 1, i - size]) if y > 0 and i > size else 0
            prediction = 0
            if kind == 1:
                prediction = left
            elif kind == 2:
                prediction = up
            elif kind == 3:
                prediction = (left + up) >> 1
            elif kind == 4:
                pa, pb, pc = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
                prediction = left if pa <= pb and pa <= pc else up if pb <= pc else corner
            rows[y, i] = (rows[y, i] + prediction) & 255
    return True


def _filtered(rows: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Rows (h, bytes) behind the byte that names their filter, which is the best for each."""
    height, length = rows.shape
    filtered = np.empty((height, 1 + length), dtype=np.uint8)
    padded = np.zeros((height + 1, length + size), dtype=np.uint8)
    padded[1:, size:] = rows
    step = max(1, 2**20 // length)
    for y in range(0, height, step):
        block = padded[y : y + step + 1]
        here, left, up, corner = block[1:, size:], block[1:, :-size], block[:-1, size:], block[:-1, :-size]
        candidates = np.stack([here - prediction for prediction in _predictions(left, up, corner)])
        # Differences count by their size as signed bytes.
        cost = np.abs(candidates.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
        best = cost.argmin(axis=0)
        filtered[y : y + step, 0] = best
        filtered[y : y + step, 1:] = candidates[best, np.arange(len(best))]
    return filtered


def _predictions(
    left: NDArray[np.uint8], up: NDArray[np.uint8], corner: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], ...]:
    """What the filters None, Sub, Up, Average and Paeth predict."""
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    pa, pb = np.abs(b - c), np.abs(a - c)
    pc = np.abs(a + b - 2 * c)
    paeth = np.where((pa <= pb) & (pa <= pc), left, np.where(pb <= pc, up, corner))
    return np.zeros_like(left), left, up, ((a + b) >> 1).astype(np.uint8), paeth
