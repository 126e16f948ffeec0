"""Result: what a method found, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from jaxtyping import Float
from torch import Tensor


class Code(Enum):
    """How a run ended."""

    DONE = "done"
    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration limit"
    LEFT_ALONE = "left alone"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Status:
    """A code and the sentence for a person."""

    code: Code
    sentence: str

    @classmethod
    def done(cls, sentence: str = "finished") -> "Status":
        """A method without iterations came to its end."""
        return cls(Code.DONE, sentence)


@dataclass(frozen=True, eq=False, slots=True)
class Result:
    """What a method found.

    Attributes:
        x: the restored images, (b, c, h, w), on the device of the measurement; neither clipped nor rounded.
        status: how the run ended.
        kernel: the blur kernel a blind method found, (kh, kw), sum one; else None.
        parts: other images found, by name (``background``, ``samples`` …).
        stats: a mapping of named numbers for each iteration, in order.
    """

    x: Float[Tensor, "b c h w"]
    status: Status = field(default_factory=Status.done)
    kernel: Float[Tensor, "kh kw"] | None = None
    parts: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    stats: tuple[Mapping[str, float], ...] = ()
