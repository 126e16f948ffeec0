"""Contests: ours and a peer at equal parameters, in turns, at 1 and 2 threads, with the PSNR of both."""

import csv
import datetime
import math
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from importlib.metadata import version
from pathlib import Path

import cv2
import numba
import numpy as np
import torch

Array = np.ndarray
"""(h, w) or (h, w, channel), on [0, 1]."""


@dataclass(frozen=True)
class Contest:
    """Two functions that do the same work.

    Attributes:
        work: what is done, with the parameters.
        method: our name in the catalog.
        peer: library and function.
        clean: the image the results are compared with.
        ours: the restored image (h, w[, c]); the measurement is bound already.
        theirs: likewise.
    """

    work: str
    method: str
    peer: str
    clean: Array
    ours: Callable[[], Array]
    theirs: Callable[[], Array]


@dataclass(frozen=True)
class Row:
    """A line of the results; ``ratio`` is peer_seconds/ours_seconds, above 1 we are the faster."""

    benchmark: str
    method: str
    peer: str
    size: str
    threads: int
    ours_seconds: float
    peer_seconds: float
    ratio: float
    ours_psnr: float
    peer_psnr: float
    version: str
    date: str


def as_tensor(image: Array) -> torch.Tensor:
    """(1, c, h, w) of an array (h, w) or (h, w, c)."""
    return torch.from_numpy(image).reshape(*image.shape[:2], -1).movedim(-1, 0)[None].contiguous()


def as_array(x: torch.Tensor) -> Array:
    """The inverse of :func:`as_tensor`."""
    return x[0, 0].numpy() if x.shape[1] == 1 else x[0].movedim(0, -1).numpy()


def psnr(x: Array, clean: Array) -> float:
    """After clipping to [0, 1]."""
    return -10 * math.log10(float(np.mean((np.clip(x, 0, 1).astype(np.float64) - clean) ** 2)))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Give Numba, Torch and OpenCV that many threads."""
    before = numba.get_num_threads(), torch.get_num_threads(), cv2.getNumThreads()
    for limit, number in zip((numba.set_num_threads, torch.set_num_threads, cv2.setNumThreads), (count,) * 3):
        limit(number)
    try:
        yield
    finally:
        numba.set_num_threads(before[0])
        torch.set_num_threads(before[1])
        cv2.setNumThreads(before[2])


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _medians(contest: Contest, most_repeats: int, budget: float) -> tuple[float, float]:
    """Median times of both, run in turns: ``most_repeats`` times, fewer (at least once) if that exceeds the budget."""
    pairs: list[tuple[float, float]] = []
    while len(pairs) < most_repeats and (not pairs or sum(map(sum, pairs)) < budget):
        pairs.append((seconds(contest.ours), seconds(contest.theirs)))
    ours, theirs = zip(*pairs)
    return statistics.median(ours), statistics.median(theirs)


def measure(contest: Contest, count: int, most_repeats: int = 7, budget: float = 3.0) -> Row:
    with threads(count):
        found = contest.ours()  # compiles, or loads what was compiled
        peers = contest.theirs()
        ours, theirs = _medians(contest, most_repeats, budget)
    return Row(
        contest.work,
        contest.method,
        contest.peer,
        "x".join(map(str, contest.clean.shape)),
        count,
        round(ours, 5),
        round(theirs, 5),
        round(theirs / ours, 2),
        round(psnr(found, contest.clean), 2),
        round(psnr(peers, contest.clean), 2),
        version("restora"),
        datetime.date.today().isoformat(),
    )


def hold(contests: Iterable[Contest], out: Path) -> None:
    """Run all contests at 1 and 2 threads; print them as they end, and keep their CSV up to date."""
    rows: list[Row] = []
    for contest in contests:
        for count in (1, 2):
            row = measure(contest, min(count, numba.config.NUMBA_NUM_THREADS))
            rows.append(row)
            print(
                f"{row.benchmark:<46.46}{row.peer:<34.34}{row.size:<12}{row.threads}  {row.ours_seconds * 1e3:10.2f} ms"
                f"{row.peer_seconds * 1e3:11.2f} ms   x{row.ratio:<8.2f}{row.ours_psnr:.2f} / {row.peer_psnr:.2f} dB",
                flush=True,
            )
            _write(rows, out)
    if hasattr(os, "getloadavg"):
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def _write(rows: list[Row], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(astuple(row) for row in rows)
