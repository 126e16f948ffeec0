"""Rules: how the parameters of a method follow the noise, read from the table of its paper."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

L = TypeVar("L", bound=float)
T = TypeVar("T")


def interpolated(sigma: float, table: Mapping[L, tuple[float, ...]]) -> tuple[float, ...]:
    """The row of a table at σ: linear between its rows, and beyond them the first or the last row.

    Args:
        sigma: σ on [0, 1].
        table: a row of parameters for each 255σ, in ascending order.
    """
    return tuple(float(np.interp(255 * sigma, list(table), column)) for column in zip(*table.values(), strict=True))


def up_to(level: float, table: Mapping[L, T]) -> T:
    """The entry of the least limit that ``level`` does not exceed.

    Args:
        level: 255σ, or another quantity that the limits bound.
        table: an entry for each limit, in ascending order; the last limit is ∞.
    """
    return next(entry for limit, entry in table.items() if level <= limit)
