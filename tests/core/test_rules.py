"""Tables over the noise level, against values worked out by hand."""

import math

import pytest

from restora.core.rules import interpolated, up_to

TABLE = {15: (1, 10), 25: (3, 20), 50: (3, 5)}


@pytest.mark.parametrize(
    ("level", "row"), [(15, (1, 10)), (20, (2, 15)), (40, (3, 11)), (50, (3, 5)), (5, (1, 10)), (90, (3, 5))]
)
def test_rows_are_interpolated_and_held_outside(level, row):
    assert interpolated(level / 255, TABLE) == pytest.approx(row, rel=1e-12)


def test_a_limit_belongs_to_its_own_entry():
    limits = {12: "a", 30: "b", math.inf: "c"}
    assert [up_to(level, limits) for level in (0, 12, 12.5, 30, 31, math.inf)] == ["a", "a", "b", "b", "c", "c"]
