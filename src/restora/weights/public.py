"""Public: the table of checkpoints that others have published for architectures of restora."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from restora.core.errors import MissingWeights
from restora.core.reading import from_table, read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """A published checkpoint; nothing of it is part of restora.

    Attributes:
        name: by which it is fetched and asked for.
        architecture: a name of :data:`restora.nets.architectures.ARCHITECTURES`.
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
        """Of its file."""
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
    """The table, in order of names."""
    rows = read_toml(Path(__file__).parent / "public.toml")["weights"]
    return tuple(sorted((from_table(Public, row, "public.toml") for row in rows), key=lambda one: one.name))
