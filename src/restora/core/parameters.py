"""Parameters: the fields of a method, with their ranges declared in their types and checked in one place.

A field says what it may be where it is declared: ``lam: Annotated[float, positive] = 0.07``, or as a ``Literal`` of its
choices. The constructor, the command line, the documentation and the property tests all read that declaration.
"""

import dataclasses
import math
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from restora.core.denoiser import Denoiser
from restora.core.errors import InvalidParameter


@dataclasses.dataclass(frozen=True, slots=True)
class Interval:
    """The finite numbers a parameter may be.

    Attributes:
        low: the lower end.
        high: the upper end.
        has_low: whether the lower end belongs to it.
        has_high: whether the upper end belongs to it.
        odd: only odd whole numbers belong to it.
    """

    low: float
    high: float = math.inf
    has_low: bool = True
    has_high: bool = True
    odd: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, Real) or not math.isfinite(value):
            return False
        value = float(value)
        above = value >= self.low if self.has_low else value > self.low
        below = value <= self.high if self.has_high else value < self.high
        return above and below and (not self.odd or value % 2 == 1)

    def __str__(self) -> str:
        if math.isinf(self.high):
            bound = f"{'>=' if self.has_low else '>'} {self.low:g}"
        else:
            bound = f"in {'[' if self.has_low else '('}{self.low:g}, {self.high:g}{']' if self.has_high else ')'}"
        return f"odd and {bound}" if self.odd else bound


def above(low: float) -> Interval:
    """The finite numbers > ``low``."""
    return Interval(low, has_low=False)


def at_least(low: float) -> Interval:
    """The finite numbers >= ``low``."""
    return Interval(low)


positive = above(0)
nonnegative = at_least(0)
counting = at_least(1)
"""1, 2, 3 …"""
odd = Interval(1, odd=True)
"""1, 3, 5 …: the side of a window with a centre."""


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a method, as users see it.

    Attributes:
        name: of the field; ``field.name`` for one of a field that is itself a table of parameters.
        type: its type, without the range.
        default: its default.
        interval: the numbers it may be; None where it is no number or any will do.
    """

    name: str
    type: Any
    default: object
    interval: Interval | None = None

    @property
    def words(self) -> str:
        """The type and range for a person: ``int, odd and >= 1``, ``one of circular, reflect`` …"""
        names = [_words_of(member) for member in members_of(self.type)]
        return " or ".join(names) + (f", {self.interval}" if self.interval is not None else "")

    def check(self, value: object) -> None:
        """Refuse a value that is not in the declared range.

        Raises:
            InvalidParameter: it is not.
        """
        members = members_of(self.type)
        if value is None and type(None) in members:
            return
        choices = [choice for member in members if get_origin(member) is Literal for choice in get_args(member)]
        if choices and value in choices:
            return
        if self.interval is not None:
            whole = float not in members
            if value in self.interval and (not whole or isinstance(value, Integral)):
                return
        elif not choices:
            return
        raise InvalidParameter.outside(self.name, value, self._allowed())

    def _allowed(self) -> str:
        return str(self.interval) if self.interval is not None and float in members_of(self.type) else self.words


def members_of(type_: Any) -> tuple[Any, ...]:
    """The members of a union, or the type alone."""
    return get_args(type_) if get_origin(type_) in (Union, UnionType) else (type_,)


@cache
def fields_of(table: type) -> tuple[Parameter, ...]:
    """The fields of a dataclass in order, with the ranges that their types declare."""
    hints = get_type_hints(table, include_extras=True)
    return tuple(_declared(field, hints[field.name]) for field in dataclasses.fields(table))


def parameters_of(table: type) -> tuple[Parameter, ...]:
    """The parameters of a method, in order; those of a field that is a table of them by ``field.name``."""
    found: list[Parameter] = []
    for parameter in fields_of(table):
        inner = parameter.default
        if dataclasses.is_dataclass(inner) and type(inner) in members_of(parameter.type):
            found += [
                dataclasses.replace(p, name=f"{parameter.name}.{p.name}", default=getattr(inner, p.name))
                for p in fields_of(type(inner))
            ]
        else:
            found.append(parameter)
    return tuple(found)


def check_parameters(table: Any) -> None:
    """Refuse fields of a dataclass outside the ranges that their types declare.

    Raises:
        InvalidParameter: one is; the sentence names it, its value and what is allowed.
    """
    for parameter in fields_of(type(table)):
        parameter.check(getattr(table, parameter.name))


def check_number(name: str, value: object, interval: Interval) -> None:
    """Refuse an argument outside its interval, where it is no field of a dataclass.

    Raises:
        InvalidParameter: it is.
    """
    if value not in interval:
        raise InvalidParameter.outside(name, value, str(interval))


def _declared(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    interval = None
    if get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
        interval = next((mark for mark in marks if isinstance(mark, Interval)), None)
    return Parameter(field.name, hint, _default(field), interval)


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _words_of(type_: Any) -> str:
    if get_origin(type_) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(type_))
    if type_ is type(None):
        return "none"
    if type_ is Denoiser:
        return "a method that denoises, or weights"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}.get(
        type_, getattr(type_, "__name__", str(type_))
    )
