"""Configure: from a name and the parameters a user gives to a method ready to run."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from restora.core.denoiser import Denoiser
from restora.core.errors import InvalidParameter, UnknownName
from restora.core.method import Method
from restora.core.parameters import Parameter, members_of, parameters_of
from restora.core.problem import Problem
from restora.front.denoisers import denoiser_named

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


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


def _read(parameter: Parameter, value: object) -> object:
    """``value`` as the type of the parameter."""
    # None first, so that "none" is read as None where that is allowed.
    for candidate in sorted(members_of(parameter.type), key=lambda member: member is not type(None)):
        try:
            return _convert(candidate, value)
        except (KeyError, TypeError, ValueError):
            continue
    raise InvalidParameter.outside(parameter.name, value, parameter.words)


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
