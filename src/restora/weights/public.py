"""Public: the checkpoints that others have published for architectures of restora, of the table of networks."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from restora.core.errors import MissingWeights
from restora.core.networks import network_table
from restora.core.reading import from_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """A published checkpoint; nothing of it is part of restora.

    Attributes:
        name: by which it is fetched and asked for.
        architecture: a name of :func:`restora.nets.architectures.architectures`.
        url: where its authors keep it.
        source: whose repository that is, owner/name.
        licence: as that repository states it.
        task: what it is for, in words.
        bytes: its size; 0 where it is not known.
        sha256: its sum; empty where it is not known: then the first fetch records it.
    """

    name: str
    architecture: str
    url: str
    source: str
    licence: str
    task: str
    bytes: int = 0
    sha256: str = ""

    @property
    def suffix(self) -> str:
        """The suffix of its file."""
        return Path(self.url.partition("?")[0]).suffix


def find_public(name: str) -> Public:
    """The row of that name.

    Raises:
        MissingWeights: there is none; the message says which names are near.
    """
    known = {one.name: one for one in public_weights()}
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`restora weights list` shows what there is"
    raise MissingWeights(f"there are no published weights {name!r}; {hint}")


@cache
def public_weights() -> tuple[Public, ...]:
    """All rows, in the order of their names."""
    rows = [
        Public(
            name=file.name,
            architecture=name,
            url=release.at + (file.file or f"{file.name}.pth"),
            source=release.source,
            licence=release.licence,
            task=file.task,
            bytes=file.bytes,
            sha256=file.sha256,
        )
        for name, row in network_table()["architectures"].items()
        for release in (from_table(_Release, table, "networks.toml") for table in row.get("public", ()))
        for file in release.files
    ]
    return tuple(sorted(rows, key=lambda one: one.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A checkpoint of a release, as the table writes it."""

    name: str
    task: str
    file: str = ""
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Release:
    """Checkpoints that lie at one address under one licence."""

    source: str
    licence: str
    at: str
    files: tuple[_File, ...]
