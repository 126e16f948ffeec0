"""Record: what is known of a file of weights, as a TOML file beside it and as JSON in its own header."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from restora.core.errors import FileProblem, InvalidParameter, UnknownName
from restora.core.reading import from_table, read_toml
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
        architecture: a name of :func:`restora.nets.architectures.architectures`.
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
        return cls.of(read_toml(path), str(path))

    @classmethod
    def of(cls, table: Mapping[str, Any], where: str) -> "Record":
        """The record of a table as TOML and JSON give it.

        Args:
            table: the fields by name.
            where: where it was found, for the message.

        Raises:
            FileProblem: a field is missing, not known, or of the wrong kind.
        """
        try:
            return from_table(cls, table, where)
        except (InvalidParameter, UnknownName) as error:
            raise FileProblem(f"the record {error}") from error

    def write(self, path: Path) -> None:
        """Write it as TOML; a record that is there already is replaced, whole or not at all.

        Raises:
            FileProblem: the file cannot be written.
            InvalidParameter: as :meth:`as_toml`.
        """
        write_atomically(path, self.as_toml().encode("utf-8"), overwrite=True)

    def as_toml(self) -> str:
        """The text of the TOML file.

        Raises:
            InvalidParameter: a field of the architecture has a value that TOML does not have, such as None.
        """
        try:
            return tomli_w.dumps(asdict(self))
        except TypeError as error:
            raise InvalidParameter(f"the record of {self.name} cannot be written as TOML: {error}") from error

    def as_header(self) -> str:
        """JSON for the header of the file itself, without the size and sum of that file."""
        return json.dumps({key: value for key, value in asdict(self).items() if key not in ("bytes", "sha256")})
