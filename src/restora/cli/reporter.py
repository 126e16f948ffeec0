"""Reporter: what a run says, to a person or in JSON, and how far it is."""

import json
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Timer
from typing import TYPE_CHECKING

from restora.core.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

SHOWN_AFTER = 2.0
"""Seconds of work after which a bar appears."""


def print_json(record: Mapping[str, object]) -> None:
    """Print an object as a line of JSON."""
    print(json.dumps(record, ensure_ascii=False), flush=True)


def print_table(head: Sequence[str], forms: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, wrapped to a terminal; where something else reads it, a line a row, its cells in these formats."""
    if not sys.stdout.isatty():
        for row in rows:
            print(" ".join(f"{cell:{form}}" for cell, form in zip(row, forms)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=None, header_style="bold", pad_edge=False)
    for first, *others in rows:
        table.add_row(f"[cyan]{first}[/]", *others)
    Console().print(table)


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be said of one picture.

    Attributes:
        source: what was read.
        output: where the result lies; None where nothing was written.
        done: what was done, in words.
        seconds: from the first byte read to the last written.
        seen: what was found wrong, in words.
        facts: what JSON says beside these.
    """

    source: str
    output: str | None
    done: str
    seconds: float
    seen: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reporter:
    """How a run reports.

    Attributes:
        json: one object a picture on standard output, and nothing else there.
        quiet: errors only.
        to_standard: the picture goes to standard output, so all lines go to standard error.
    """

    json: bool = False
    quiet: bool = False
    to_standard: bool = False

    def say(self, line: str) -> None:
        """A line for a person."""
        if not self.quiet and not self.json:
            print(line, file=sys.stderr if self.to_standard else sys.stdout, flush=True)

    def warn(self, line: str) -> None:
        """A line of trouble, always said."""
        print(f"restora: {line}", file=sys.stderr, flush=True)

    def report(self, report: Report) -> None:
        """What became of a picture."""
        if self.json:
            facts = {**report.facts, "sentence": report.done, "seen": list(report.seen)}
            seconds = round(report.seconds, 3)
            print_json({"input": report.source, "output": report.output, **facts, "seconds": seconds})
            return
        self.say(report.source)
        for sentence in report.seen:
            self.say(f"  seen    {sentence}")
        self.say(f"  done    {report.done}")
        self.say(f"  saved   {report.output or 'nothing was written'} ({report.seconds:.1f} s)")

    def failed(self, source: str, error: Exception) -> None:
        """A picture that could not be done, for JSON; a person reads of it at the end."""
        if self.json:
            print_json({"input": source, "output": None, "error": str(error)})

    @contextmanager
    def progress(self, title: str) -> Generator[Progress, None, None]:
        """The progress of one picture: a bar on standard error once it takes long, if a person is there to see it."""
        if self.quiet or not sys.stderr.isatty():
            yield silent
            return
        meter = _Meter(title)
        try:
            yield meter
        finally:
            meter.close()


class _Meter:
    """A bar with the time that is left; it comes up by itself after :data:`SHOWN_AFTER` and goes without a trace."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars: Bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bars.add_task(title, total=None, note="")
        self._timer = Timer(SHOWN_AFTER, self._bars.start)
        self._timer.daemon = True
        self._timer.start()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self._bars.update(self._task, completed=done, total=total, note=note)

    def close(self) -> None:
        """Take the bar away."""
        self._timer.cancel()
        self._timer.join()
        self._bars.stop()


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """So far."""
        return time.perf_counter() - self._start
