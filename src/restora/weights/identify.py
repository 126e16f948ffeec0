"""Identify: what a file of weights holds, by its record or, without one, by its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from restora.core.errors import FileProblem, UnknownName
from restora.nets.architectures import architectures, recognise
from restora.nets.recognised import Recognised
from restora.weights.files import read_header, read_state, record_in
from restora.weights.record import Record
from restora.weights.store import find, record_beside


@dataclass(frozen=True, eq=False, slots=True)
class Identified:
    """A file of weights and what it is.

    Attributes:
        path: of the file.
        name: its own name, without folder and suffix.
        record: what is known of it; None of files that are not ours.
        found: architecture, fields, state and layout.
    """

    path: Path
    name: str
    record: Record | None
    found: Recognised


def identify(weights: str) -> Identified:
    """Find and read a file of weights, whose name or path is given.

    Files of restora say what they are; others are recognised by names and shapes of their tensors.

    Raises:
        MissingWeights: there are none of that name.
        FileProblem: the file is damaged, no checkpoint, or of no architecture known here.
    """
    path = find(weights)
    record, state = record_of(path), read_state(path)
    found = recognise(state, str(path)) if record is None else _as_recorded(record, state, path)
    return Identified(path, path.stem, record, found)


def architecture_of(weights: str) -> str:
    """The architecture of a file of weights, as its record says, else as its tensors do.

    Raises:
        As :func:`identify`.
    """
    record = record_of(find(weights))
    return record.architecture if record is not None else identify(weights).found.architecture


def record_of(path: Path) -> Record | None:
    """The record beside a file, else the one in its header, else None.

    Raises:
        FileProblem: the file or its record cannot be read.
    """
    beside = record_beside(path)
    if beside is not None:
        return beside
    table = record_in(read_header(path))
    return None if table is None else Record.of(table, f"in the header of {path}")


def _as_recorded(record: Record, state: Mapping[str, Tensor], path: Path) -> Recognised:
    if record.architecture not in architectures():
        error = UnknownName.among("network", record.architecture, list(architectures()))
        raise FileProblem(f"{path} is no network, or its record is wrong: {error}")
    return Recognised(record.architecture, record.fields, state, "restora")
