"""Record: what is known of a file of weights, as a TOML file beside it and as JSON in its own header."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from restora.core.errors import FileProblem, InvalidParameter
from restora.core.spec import Task
from restora.images.atomic import write_atomically

Plain = bool | int | float | str | tuple[Any, ...]
"""What the fields of an architecture are made of; tuples hold the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """Images a network was trained on.

    Attributes:
        folder: the name of the set.
        images: how many of its images were used.
        sha256: of the sorted SHA-256 sums of their files, each on a line of its own.
    """

    folder: str
    images: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is known of a file of weights.

    Attributes:
        name: by which the weights are asked for; the file is NAME.safetensors.
        architecture: a name of :data:`restora.nets.architectures.ARCHITECTURES`.
        fields: what its constructor takes, beside defaults.
        task: what the network is for.
        channels: of the images, 1 or 3.
        purpose: for which images, in a few words.
        bytes: size of the file; 0 in the file's own header, which cannot know it.
        sha256: of the file, in hexadecimal; empty in the file's own header.
        recipe: the file of ``recipes/`` that made it, without its folder.
        trained: a sentence: device, minutes, steps, date.
        data: what it was trained on.
        terms: of those data.
        licence: of the weights.
        validation: numbers of the validation during training, by name.
        measured: numbers by metric, by the id of the protocol they were measured on.
    """

    name: str
    architecture: str
    fields: Mapping[str, Plain]
    task: Task
    channels: int
    purpose: str = ""
    bytes: int = 0
    sha256: str = ""
    recipe: str = ""
    trained: str = ""
    data: tuple[DataFolder, ...] = ()
    terms: str = ""
    licence: str = ""
    validation: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Record":
        """The record in a TOML file.

        Raises:
            FileProblem: the file is missing, no TOML, or no record.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FileProblem(f"the record {path} cannot be read: {(error.strerror or str(error)).lower()}") from error
        except ValueError as error:
            raise FileProblem(f"the record {path} is not TOML: {error}") from error
        return cls.of(table, str(path))

    @classmethod
    def of(cls, table: Mapping[str, Any], where: str) -> "Record":
        """The record of a table as TOML and JSON give it.

        Args:
            table: the fields by name.
            where: where it was found, for the message.

        Raises:
            FileProblem: a field is missing, not known, or of the wrong kind.
        """
        unknown = sorted(set(table) - {one.name for one in fields(cls)})
        if unknown:
            raise FileProblem(f"the record {where} has unknown fields: {', '.join(unknown)}")
        try:
            return cls._of(table)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileProblem(f"the record {where} is not complete or not right: {error}") from error

    @classmethod
    def _of(cls, table: Mapping[str, Any]) -> "Record":
        if table["task"] not in get_args(Task):
            raise ValueError(f"task {table['task']!r} is none of {', '.join(get_args(Task))}")
        texts = {key: str(table[key]) for key in _TEXTS if key in table}
        return cls(
            fields={key: _frozen(value) for key, value in table["fields"].items()},
            task=table["task"],
            channels=int(table["channels"]),
            bytes=int(table.get("bytes", 0)),
            data=tuple(
                DataFolder(folder=str(one["folder"]), images=int(one["images"]), sha256=str(one["sha256"]))
                for one in table.get("data", ())
            ),
            validation={key: float(value) for key, value in table.get("validation", {}).items()},
            measured={
                protocol: {metric: float(value) for metric, value in numbers.items()}
                for protocol, numbers in table.get("measured", {}).items()
            },
            name=str(table["name"]),
            architecture=str(table["architecture"]),
            **{key: value for key, value in texts.items() if key not in ("name", "architecture")},
        )

    def write(self, path: Path) -> None:
        """Write it as TOML; a record that is there already is replaced, whole or not at all.

        Raises:
            FileProblem: the file cannot be written.
            InvalidParameter: a field of the architecture has a value TOML has no word for, such as None.
        """
        write_atomically(path, self.as_toml().encode("utf-8"), overwrite=True)

    def as_toml(self) -> str:
        """The text of the TOML file."""
        return "\n".join(_toml(asdict(self), ())) + "\n"

    def as_header(self) -> str:
        """JSON for the header of the file itself, without the size and sum of that file."""
        return json.dumps({key: value for key, value in asdict(self).items() if key not in ("bytes", "sha256")})


_TEXTS = ("name", "architecture", "purpose", "sha256", "recipe", "trained", "terms", "licence")


def _frozen(value: Any) -> Plain:
    """Lists as tuples, all the way down."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    if not isinstance(value, bool | int | float | str):
        raise TypeError(f"{value!r} is no plain value")
    return value


def _toml(table: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[str]:
    """The lines of a table: its values first, then the tables in it, as TOML wants them."""
    for key, value in table.items():
        if not isinstance(value, Mapping) and not _is_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        inner = (*place, key)
        header = ".".join(_key(part) for part in inner)
        if isinstance(value, Mapping):
            yield from ("", f"[{header}]", *_toml(value, inner))
        elif _is_tables(value):
            for one in value:
                yield from ("", f"[[{header}]]", *_toml(one, inner))


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    raise InvalidParameter(f"a record cannot hold {value!r}: its values are numbers, texts, booleans and lists of them")


def _text(text: str) -> str:
    """A basic string of TOML; its escapes are those of JSON, and DEL has to be escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
