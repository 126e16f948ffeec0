"""Ranges are declared in the types of fields, checked when a method is made, and shown in words."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from restora.core.errors import InvalidParameter
from restora.core.parameters import (
    Interval,
    above,
    at_least,
    check_number,
    check_parameters,
    counting,
    nonnegative,
    odd,
    parameters_of,
    positive,
)


@dataclass(frozen=True, slots=True)
class Inner:
    side: Annotated[int, odd] = 3

    def __post_init__(self):
        check_parameters(self)


@dataclass(frozen=True, slots=True)
class Table:
    lam: Annotated[float, positive] = 0.1
    weight: Annotated[float | None, Interval(0, 1, has_high=False)] = None
    count: Annotated[int, counting] = 2
    rule: Literal["a", "b"] = "a"
    name: str = "x"
    inner: Inner = Inner(5)

    def __post_init__(self):
        check_parameters(self)


@pytest.mark.parametrize(
    ("interval", "inside", "outside", "words"),
    [
        (positive, (1e-300, 3), (0, -1, math.inf, math.nan, "1"), "> 0"),
        (nonnegative, (0, 2.5), (-1e-9, math.inf), ">= 0"),
        (counting, (1, 7), (0, -1), ">= 1"),
        (odd, (1, 3), (0, 2, 4, -1, 1.5), "odd and >= 1"),
        (above(1), (1.01,), (1,), "> 1"),
        (at_least(2), (2,), (1,), ">= 2"),
        (Interval(0, 2, has_low=False), (2, 0.1), (0, 2.1), "in (0, 2]"),
        (Interval(0, 1, has_high=False), (0, 0.99), (1,), "in [0, 1)"),
    ],
)
def test_intervals_hold_what_they_say(interval, inside, outside, words):
    assert all(value in interval for value in inside)
    assert all(value not in interval for value in outside)
    assert str(interval) == words


@pytest.mark.parametrize(
    "fields", [{"lam": 0.0}, {"lam": math.nan}, {"weight": 1.0}, {"count": 0}, {"count": 1.5}, {"rule": "c"}], ids=str
)
def test_fields_out_of_range_are_refused_by_name(fields):
    (name,) = fields
    with pytest.raises(InvalidParameter, match=f"^{name} = "):
        Table(**fields)


def test_fields_in_range_are_taken():
    assert Table(lam=2, weight=0.5, count=9, rule="b").weight == 0.5


def test_parameters_are_listed_with_those_of_tables_in_them():
    found = {parameter.name: (parameter.default, parameter.words) for parameter in parameters_of(Table)}
    assert found == {
        "lam": (0.1, "a number, > 0"),
        "weight": (None, "a number or none, in [0, 1)"),
        "count": (2, "a whole number, >= 1"),
        "rule": ("a", "one of a, b"),
        "name": ("x", "a text"),
        "inner.side": (5, "a whole number, odd and >= 1"),
    }


def test_a_number_that_is_no_field_is_checked_alike():
    with pytest.raises(InvalidParameter, match="sigma = -1 is not allowed: sigma must be >= 0"):
        check_number("sigma", -1, nonnegative)
