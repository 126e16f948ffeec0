"""The quality of a JPEG file, from its quantisation tables.

libjpeg makes its tables from the two of ITU-T T.81, Annex K, and a quality 1 … 100 (its function jpeg_quality_scaling):
each entry is (base · scale + 50) div 100 cut to 1 … 255, with scale = 5000 div q below 50 and 200 − 2q from there.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Table K.1, row by row."""

CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)
"""Table K.2, row by row."""


def tables_of_quality(quality: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The luminance and chrominance tables that libjpeg makes for a quality in 1 … 100, each 64 steps row by row."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luminance, chrominance = (
        np.clip((np.array(base) * scale + 50) // 100, 1, 255).ravel() for base in (LUMINANCE, CHROMINANCE)
    )
    return tuple(int(step) for step in luminance), tuple(int(step) for step in chrominance)


def quality_of_tables(tables: Sequence[Sequence[int]]) -> int | None:
    """The libjpeg quality that makes ``tables``, or the one whose tables are nearest.

    Nearest is the smallest sum of |log ratio| over the steps. Tables of a picture that was turned by 90° are
    transposed, and are recognised as well.

    Args:
        tables: quantisation tables in the order of the components (luminance first), 64 steps each, row by row.

    Returns:
        1 … 100; None where there are no tables.
    """
    used = [np.asarray(table, dtype=np.float64).reshape(8, 8) for table in tables[:2]]
    if not used:
        return None
    log = np.log(np.stack(used).clip(1))
    candidates = _log_tables()[:, : len(used)]
    distance = np.minimum(
        np.abs(candidates - log).sum(axis=(1, 2, 3)), np.abs(candidates - log.swapaxes(1, 2)).sum(axis=(1, 2, 3))
    )
    return int(distance.argmin()) + 1


@cache
def _log_tables() -> np.ndarray:
    """Logarithms of the tables of all qualities, (100, 2, 8, 8)."""
    return np.log(np.array([tables_of_quality(q) for q in range(1, 101)], dtype=np.float64)).reshape(100, 2, 8, 8)
