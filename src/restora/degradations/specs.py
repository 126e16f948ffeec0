"""Specs: a word and its numbers, separated by colons, such as ``gaussian:25`` or ``motion:15:30``.

A number may be a range, ``0..75``: it is then drawn uniformly for every image. A noise level may also be a blurred
signal-to-noise ratio, ``40dB``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter, UnknownName


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


@dataclass(frozen=True, slots=True)
class BlurredSNR:
    """A noise level, given as 10 log₁₀(var(Hx) / σ²) in dB."""

    decibels: float

    def sigma(self, Hx: Float[Tensor, "b c h w"]) -> float:
        """Compute σ for the noise-free measurement Hx."""
        return float(Hx.var(correction=0)) ** 0.5 * 10 ** (-self.decibels / 20)


Number = float | Range | BlurredSNR


@dataclass(frozen=True, slots=True)
class Word:
    """What a word means.

    Attributes:
        usage: how it is written, such as ``motion:LENGTH:DEGREES``.
        least: how many of its numbers must be given.
        make: builds the object from the numbers.
    """

    usage: str
    least: int
    make: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Spec:
    """A word and its numbers; ``text`` is how they were written, and does not count in comparisons."""

    word: str
    numbers: tuple[Number, ...] = ()
    text: str = field(default="", compare=False)

    @classmethod
    def read(cls, what: str, text: str, words: Mapping[str, Word]) -> "Spec":
        """Read a spec; ``what`` names the kind of object in messages.

        Raises:
            UnknownName: the word is not one of ``words``.
            InvalidParameter: the numbers are too few, too many, or not numbers.
        """
        word, *numbers = text.split(":")
        if word not in words:
            raise UnknownName.among(what, word, list(words))
        usage = words[word].usage
        if not words[word].least <= len(numbers) <= usage.count(":"):
            raise InvalidParameter(f"{what} {text!r} is not allowed: write {usage}")
        try:
            return cls(word, tuple(_number(n) for n in numbers), text)
        except InvalidParameter:
            raise
        except ValueError as error:
            raise InvalidParameter(f"{what} {text!r} is not allowed: write {usage}") from error

    @property
    def varies(self) -> bool:
        """Whether one of the numbers is a range."""
        return any(isinstance(n, Range) for n in self.numbers)

    def drawn(self, count: int, generator: torch.Generator) -> list["Spec"]:
        """Draw ``count`` specs with a number in place of each range."""
        columns = [_drawn(n, count, generator) for n in self.numbers]
        return [replace(self, numbers=row) for row in zip(*columns, strict=True)]

    def ends(self) -> tuple["Spec", "Spec"]:
        """Return the specs with the lower and the upper end of each range."""
        low, high = (
            tuple(getattr(n, end) if isinstance(n, Range) else n for n in self.numbers) for end in ("low", "high")
        )
        return replace(self, numbers=low), replace(self, numbers=high)


def _number(text: str) -> Number:
    """Read ``25``, ``0..75`` or ``40dB``; a ValueError where the text is none of these."""
    if match := re.fullmatch(r"(.+?)\.\.(.+)", text):
        return Range(float(match[1]), float(match[2]))
    return BlurredSNR(float(text[:-2])) if text.endswith("dB") else float(text)


def whole(name: str, value: float) -> int:
    """Return ``value`` as an integer.

    Raises:
        InvalidParameter: it is not a whole number.
    """
    if not float(value).is_integer():
        raise InvalidParameter.outside(name, value, "a whole number")
    return int(value)


def _drawn(one: Number, count: int, generator: torch.Generator) -> list[Number]:
    if not isinstance(one, Range):
        return [one] * count
    part = torch.rand(count, generator=generator, dtype=torch.float64)
    return (one.low + (one.high - one.low) * part).tolist()
