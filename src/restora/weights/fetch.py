"""Fetch: bring a published checkpoint into the cache. Nothing else of restora uses the network."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from restora.core.errors import FileProblem, MissingWeights
from restora.core.progress import Progress, silent
from restora.images.atomic import write_atomically
from restora.weights.files import require_checkpoint
from restora.weights.public import Public
from restora.weights.store import cache_folder, expected_sum, sha256_of

CHUNK = 1 << 20
"""Bytes read at once."""

TIMEOUT = 30
"""Seconds without a byte after which the connection counts as broken."""

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a file.

    Attributes:
        path: where it lies.
        bytes: its size.
        sha256: its sum.
        checked: the sum was known before and is the same; else it was recorded now.
        already: it was in the cache before.
    """

    path: Path
    bytes: int
    sha256: str
    checked: bool
    already: bool


def fetch(public: Public, progress: Progress | None = None) -> Fetched:
    """Bring a checkpoint into the cache, going on where an earlier attempt broke off.

    It lies beside its name as ``NAME.part`` until it is whole and its sum is right; only then it gets the name. Where
    no sum is known, that of the first fetch is recorded as ``NAME.sha256`` and holds from then on.

    Args:
        public: the row of the table.
        progress: told the bytes that are here and those there are.

    Raises:
        MissingWeights: there is no network, or the file is no longer where the table says.
        FileProblem: the connection broke, the sum is another, what came is no checkpoint, or the disk refuses.
    """
    path = cache_folder() / f"{public.name}{public.suffix}"
    known = expected_sum(path)
    if path.is_file():
        return _finished(path, path, known, already=True)
    part = path.with_name(path.name + ".part")
    with _plain_words(public, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(public, part, progress or silent)
    return _finished(part, path, known, already=False)


def _download(public: Public, part: Path, progress: Progress) -> None:
    """Append what is missing to the part."""
    here = part.stat().st_size if part.exists() else 0
    try:
        answer = _asked(public.url, here)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or here == 0:
            raise
        error.close()  # the part is as long as the file, or longer: whole only if its sum says so, so it comes anew
        part.unlink()
        here, answer = 0, _asked(public.url, 0)
    with answer:
        if answer.status != http.client.PARTIAL_CONTENT:
            here = 0
        length = answer.headers.get("Content-Length")
        total = here + int(length) if length is not None else None
        with part.open("ab" if here else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                here += len(chunk)
                progress(here, total or public.bytes or here, _amount(here, total))
    if total is not None and here < total:
        raise http.client.IncompleteRead(b"", total - here)


def _asked(url: str, start: int) -> Any:
    """The answer of the server for the file from the byte ``start`` on."""
    headers = {"User-Agent": "restora", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)


def _amount(here: int, total: int | None) -> str:
    return f"{here / _MIB:.1f} MiB" if total is None else f"{here / _MIB:.1f} of {total / _MIB:.1f} MiB"


@contextmanager
def _plain_words(public: Public, path: Path) -> Generator[None, None, None]:
    """What the network and the disk complain of, each in one sentence."""
    host = urlsplit(public.url).hostname
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise MissingWeights(
            f"{host} does not give out {public.name} ({error.code} {error.reason}): look for it at "
            f"https://github.com/{public.source} and put it at {path}"
        ) from error
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise FileProblem(
            f"the connection to {host} broke: `restora weights fetch {public.name}` goes on where it was"
        ) from error
    except urllib.error.URLError as error:
        raise MissingWeights(
            f"{host} cannot be reached: fetch {public.name} where there is a network and put the file at {path}"
        ) from error
    except OSError as error:
        raise FileProblem(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from error


def _finished(file: Path, path: Path, known: str, *, already: bool) -> Fetched:
    """Check a whole file and give it its name; a file that came wrong is thrown away, one that was there is kept."""
    found = sha256_of(file)
    if known and found != known:
        if not already:
            file.unlink()
        raise FileProblem(
            f"{path.name} has the SHA-256 sum {found}, not {known}: "
            + ("it was changed; delete it and fetch it again" if already else "it was not kept")
        )
    if not known:
        try:
            require_checkpoint(file)
        except FileProblem as error:
            if not already:
                file.unlink()
            raise FileProblem(f"what was sent as {path.name} is no checkpoint: it was not kept") from error
        write_atomically(path.with_suffix(".sha256"), f"{found}  {path.name}\n".encode(), overwrite=True)
    size = file.stat().st_size
    if not already:
        file.replace(path)
    return Fetched(path, size, found, bool(known), already)
