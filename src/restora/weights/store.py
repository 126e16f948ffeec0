"""Store: where weights lie (in the package, in the user's cache), and how they are found by name."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from restora.core.caches import user_cache
from restora.core.errors import FileProblem, MissingWeights
from restora.weights.public import Public, public_weights
from restora.weights.record import Record

Location = Literal["shipped", "cached"]

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".npz", ".mat")
"""The suffixes of files in the store."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of weights in the store.

    Attributes:
        name: by which it is asked for.
        path: of the file.
        location: ``shipped`` with restora, or ``cached``: fetched or put there by the user.
        record: what is known of it; None of files that did not come with one.
    """

    name: str
    path: Path
    location: Location
    record: Record | None


def shipped_folder() -> Path:
    """The folder in the package."""
    return Path(__file__).parent / "files"


def cache_folder() -> Path:
    """RESTORA_CACHE, else restora/weights in XDG_CACHE_HOME, else in ~/.cache; it need not exist."""
    given = os.environ.get("RESTORA_CACHE")
    if given:
        return Path(given).expanduser()
    return user_cache() / "weights"


def stored() -> tuple[Stored, ...]:
    """All files of the store in order of their names; the shipped one where both places have the name.

    Raises:
        FileProblem: a record cannot be read.
    """
    found: dict[str, Stored] = {}
    for path in _files(cache_folder()):
        found[path.stem] = Stored(path.stem, path, "cached", record_beside(path))
    for path in _files(shipped_folder()):
        found[path.stem] = Stored(path.stem, path, "shipped", record_beside(path))
    return tuple(found[name] for name in sorted(found))


def records() -> tuple[Record, ...]:
    """The records of all files of the store that have one."""
    return tuple(one.record for one in stored() if one.record is not None)


def find(weights: str) -> Path:
    """The file of weights with that name, or at that path.

    A file at that path comes first, then the files that are shipped, then the cache.

    Raises:
        MissingWeights: there is none; the message says how to get it, or which names are near.
        FileProblem: it is the path of a folder.
    """
    path = Path(weights).expanduser()
    if path.is_file():
        return path
    for folder in (shipped_folder(), cache_folder()):
        for suffix in SUFFIXES:
            inside = folder / f"{weights}{suffix}"
            if _is_name(weights) and inside.is_file():
                return inside
    if path.is_dir():
        raise FileProblem(f"{weights} is a folder: give the file of the weights, or a name of `restora weights list`")
    raise MissingWeights(_missing(weights))


def record_beside(path: Path) -> Record | None:
    """The record NAME.toml beside NAME.safetensors; None where there is none, and beside files of other kinds.

    Raises:
        FileProblem: it cannot be read.
    """
    beside = path.with_suffix(".toml")
    return Record.read(beside) if path.suffix == ".safetensors" and beside.is_file() else None


def sha256_of(path: Path) -> str:
    """The SHA-256 sum of a file, in hexadecimal.

    Raises:
        FileProblem: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileProblem(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error


def expected_sum(path: Path) -> str:
    """The SHA-256 sum a file of the store should have: of its record, the public table, or its first fetch.

    Empty where none is known.

    Raises:
        FileProblem: its record cannot be read.
    """
    record = record_beside(path)
    if record is not None and record.sha256:
        return record.sha256
    listed = {f"{one.name}{one.suffix}": one.sha256 for one in public_weights()}
    if listed.get(path.name):
        return listed[path.name]
    noted = path.with_suffix(".sha256")
    return noted.read_text(encoding="utf-8").partition(" ")[0] if noted.is_file() else ""


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES and path.is_file())


def _is_name(weights: str) -> bool:
    return Path(weights).name == weights


def _missing(weights: str) -> str:
    """One line for weights that are not here."""
    public = {one.name: one for one in public_weights()}
    if weights in public:
        return _how_to_get(public[weights])
    if not _is_name(weights) or Path(weights).suffix in SUFFIXES:
        return f"there is no file {weights}"
    near = get_close_matches(weights, [*(one.name for one in stored()), *public], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`restora weights list` shows what there is"
    return f"there are no weights {weights!r}; {hint}"


def _how_to_get(public: Public) -> str:
    return (
        f"the weights {public.name} are not on this machine: `restora weights fetch {public.name}` brings them "
        f"from {public.source} (licence: {public.licence})"
    )
