"""Dataclasses from tables of TOML and JSON, checked against the types of their fields.

Every mistake is one line that names the file, the field and what it may be: ``recipe.toml: training.steps = 'ten' is
not allowed: training.steps must be an integer``. Lists become tuples; only what a field calls an object stays as it is,
for the reader it is meant for. A field whose dataclass says ``field(metadata={"key": "lambda"})`` has that name in the
file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from restora.core.errors import FileProblem, InvalidParameter, UnknownName

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """Read the table in a TOML file.

    Raises:
        FileProblem: the file is missing, cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileProblem(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileProblem(f"{path} is not TOML: {error}") from error


def from_table(kind: type[T], table: Mapping[str, object], source: str) -> T:
    """Build a dataclass from a table whose keys are the names of its fields.

    Args:
        kind: a dataclass of numbers, strings, Literals, tuples, mappings, dataclasses, and unions of these.
        table: as TOML or JSON gives it.
        source: what to call the origin of the table in messages, such as the path of the file.

    Raises:
        UnknownName: the table, or a table in it, has a key that is no field; the message names the nearest.
        InvalidParameter: a field is missing, of another type, or outside of its range.
    """
    try:
        return _built(kind, table, "")
    except UnknownName as error:
        raise UnknownName(f"{source}: {error}") from error
    except InvalidParameter as error:
        raise InvalidParameter(f"{source}: {error}") from error


def _built(kind: type[T], table: Mapping[str, object], where: str) -> T:
    known = {_key(one): one for one in fields(kind) if one.init}  # type: ignore[arg-type]  # callers give dataclasses
    hints = get_type_hints(kind)
    for key in table:
        if key not in known:
            raise UnknownName.among("field", where + key, [where + name for name in known])
    for key, one in known.items():
        if key not in table and one.default is MISSING and one.default_factory is MISSING:
            raise InvalidParameter(f"the field {where}{key} is missing")
    values = {known[key].name: _value(hints[known[key].name], value, where + key) for key, value in table.items()}
    try:
        return kind(**values)
    except InvalidParameter as error:  # of a range, which only the dataclass knows
        raise InvalidParameter(f"{where.rstrip('.')}: {error}" if where else str(error)) from error


def _key(one: Field[Any]) -> str:
    return one.metadata.get("key", one.name)


def _value(hint: Any, value: object, where: str) -> Any:
    """The value, converted to the type."""
    if hint in (object, Any):
        return value if hint is object else _frozen(value)
    if get_origin(hint) in (Union, UnionType):
        return _member(get_args(hint), value, where)
    if get_origin(hint) is Literal:
        return _choice(get_args(hint), value, where)
    if isinstance(value, Mapping) and (is_dataclass(hint) or get_origin(hint) in (Mapping, dict)):
        return _table(hint, value, where)
    if isinstance(value, list | tuple) and get_origin(hint) is tuple:
        return _items(hint, value, where)
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is hint:
        return value
    raise InvalidParameter.outside(where, value, _words(hint))


def _table(hint: Any, value: Mapping[str, object], where: str) -> Any:
    if is_dataclass(hint):
        return _built(hint, value, where + ".")  # type: ignore[arg-type]  # the type of a field is no instance
    return {key: _value(get_args(hint)[1], item, f"{where}.{key}") for key, item in value.items()}


def _items(hint: Any, value: list[object] | tuple[object, ...], where: str) -> tuple[Any, ...]:
    members = get_args(hint)
    each = members[:1] * len(value) if members[-1] is ... else members
    if len(each) != len(value):
        raise InvalidParameter.outside(where, value, _words(hint))
    return tuple(_value(one, item, f"{where}[{i}]") for i, (one, item) in enumerate(zip(each, value)))


def _choice(choices: tuple[Any, ...], value: object, where: str) -> object:
    if any(value == choice and type(value) is type(choice) for choice in choices):
        return value
    raise InvalidParameter.outside(where, value, "one of " + ", ".join(map(str, choices)))


def _member(members: tuple[Any, ...], value: object, where: str) -> Any:
    """The value as the first type of a union that takes it."""
    for member in members:
        if is_dataclass(member) and isinstance(value, Mapping):
            return _value(member, value, where)  # its own message says more
    for member in members:
        try:
            return _value(member, value, where)
        except InvalidParameter:
            continue
    raise InvalidParameter.outside(where, value, " or ".join(map(_words, members)))


def _frozen(value: object) -> object:
    """Lists as tuples, all the way down."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _words(hint: Any) -> str:
    """The type in a sentence."""
    origin = get_origin(hint)
    if origin is tuple:
        return "a list" if get_args(hint)[-1] is ... else f"a list of {len(get_args(hint))}"
    if is_dataclass(hint) or origin in (Mapping, dict):
        return "a table"
    names = {bool: "true or false", int: "an integer", float: "a number", str: "a string", NoneType: "nothing"}
    return names.get(hint, str(hint))
