"""Duels: ours and a peer in turns on the same input, each with the threads it takes by default; medians are compared.

``ratio`` is peer_seconds/ours_seconds: above 1 we are the faster. Losses are kept.
"""

import argparse
import csv
import datetime
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Duel:
    """Two functions that do the same work: what it is, our method's name, the peer's, and the size of the input."""

    benchmark: str
    method: str
    peer: str
    size: str
    ours: Callable[[], object]
    theirs: Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A line of the results."""

    benchmark: str
    method: str
    peer: str
    size: str
    ours_seconds: float
    peer_seconds: float
    ratio: float
    version: str
    date: str


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(duel: Duel, repeats: int) -> Row:
    duel.ours()  # compiles, or loads what was compiled
    duel.theirs()
    pairs = [(seconds(duel.ours), seconds(duel.theirs)) for _ in range(repeats)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs))
    return Row(
        duel.benchmark,
        duel.method,
        duel.peer,
        duel.size,
        round(ours, 5),
        round(theirs, 5),
        round(theirs / ours, 2),
        version("restora"),
        datetime.date.today().isoformat(),
    )


def fight(duels: Iterable[Duel], out: Path, description: str) -> None:
    """Read ``--repeats`` and ``--out`` from the command line, run all duels, print them and write their CSV."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=out)
    arguments = parser.parse_args()
    rows = []
    for duel in duels:
        row = measure(duel, arguments.repeats)
        rows.append(row)
        print(
            f"{row.benchmark:<43}{row.peer:<14}{row.size:<12}{row.ours_seconds * 1e3:9.2f} ms"
            f"{row.peer_seconds * 1e3:10.2f} ms   x{row.ratio:.2f}",
            flush=True,
        )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(astuple(row) for row in rows)
