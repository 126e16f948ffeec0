"""The ledger of published numbers: ``published.csv``, a row a cell of a table, each with its source.

Its columns are method, protocol, image (``mean`` for the average of a set), metric, value, status and source. The
status says how far a value can be trusted:

- ``published-verified``: read in the paper, its code, or its authors' repository;
- ``measured``: computed for this ledger with another implementation, whose name and settings the source gives;
- ``unverified``: remembered from a paper, no source at hand; never a bar to be held to.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from restora.core.errors import FileProblem

Standing = Literal["published-verified", "measured", "unverified"]

_STANDINGS: tuple[Standing, ...] = ("published-verified", "measured", "unverified")

MEAN = "mean"
"""The image name under which the average over a set stands."""


@dataclass(frozen=True, slots=True)
class Published:
    """A number of the literature.

    Attributes:
        method: its name in the catalog, or the name it would have there.
        protocol: id of the protocol.
        image: name of the image, or ``mean``.
        metric: such as ``psnr``.
        value: in the metric's unit.
        status: how far it can be trusted.
        source: where it stands, and what differs from the protocol there.
    """

    method: str
    protocol: str
    image: str
    metric: str
    value: float
    status: Standing
    source: str


@cache
def ledger() -> tuple[Published, ...]:
    """All rows, in the order of the file.

    Raises:
        FileProblem: a row of the file is malformed or stands there twice.
    """
    text = (files("restora.evaluation") / "published.csv").read_text(encoding="utf-8")
    return _parsed(text)


def find_published(method: str, protocol: str, metric: str, image: str = MEAN) -> Published | None:
    """The row of that method, protocol, metric and image; None where nothing is known."""
    return _by_key().get((method, protocol, image, metric))


def published_mean(method: str, protocol: str, metric: str, images: Sequence[str], whole: bool) -> float | None:
    """What the literature has for the mean over these images.

    Args:
        method: its name.
        protocol: id of the protocol.
        metric: such as ``psnr``.
        images: those the mean runs over.
        whole: they are all of the set, so that the set's average may stand for them.

    Returns:
        The average of the set; where that does not apply, the mean of the images' own values if all are known.
    """
    if whole and (average := find_published(method, protocol, metric)) is not None:
        return average.value
    known = [find_published(method, protocol, metric, image) for image in images]
    values = [row.value for row in known if row is not None]
    return sum(values) / len(values) if values and len(values) == len(images) else None


def standing_of(method: str, protocol: str, metric: str, image: str = MEAN) -> Standing | None:
    """How far what the literature has can be trusted; for a mean made of single images, as far as the worst of them."""
    row = find_published(method, protocol, metric, image)
    if row is not None:
        return row.status
    if image != MEAN:
        return None
    images = {r.status for r in ledger() if (r.method, r.protocol, r.metric) == (method, protocol, metric)}
    for standing in reversed(_STANDINGS):
        if standing in images:
            return standing
    return None


def _parsed(text: str) -> tuple[Published, ...]:
    rows: list[Published] = []
    seen: set[tuple[str, str, str, str]] = set()
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            entry = Published(
                row["method"],
                row["protocol"],
                row["image"],
                row["metric"],
                float(row["value"]),
                _standing(row["status"]),
                row["source"],
            )
        except (KeyError, ValueError, TypeError) as problem:
            raise FileProblem(f"line {line} of published.csv cannot be read: {problem}") from problem
        if _key(entry) in seen:
            raise FileProblem(f"line {line} of published.csv stands there twice: {', '.join(_key(entry))}")
        seen.add(_key(entry))
        rows.append(entry)
    return tuple(rows)


def _standing(word: str) -> Standing:
    for known in _STANDINGS:
        if word == known:
            return known
    raise ValueError(f"unknown status {word!r}")


def _key(row: Published) -> tuple[str, str, str, str]:
    return row.method, row.protocol, row.image, row.metric


@cache
def _by_key() -> dict[tuple[str, str, str, str], Published]:
    return {_key(row): row for row in ledger()}
