"""Errors of restora. Each message is one line that says what was wrong and what to do about it.

Everything derives from :class:`RestoraError`, so that a caller (and the command line) can catch all that is
expected and let programming errors through.
"""

from collections.abc import Sequence
from difflib import get_close_matches


class RestoraError(Exception):
    """Anything restora refuses or cannot do."""


class InvalidInput(RestoraError, ValueError):
    """An image, mask, kernel or array that cannot be used as it is (empty, NaN, wrong size …)."""


class InvalidParameter(RestoraError, ValueError):
    """A parameter outside its allowed range."""

    @classmethod
    def outside(cls, name: str, value: object, allowed: str) -> "InvalidParameter":
        """The usual sentence: ``h = -1 is not allowed: h must be > 0``."""
        return cls(f"{name} = {value!r} is not allowed: {name} must be {allowed}")


class UnknownName(RestoraError, LookupError):
    """A method, parameter, suite … that does not exist; the message names the nearest ones."""

    @classmethod
    def among(cls, kind: str, name: str, known: Sequence[str]) -> "UnknownName":
        """Sentence with the nearest of the ``known`` names, or all of them when none is near."""
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
        return cls(f"there is no {kind} {name!r}; {hint}")


class CannotSolve(RestoraError):
    """A method was given a measurement operator or a size it does not solve."""


class FileProblem(RestoraError):
    """A file that cannot be read or written: missing, truncated, not an image, exists already, disk full …"""


class MissingDependency(RestoraError, ImportError):
    """An optional package is needed; the message says which extra installs it."""


class MissingData(RestoraError):
    """Benchmark data are not where they should be; the message says what is expected where."""


class MissingWeights(RestoraError):
    """The weights of a network are not on this machine; the message says how to get them."""
