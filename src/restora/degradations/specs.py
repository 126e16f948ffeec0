"""Specs: a word and its values, separated by colons, such as ``gaussian:25`` or ``motion:15:30``.

A number may be a range, ``0..75``, from which it is drawn uniformly for every image.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import FileProblem, InvalidParameter, MissingData, UnknownName

Made = TypeVar("Made")

_WHOLE = ("SIDE", "SEED", "HEIGHT")
"""Names of values that are whole numbers."""


@dataclass(frozen=True, slots=True)
class Range:
    """A number that is drawn uniformly between two.

    Raises:
        InvalidParameter: the range is empty.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise InvalidParameter(f"the range {self.low:g}..{self.high:g} is not allowed: low <= high is needed")

    def drawn(self, count: int, generator: torch.Generator) -> list[float]:
        """Draw ``count`` numbers."""
        part = torch.rand(count, generator=generator, dtype=torch.float64)
        return (self.low + (self.high - self.low) * part).tolist()


@dataclass(frozen=True, slots=True)
class BlurredSNR:
    """A noise level such as ``40dB``, which is 10 log₁₀(var(Hx) / σ²)."""

    decibels: float

    def sigma(self, Hx: Float[Tensor, "b c h w"]) -> float:
        """Compute σ for the noise-free measurement Hx."""
        return float(Hx.var(correction=0)) ** 0.5 * 10 ** (-self.decibels / 20)


Value = int | float | Range | BlurredSNR | str


@dataclass(frozen=True, slots=True)
class Word(Generic[Made]):
    """What a word means.

    Attributes:
        usage: how it is written, such as ``motion:LENGTH:DEGREES``.
        make: builds the object from a context and the values.
        optional: how many values may be left out at the end.
    """

    usage: str
    make: Callable[..., Made]
    optional: int = 0


@dataclass(frozen=True, slots=True)
class Spec:
    """A word and its values; ``text`` is how they were written, and does not count in comparisons."""

    word: str
    values: tuple[Value, ...] = ()
    text: str = field(default="", compare=False)

    @property
    def varies(self) -> bool:
        """Whether images that are degraded by this spec differ in its values."""
        return any(isinstance(value, Range | BlurredSNR) for value in self.values)

    def drawn(self, count: int, generator: torch.Generator) -> list["Spec"]:
        """Draw ``count`` specs with a number in place of each range."""
        columns = [v.drawn(count, generator) if isinstance(v, Range) else [v] * count for v in self.values]
        return [replace(self, values=row) for row in zip(*columns, strict=True)]

    def end(self, name: str) -> "Spec":
        """Return the spec with the ``low`` or the ``high`` end of each range."""
        return replace(self, values=tuple(getattr(v, name) if isinstance(v, Range) else v for v in self.values))


@dataclass(frozen=True, slots=True)
class Vocabulary(Generic[Made]):
    """The words for one kind of object.

    Attributes:
        kind: what the objects are called in messages.
        words: the words and what they mean.
        trial: the context in which the object of a spec is made once as it is read, so that wrong values are refused.
    """

    kind: str
    words: Mapping[str, Word[Made]]
    trial: tuple[object, ...]

    def read(self, text: str) -> Spec:
        """Read a spec.

        Raises:
            UnknownName: the word is unknown.
            InvalidParameter: the values do not belong to the word.
        """
        word, *given = text.split(":")
        if word not in self.words:
            raise UnknownName.among(self.kind, word, list(self.words))
        meaning = self.words[word]
        names = meaning.usage.split(":")[1:]
        given = [":".join(given)] if names == ["FILE"] and given else given
        try:
            if not 0 <= len(names) - len(given) <= meaning.optional:
                raise ValueError("too few or too many values")
            spec = Spec(word, tuple(_value(name, value) for name, value in zip(names, given)), text)
        except InvalidParameter:
            raise
        except ValueError as error:
            raise InvalidParameter(f"{self.kind} {text!r} is not allowed: write {meaning.usage}") from error
        with suppress(MissingData, FileProblem):  # files are looked for when they are needed
            for end in ("low", "high"):
                self.make(spec.end(end), *self.trial)
        return spec

    def make(self, spec: Spec, *context: object) -> Made:
        """Make the object of a spec without ranges.

        Raises:
            MissingData: a file of the benchmark data is missing.
            FileProblem: a file is missing or cannot be read.
            InvalidInput: a mask without a known pixel, or a file that does not hold a kernel.
        """
        return self.words[spec.word].make(*context, *spec.values)


def _value(name: str, text: str) -> Value:
    """Read ``25``, ``0..75`` or, of a LEVEL, ``40dB``; a ValueError where the text is none of these."""
    if name == "FILE" and text:
        return text
    if name in _WHOLE:
        return whole(name.lower(), float(text))
    if name == "LEVEL" and text.endswith("dB"):
        return BlurredSNR(float(text[:-2]))
    match = re.fullmatch(r"(.+?)\.\.(.+)", text)
    return Range(float(match[1]), float(match[2])) if match else float(text)


def whole(name: str, value: float) -> int:
    """Return ``value`` as an integer.

    Raises:
        InvalidParameter: it is not a whole number.
    """
    if not float(value).is_integer():
        raise InvalidParameter.outside(name, value, "a whole number")
    return int(value)
