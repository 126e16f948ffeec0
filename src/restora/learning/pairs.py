"""Training pairs: clean patches and what a network is given, made on the fly.

Patches are drawn ``margin`` pixels larger on each side than the loss sees, so that no border of the operator is learnt.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.degradations.degradation import Degradation, Degraded
from restora.degradations.words import KERNELS

_BLOCK = 8
"""Side of the blocks of a JPEG: patches are cut anywhere on their grid."""


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Pairs to learn from.

    Attributes:
        y: what the network is given, (b, c, h, w).
        x: what it should return, (b, c, s·h, s·w).
        sigma: σ of the noise of each pixel of y, for networks that take a noise map; None where it is unknown or 0.
        task: the name of the network's task; an empty string where it has one task.
    """

    y: Float[Tensor, "b c h w"]
    x: Float[Tensor, "b c i j"]
    sigma: Float[Tensor, "b 1 h w"] | None = None
    task: str = ""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one degradation, whose levels are drawn for each patch and whose scale is drawn for each batch."""

    degradation: Degradation
    task: str = ""

    @property
    def multiple_of(self) -> int:
        """Sides of patches of x are multiples of this, which is a multiple of every scale."""
        return math.lcm(*(int(scale) for scale in self.degradation.scales))

    @property
    def scale(self) -> int:
        """How many times finer x is than y, at most."""
        return 1 if self.degradation.enlarged else max((int(s) for s in self.degradation.scales), default=1)

    @property
    def margin(self) -> int:
        """Pixels of x around a patch on which its y depends: of the kernels, and of a JPEG a block."""
        coarsest = max((int(scale) for scale in self.degradation.scales), default=0)
        reach = self._reach_of_blur() + (4 if self.degradation.enlarged else 2) * coarsest
        block = _BLOCK * max(coarsest, 1) if self.degradation.jpeg is not None else 0
        return -(-(reach + block) // self.multiple_of) * self.multiple_of

    def _reach_of_blur(self) -> int:
        blur = self.degradation.blur
        return 0 if blur is None else max(KERNELS.make(blur.end("high"), Path()).shape) // 2

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        """Make the pairs of patches grown by the margin. The generator is one of the CPU."""
        drawn = self.degradation.drawn(len(x), generator)
        parts = [one(part, generator) for one, part in zip(drawn, x.split(len(x) // len(drawn)))]
        y = torch.cat([part.y for part in parts])
        scale = x.shape[-1] // y.shape[-1]
        border = self.margin // scale
        top, left = border, border
        if self.degradation.jpeg is not None:
            shift = torch.randint(2 * _BLOCK + 1, (2,), generator=generator) - _BLOCK
            top, left = top + int(shift[0]), left + int(shift[1])
        height, width = y.shape[-2] - 2 * border, y.shape[-1] - 2 * border
        y = y[..., top : top + height, left : left + width]
        x = x[..., scale * top : scale * (top + height), scale * left : scale * (left + width)]
        return Batch(y, x, self._sigma(parts, y), self.task)

    def _sigma(self, parts: list[Degraded], y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"] | None:
        levels = [part.noise.sigma for part in parts]
        if self.degradation.noise is None or None in levels:
            return None
        sigma = torch.tensor(levels, dtype=y.dtype, device=y.device)[:, None, None, None]
        return sigma.expand(len(y), 1, *y.shape[-2:]).contiguous()


@dataclass(frozen=True, slots=True)
class SeveralPairs:
    """Pairs of one of several degradations, drawn for each batch: for a network of several tasks.

    Args:
        members: to draw from.
        side: of y, the same for all; patches of x are cut to it, so draw them ``side`` × the largest scale large.
    """

    members: tuple[Pairs, ...]
    side: int
    multiple_of: int = 1

    @property
    def margin(self) -> int:
        """The largest margin."""
        return max(member.margin for member in self.members)

    @property
    def scale(self) -> int:
        """The largest scale."""
        return max(member.scale for member in self.members)

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        """Make the pairs of one member, from the middle of the patches."""
        member = self.members[int(torch.randint(len(self.members), (1,), generator=generator))]
        side = self.side * member.scale + 2 * member.margin
        top, left = (x.shape[-2] - side) // 2, (x.shape[-1] - side) // 2
        return member(x[..., top : top + side, left : left + side], generator)


def pairs_from(table: Mapping[str, object]) -> Pairs | SeveralPairs:
    """Read the table of a recipe: the keys of a degradation and ``task``, or ``members`` and ``side``.

    Raises:
        UnknownName: a key or a word is unknown.
        InvalidParameter: a value is outside its range.
    """
    members, side = table.get("members"), table.get("side")
    if isinstance(members, list) and isinstance(side, int):
        return SeveralPairs(tuple(_pairs(member) for member in members), side)
    return _pairs(table)


def _pairs(table: Mapping[str, object]) -> Pairs:
    degradation = Degradation.read({key: value for key, value in table.items() if key != "task"})
    for scale in degradation.scales:
        if not float(scale).is_integer():
            raise InvalidParameter.outside("scale", scale, "a whole number in a recipe")
    return Pairs(degradation, str(table.get("task", "")))
