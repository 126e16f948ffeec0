"""Measurements: the rows a benchmark writes, and the CSV file in which they survive an interruption."""

import csv
import io
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from restora.core.errors import FileProblem

Key = tuple[str, str, str, str, str]
"""Method with its parameters, protocol, image, metric and kind of device."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one restored image, or of the mean over a set.

    Attributes:
        suite: name of the suite.
        method: name of the method.
        protocol: id of the protocol.
        set: name of the image set.
        image: name of the image, or ``mean``.
        metric: such as ``psnr`` or ``ssim-y``.
        value: ours.
        published: of the ledger; None where it has none.
        difference: value − published.
        seconds: of the restoration alone; for a mean, the mean.
        peak_mib: most memory held during it, in MiB; for a mean, the largest; None where it cannot be known.
        device: such as ``cpu (AMD EPYC 9B14, 2 threads)``.
        version: of restora.
        date: ISO 8601.
        code: the fingerprint of the code and weights behind the value; empty where it was not recorded.
        parameters: of the method, where they differ from those its paper gives, such as ``h_over_sigma=0.4``.
    """

    suite: str
    method: str
    protocol: str
    set: str
    image: str
    metric: str
    value: float
    published: float | None
    difference: float | None
    seconds: float
    peak_mib: float | None
    device: str
    version: str
    date: str
    code: str = ""
    parameters: str = ""

    @property
    def label(self) -> str:
        """The method, with its parameters where they are not the paper's."""
        return labelled(self.method, self.parameters)

    @property
    def key(self) -> Key:
        """What a row is about; of two rows with the same key the later one holds."""
        return self.label, self.protocol, self.image, self.metric, self.device.partition(" ")[0]


def labelled(method: str, parameters: str) -> str:
    """The name of a method, with its parameters where they are not the paper's."""
    return f"{method} ({parameters})" if parameters else method


COLUMNS = tuple(field.name for field in fields(Row))
"""The columns of ``measurements.csv``, in order."""


class Measurements:
    """A CSV file of rows that is only ever appended to.

    Rows given together are written in one piece and flushed to the disk, so that an interruption leaves at most one
    torn line at the end; that line is dropped when the file is opened again.

    Args:
        path: of the file; made, with its folder, if it is not there.

    Raises:
        FileProblem: the file is not one of measurements, or cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _drop_torn_line(path)
            if not path.is_file() or path.stat().st_size == 0:
                path.write_text(_line(COLUMNS), encoding="utf-8")
        except OSError as problem:
            raise FileProblem(f"cannot write {path}: {problem}") from problem
        self._rows = {row.key: row for row in read_rows(path)}

    def rows(self) -> tuple[Row, ...]:
        """The rows that hold, in the order in which they were first written."""
        return tuple(self._rows.values())

    def get(self, key: Key, code: str) -> Row | None:
        """The row of that key, if it was measured by that code."""
        row = self._rows.get(key)
        return row if row is not None and row.code == code else None

    def append(self, rows: Sequence[Row]) -> None:
        """Write rows, all of them or, if the power fails in between, a part that is recognised as such.

        Raises:
            FileProblem: the disk is full, or the file may not be written.
        """
        text = "".join(_line([_written(getattr(row, column)) for column in COLUMNS]) for row in rows)
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise FileProblem(f"cannot write {self.path}: {problem}") from problem
        self._rows.update((row.key, row) for row in rows)


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a file of measurements, in order; a torn last line is left out.

    Raises:
        FileProblem: the file cannot be read or is not one of measurements.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise FileProblem(f"cannot read {path}: {problem}") from problem
    lines = text[: text.rfind("\n") + 1].splitlines()
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise FileProblem(f"{path} is not a file of measurements: its columns should be {','.join(COLUMNS)}")
    return tuple(_parsed(path, number, row) for number, row in enumerate(reader, start=2))


def _parsed(path: Path, number: int, row: dict[str, str]) -> Row:
    try:
        return Row(
            suite=row["suite"],
            method=row["method"],
            protocol=row["protocol"],
            set=row["set"],
            image=row["image"],
            metric=row["metric"],
            value=float(row["value"]),
            published=_number(row["published"]),
            difference=_number(row["difference"]),
            seconds=float(row["seconds"]),
            peak_mib=_number(row["peak_mib"]),
            device=row["device"],
            version=row["version"],
            date=row["date"],
            code=row["code"],
            parameters=row["parameters"],
        )
    except (TypeError, ValueError) as problem:
        raise FileProblem(f"line {number} of {path} cannot be read: {problem}") from problem


def _number(text: str) -> float | None:
    return float(text) if text else None


def _written(value: object) -> str:
    """Numbers to four decimals, which is more than any table prints."""
    if isinstance(value, float):
        return f"{value:.4f}" if math.isfinite(value) else str(value)
    return "" if value is None else str(value)


def _line(words: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(words)
    return text.getvalue()


def _drop_torn_line(path: Path) -> None:
    """Cut what follows the last line end: it was being written when the last run was cut off."""
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
