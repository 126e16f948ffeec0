"""Palettes: from indices to colours, and back where the palette still holds every colour."""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def colours_of(indices: Bytes, palette: bytes, keep_colour: bool = False) -> tuple[Bytes, Bytes | None]:
    """Pixels (h, w, c) and alpha (h, w) that indices into a palette (RGBA, four bytes an entry) stand for.

    c is 1 if every colour of the palette is gray and ``keep_colour`` does not forbid it; alpha is None where every
    entry is opaque. Indices beyond the palette are opaque black, as most viewers show them.
    """
    entries = np.zeros((256, 4), dtype=np.uint8)
    entries[:, 3] = 255
    given = np.frombuffer(palette, dtype=np.uint8).reshape(-1, 4)[:256]
    entries[: len(given)] = given
    gray = not keep_colour and bool((given[:, :3] == given[:, :1]).all())
    alpha = None if (given[:, 3] == 255).all() else entries[indices, 3]
    return entries[:, :1][indices] if gray else entries[:, :3][indices], alpha


def indices_of(pixels: Bytes, alpha: Bytes | None, palette: bytes) -> Bytes | None:
    """Indices (h, w) of the palette entries that equal the pixels; None if some pixel has no such entry."""
    keys = _keys(np.frombuffer(palette, dtype=np.uint8).reshape(-1, 4))
    # A stable order makes the first of equal entries the one that is used.
    order = np.argsort(keys, kind="stable")
    wanted = np.empty((*pixels.shape[:2], 4), dtype=np.uint8)
    wanted[..., :3] = pixels
    wanted[..., 3] = 255 if alpha is None else alpha
    wanted_keys = _keys(wanted)
    place = np.searchsorted(keys[order], wanted_keys).clip(max=len(keys) - 1)
    indices = order[place]
    return indices.astype(np.uint8) if bool((keys[indices] == wanted_keys).all()) else None


def _keys(colours: Bytes) -> NDArray[np.uint32]:
    return np.ascontiguousarray(colours).view(np.uint32)[..., 0]
