"""Result: the output of a method, and how its run ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor


class Code(Enum):
    """The ways in which a run can end, from the best to the worst."""

    LEFT_ALONE = "left alone"
    DONE = "done"
    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration limit"
    DIVERGED = "diverged"


_SEVERITY = {code: rank for rank, code in enumerate(Code)}


@dataclass(frozen=True, slots=True)
class Status:
    """A code and the sentence for a person."""

    code: Code
    sentence: str

    @classmethod
    def done(cls, sentence: str = "finished") -> "Status":
        """A method without iterations came to its end."""
        return cls(Code.DONE, sentence)

    @classmethod
    def worst(cls, pieces: Sequence["Status"]) -> "Status":
        """The status of a whole: that of its worst piece, with how many pieces ended so where not all did."""
        worst = max(pieces, key=lambda piece: _SEVERITY[piece.code])
        alike = sum(piece.code is worst.code for piece in pieces)
        if alike == len(pieces):
            return worst
        return cls(worst.code, f"{worst.sentence} (in {alike} of {len(pieces)} pieces)")


@dataclass(frozen=True, eq=False, slots=True)
class Result:
    """The output of a method.

    Attributes:
        x: the restored images, (b, c, h, w), on the device of the measurement; neither clipped nor rounded.
        status: how the run ended.
        kernel: the blur kernel a blind method found, (kh, kw), sum one; else None.
        parts: other images on the grid of x, by name (``background``, ``basic`` …).
        samples: of the posterior, (n, b, c, h, w); else None.
        stats: a mapping of named numbers for each iteration, in order. Where a result was joined from pieces, ``piece``
            is the number of the piece that a row belongs to.
    """

    x: Float[Tensor, "b c h w"]
    status: Status = field(default_factory=Status.done)
    kernel: Float[Tensor, "kh kw"] | None = None
    parts: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    samples: Float[Tensor, "n b c h w"] | None = None
    stats: tuple[Mapping[str, float], ...] = ()

    @classmethod
    def left_alone(cls, y: Float[Tensor, "b c h w"], reason: str) -> "Result":
        """A copy of y, and why nothing was done to it."""
        return cls(y.clone(), Status(Code.LEFT_ALONE, f"left alone: {reason}"))

    def mapped(self, change: Callable[[Tensor], Tensor]) -> "Result":
        """The result after the same change of x and of every other image on its grid.

        Args:
            change: maps images (b, c, h, w) to images.
        """
        return Result.joined([self], lambda images: change(images[0]))

    @classmethod
    def joined(cls, pieces: Sequence["Result"], combine: Callable[[Sequence[Tensor]], Tensor]) -> "Result":
        """One result of several. The same function joins x and every other image on its grid.

        The status is the worst, with what is known of all pieces in ``stats``; the kernel is the mean where they are of
        one size. Parts and samples that not all pieces have are dropped.

        Args:
            pieces: at least one.
            combine: makes one image (b, c, h, w) of those of the pieces, in their order.
        """
        first = pieces[0]
        names = [name for name in first.parts if all(name in piece.parts for piece in pieces)]
        kernels = [piece.kernel for piece in pieces if piece.kernel is not None]
        return cls(
            combine([piece.x for piece in pieces]),
            Status.worst([piece.status for piece in pieces]),
            _mean_kernel(kernels),
            MappingProxyType({name: combine([piece.parts[name] for piece in pieces]) for name in names}),
            _joined_samples([piece.samples for piece in pieces], combine),
            first.stats if len(pieces) == 1 else _numbered(pieces),
        )

    def to_dtype(self, dtype: torch.dtype) -> "Result":
        """The result with its images in another floating-point type."""
        return self.mapped(lambda image: image.to(dtype))

    def to(self, device: torch.device | str) -> "Result":
        """The result with its images on another device."""
        return self.mapped(lambda image: image.to(device))

    def after(self, log: Sequence[str]) -> "Result":
        """The result whose sentence begins with what was done before."""
        return replace(self, status=Status(self.status.code, "; ".join([*log, self.status.sentence])))


def _mean_kernel(kernels: Sequence[Tensor]) -> Tensor | None:
    if not kernels:
        return None
    alike = all(kernel.shape == kernels[0].shape for kernel in kernels)
    return torch.stack(list(kernels)).mean(dim=0) if alike and len(kernels) > 1 else kernels[0]


def _joined_samples(
    samples: Sequence[Tensor | None], combine: Callable[[Sequence[Tensor]], Tensor]
) -> Float[Tensor, "n b c h w"] | None:
    known = [drawn for drawn in samples if drawn is not None]
    if len(known) < len(samples) or len({len(drawn) for drawn in known}) != 1:
        return None
    return torch.stack([combine(images) for images in zip(*known, strict=True)])


def _numbered(pieces: Sequence[Result]) -> tuple[Mapping[str, float], ...]:
    """The rows of all pieces, each with the number of its piece; pieces of pieces are counted through."""
    rows: list[Mapping[str, float]] = []
    before = 0.0
    for piece in pieces:
        rows += [{**row, "piece": before + row.get("piece", 1.0)} for row in piece.stats]
        before += max((row.get("piece", 1.0) for row in piece.stats), default=1.0)
    return tuple(rows)
