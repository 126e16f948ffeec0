"""Report: ``RESULTS.md``, made of the CSV files below ``results/`` and of nothing else.

``results/<suite>/measurements.csv`` is what `restora bench` writes; other CSV files directly in ``results/`` (speed,
noise estimation …) become tables as they are.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from restora.core.errors import FileProblem, MissingData
from restora.evaluation.ledger import MEAN, Standing, ledger, standing_of
from restora.evaluation.measurements import Row, read_rows
from restora.evaluation.sets import image_sets
from restora.evaluation.suites import suite_names

TOLERANCE = 0.05
"""dB by which a value may fall short of its bar before the bar counts as missed."""

SSIM_TOLERANCE = 0.001
"""The same for values between 0 and 1."""

_HEADER = """# Results

Made by `restora report` from the CSV files below `results/`; never edit it by hand.

*Ours* is measured, *published* is the ledger's value for the same protocol (`src/restora/evaluation/published.csv`).
The *standing* of a published value is `verified` (read in the paper, its code or its authors' repository), `measured`
(computed for the ledger with another implementation) or `unverified` (from memory; not a bar). A bar is **missed**
where ours falls short of a verified or measured value by more than 0.05 dB, or 0.001 of SSIM. Rows without *ours* are
the literature's, for scale. Times are seconds an image.
"""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a table: what we measured, or, without ``ours``, what the literature has."""

    label: str
    value: float
    published: float | None
    standing: Standing | None
    ours: Row | None = None

    @classmethod
    def of(cls, row: Row, images: int) -> "_Line":
        """The line of a row; a mean over fewer ``images`` than the set has says so."""
        known = image_sets().get(row.set)
        count = images if known is None else known.count
        label = row.label if row.image == MEAN else f"{row.label}, {row.image}"
        if row.image == MEAN and images < count:
            label += f" ({images} of {count} images)"
        standing = standing_of(row.method, row.protocol, row.metric, row.image) if row.published is not None else None
        return cls(label, row.value, row.published, standing, row)

    @property
    def is_bar(self) -> bool:
        """Ours stands beside a value it is held to."""
        return self.ours is not None and self.published is not None and self.standing != "unverified"

    @property
    def shortfall(self) -> float:
        """By how much ours falls short of what is published; 0 where it does not, or nothing is."""
        return 0.0 if self.published is None else max(self.published - self.value, 0.0)

    @property
    def missed(self) -> bool:
        tolerance = SSIM_TOLERANCE if self.ours is not None and "ssim" in self.ours.metric else TOLERANCE
        return self.is_bar and self.shortfall > tolerance

    def cells(self) -> tuple[str, ...]:
        published = "" if self.published is None else f"{self.published:.3f}"
        standing = (self.standing or "").removeprefix("published-")
        if self.ours is None:
            return self.label, "", published, "", "", standing, "", "", ""
        difference = "" if self.published is None else f"{self.value - self.published:+.3f}"
        bar = ("**missed**" if self.missed else "met") if self.is_bar else ""
        peak = "" if self.ours.peak_mib is None else f"{self.ours.peak_mib:.0f}"
        cost = (f"{self.ours.seconds:.3g}", peak, self.ours.device)
        return f"**{self.label}**", f"{self.value:.3f}", published, difference, bar, standing, *cost


def write_report(results: Path, path: Path) -> None:
    """Make the report of the measurements below ``results``.

    Args:
        results: the folder of CSV files.
        path: the Markdown file to write, as a whole or not at all.

    Raises:
        MissingData: there are no CSV files below ``results``.
        FileProblem: a file cannot be read or written.
    """
    measured, tables = sorted(results.glob("*/measurements.csv")), sorted(results.glob("*.csv"))
    if not measured and not tables:
        raise MissingData(f"{results} holds no results: `restora bench SUITE --out {results}/SUITE` writes them")
    rows = tuple({row.key: row for file in measured for row in read_rows(file)}.values())
    counts = Counter(_series(row) for row in rows if row.image != MEAN)
    lines = [_Line.of(row, counts[_series(row)]) for row in _told(rows)]
    sections = [_HEADER, _summary(lines), *_suites(lines), *(_plain_table(table) for table in tables)]
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_text("\n".join(sections), encoding="utf-8")
        partial.replace(path)
    except OSError as problem:
        raise FileProblem(f"cannot write {path}: {problem}") from problem


def _series(row: Row) -> tuple[str, str, str, str]:
    """What a mean runs over: the rows of a method, protocol, metric and kind of device."""
    method, protocol, _, metric, kind = row.key
    return method, protocol, metric, kind


def _told(rows: Sequence[Row]) -> Iterator[Row]:
    """The means, and single images where the literature has a value for them and none for the mean."""
    judged = {_series(row) for row in rows if row.image == MEAN and row.published is not None}
    for row in rows:
        if row.image == MEAN or (row.published is not None and _series(row) not in judged):
            yield row


def _summary(lines: Sequence[_Line]) -> str:
    """How many bars are met, and which are missed, the worst first."""
    bars = [line for line in lines if line.is_bar]
    missed = sorted((line for line in bars if line.missed), key=lambda line: -line.shortfall)
    cells = [
        (f"{line.shortfall:.3f}", line.label, f"`{line.ours.protocol}`", line.ours.metric)
        for line in missed
        if line.ours is not None
    ]
    table = _markdown(("missed by", "method", "protocol", "metric"), cells) if cells else ""
    return f"{len(bars) - len(missed)} of {len(bars)} bars are met.\n\n{table}"


def _suites(lines: Sequence[_Line]) -> Iterator[str]:
    """A chapter a suite, in their own order, with a table for each protocol and metric."""
    for name in suite_names():
        tables: dict[tuple[str, str], list[_Line]] = {}
        for line in lines:
            if line.ours is not None and line.ours.suite == name:
                tables.setdefault((line.ours.protocol, line.ours.metric), []).append(line)
        if tables:
            yield f"## {name}\n"
        for (protocol, metric), of_table in tables.items():
            yield _table(protocol, metric, of_table)


def _table(protocol: str, metric: str, lines: Sequence[_Line]) -> str:
    """Means of all methods, ours and the literature's, best first; then the single images."""
    ours = {line.ours.label for line in lines if line.ours is not None}
    means = [line for line in lines if line.ours is not None and line.ours.image == MEAN]
    means += [
        _Line(entry.method, entry.value, entry.value, entry.status)
        for entry in ledger()
        if (entry.protocol, entry.metric, entry.image) == (protocol, metric, MEAN) and entry.method not in ours
    ]
    means.sort(key=lambda line: -line.value)
    images = sorted((line for line in lines if line not in means), key=lambda line: line.label)
    header = ("method", "ours", "published", "difference", "bar", "standing", "seconds", "peak MiB", "device")
    return f"### `{protocol}`, {metric}\n\n" + _markdown(header, [line.cells() for line in (*means, *images)])


def _plain_table(path: Path) -> str:
    """A CSV file as it is, under its name."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise FileProblem(f"cannot read {path}: {problem}") from problem
    return f"## {path.stem}\n\n" + (_markdown(lines[0], lines[1:]) if lines else "")


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
