"""Inputs: from the words of the command line to the pictures they name."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from restora.core.errors import FileProblem
from restora.images.formats import FORMATS

STANDARD = "-"
"""The word for standard input and output."""

TAGS = ("restored", "degraded", "mask")
"""Marks in the names of files that restora wrote beside their pictures; folders are walked without these."""

_SUFFIXES = frozenset(suffix for form in FORMATS for suffix in form.suffixes)


@dataclass(frozen=True, slots=True)
class Source:
    """A picture to be read.

    Attributes:
        path: of the file; None is standard input.
        inside: its path inside the folder that was named; its name where it was named itself.
    """

    path: Path | None
    inside: Path

    def __str__(self) -> str:
        return "standard input" if self.path is None else str(self.path)

    def content(self) -> Path | bytes:
        """The path, or the bytes of standard input."""
        return sys.stdin.buffer.read() if self.path is None else self.path


@dataclass(frozen=True, slots=True)
class Found:
    """What the words named.

    Attributes:
        sources: the pictures, folders in alphabetical order.
        others: files in folders that are no images.
        unreadable: folders that may not be listed.
        is_batch: several pictures, or a folder: a bad one among them does not stop the others.
    """

    sources: tuple[Source, ...]
    others: int
    unreadable: tuple[str, ...]
    is_batch: bool


def find_pictures(words: Sequence[str], *, recursive: bool, leave_out: Path | None = None) -> Found:
    """The pictures that files, folders and globs name.

    Of folders, hidden files, files that are no images by their suffix, and what an earlier run wrote beside its
    pictures are left out, and so is the folder ``leave_out``, where this run writes.

    Raises:
        FileProblem: a glob that names nothing, or folders in which there is no picture.
    """
    sources: list[Source] = []
    unreadable: list[str] = []
    others = 0
    paths = [path for word in words for path in _expanded(word)]
    for path in paths:
        if path is not None and os.path.isdir(path):
            for found in _walk(path, recursive, leave_out, unreadable):
                if found.suffix.lower() not in _SUFFIXES:
                    others += 1
                elif not _is_ours(found):
                    sources.append(Source(found, found.relative_to(path)))
        else:
            sources.append(Source(path, Path("standard input" if path is None else path.name)))
    if not sources and not unreadable:
        hint = "" if recursive else " (-r looks into the folders below, too)"
        raise FileProblem(f"there is no picture in {', '.join(words)}{hint}")
    is_batch = len(paths) > 1 or any(path is not None and os.path.isdir(path) for path in paths)
    return Found(tuple(dict.fromkeys(sources)), others, tuple(unreadable), is_batch)


def _expanded(word: str) -> list[Path | None]:
    """The paths that a word stands for; None is standard input."""
    if word == STANDARD:
        return [None]
    if glob.has_magic(word) and not os.path.exists(word):
        matches = [Path(match) for match in sorted(glob.glob(word, recursive=True))]
        if not matches:
            raise FileProblem(f"no file is named like {word}")
        return list(matches)
    return [Path(word)]


def _walk(folder: Path, recursive: bool, leave_out: Path | None, unreadable: list[str]) -> Iterator[Path]:
    """The files of a folder that are not hidden."""

    def note(error: OSError) -> None:
        unreadable.append(f"{error.filename} may not be listed: {(error.strerror or str(error)).lower()}")

    for place, folders, files in os.walk(folder, onerror=note):
        kept = sorted(f for f in folders if not f.startswith(".") and not _is_same(Path(place, f), leave_out))
        folders[:] = kept if recursive else []
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def _is_ours(path: Path) -> bool:
    return path.stem.rpartition(".")[2] in TAGS and "." in path.stem


def _is_same(folder: Path, other: Path | None) -> bool:
    return other is not None and folder.resolve() == other.resolve()
