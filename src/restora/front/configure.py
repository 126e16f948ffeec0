"""Configure: from a name and the parameters a user gives to a method ready to run."""

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from restora.core.denoiser import Denoiser
from restora.core.errors import InvalidParameter, UnknownName
from restora.core.method import Method
from restora.core.problem import Problem
from restora.front.denoisers import denoiser_named

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a method, as shown to users: its name, its type in words, its default."""

    name: str
    type: Any
    default: object

    @property
    def words(self) -> str:
        """The type for a person: ``int``, ``float``, ``one of circular, reflect`` …"""
        if get_origin(self.type) is Literal:
            return "one of " + ", ".join(str(choice) for choice in get_args(self.type))
        if self.type is Denoiser:
            return "a method that denoises, or weights"
        return getattr(self.type, "__name__", str(self.type).replace(" | ", " or "))


def parameters_of(method: type[Method]) -> tuple[Parameter, ...]:
    """The parameters of a method class, in order; those of a field that is itself a table of them as ``field.name``."""
    found: list[Parameter] = []
    hints = get_type_hints(method)
    for field in dataclasses.fields(method):  # type: ignore[arg-type]  # every method is a dataclass
        default = _default(field)
        if hints[field.name] is Denoiser:  # whatever it is made of, it is chosen by its name
            found.append(Parameter(field.name, Denoiser, default))
        elif dataclasses.is_dataclass(default) and not isinstance(default, type):
            types = get_type_hints(type(default))
            found += [
                Parameter(f"{field.name}.{inner.name}", types[inner.name], getattr(default, inner.name))
                for inner in dataclasses.fields(default)
            ]
        else:
            found.append(Parameter(field.name, hints[field.name], default))
    return tuple(found)


def configure(method: type[Method], problem: Problem, given: Mapping[str, object]) -> Method:
    """The method with the paper's parameters for this problem, except those ``given``.

    Strings are read as the type of the field (``"0.5"``, ``"7"``, ``"true"``), so that a command line needs no types.
    A denoiser is given by the name of a method that denoises, by the name or path of weights, or as a function.

    Raises:
        UnknownName: a parameter the method has not; the message names the nearest.
        InvalidParameter: a value of the wrong type or out of range.
        CannotSolve: the method named as a denoiser does not denoise.
        MissingWeights: there is no denoiser of that name, neither a method nor weights.
        FileProblem: what is named as a denoiser is a folder.
    """
    known = {parameter.name: parameter for parameter in parameters_of(method)}
    for name in given:
        if name not in known:
            raise UnknownName.among("parameter", name, list(known))
    configured: Any = method.for_problem(problem)
    values: dict[str, Any] = {}
    for name, value in given.items():
        field, _, inner = name.partition(".")
        read = _read(known[name], value)
        values[field] = (
            dataclasses.replace(values.get(field, getattr(configured, field)), **{inner: read}) if inner else read
        )
    return dataclasses.replace(configured, **values)


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _read(parameter: Parameter, value: object) -> object:
    """``value`` as the type of the parameter."""
    for candidate in _alternatives(parameter.type):
        try:
            return _convert(candidate, value)
        except (KeyError, TypeError, ValueError):
            continue
    raise InvalidParameter.outside(parameter.name, value, parameter.words)


def _alternatives(type_: Any) -> tuple[Any, ...]:
    """The members of a union (None first, so that ``"none"`` is read as None), or the type alone."""
    if get_origin(type_) not in (Union, UnionType):
        return (type_,)
    return tuple(sorted(get_args(type_), key=lambda member: member is not type(None)))


def _convert(type_: Any, value: object) -> object:
    """``value`` as exactly this type; ValueError where it is not one."""
    if type_ is type(None):
        return {"none": None}[str(value).lower()]
    if get_origin(type_) is Literal:
        return {str(choice): choice for choice in get_args(type_)}[str(value)]
    if type_ is bool:
        return _BOOLEANS[str(value).lower()]
    if type_ in (int, float):
        return type_(str(value))
    if type_ is Denoiser and isinstance(value, str):
        return denoiser_named(value)
    if isinstance(value, get_origin(type_) or type_):
        return value
    raise ValueError
