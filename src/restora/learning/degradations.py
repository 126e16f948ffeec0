"""From clean patches to what a network is given: y = Hx + n, made on the fly by our operators and noise models.

Patches are drawn ``margin`` pixels larger on each side than the loss sees, so that no border of the operator is learnt.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.reading import from_table_of_kind
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.numerics.imresize import imresize
from restora.operators.downsample import Downsample


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Pairs to learn from.

    Attributes:
        y: what the network is given, (b, c, h, w).
        x: what it should give, (b, c, s·h, s·w).
        sigma: σ of the noise of each pixel of y, for networks that take a noise map; else None.
        task: which of a network's tasks it is, by name; an empty string where it has one.
    """

    y: Float[Tensor, "b c h w"]
    x: Float[Tensor, "b c i j"]
    sigma: Float[Tensor, "b 1 h w"] | None = None
    task: str = ""


@runtime_checkable
class Degradation(Protocol):
    """What is done to clean patches, a frozen dataclass."""

    @property
    def margin(self) -> int:
        """Pixels of x around a patch that its degradation needs."""
        ...

    @property
    def multiple_of(self) -> int:
        """Sides of patches of x must be multiples of this."""
        ...

    @property
    def scale(self) -> int:
        """How many times finer x is than y."""
        ...

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        """The pairs of patches grown by the margin. The generator is one of the CPU."""
        ...


@dataclass(frozen=True, slots=True)
class WhiteNoise:
    """y = x + n, σ drawn for each patch uniformly between ``low`` and ``high``, in levels of 255; never clipped."""

    low: float
    high: float
    task: str = ""
    margin: int = 0
    multiple_of: int = 1
    scale: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise InvalidParameter.outside("low, high", (self.low, self.high), "0 <= low <= high")

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        part = torch.rand(len(x), generator=generator, dtype=torch.float64)
        levels = ((self.low + (self.high - self.low) * part) / 255).tolist()
        y = torch.cat([Gaussian(sigma).sample(patch[None], generator) for sigma, patch in zip(levels, x)])
        sigma = torch.tensor(levels, dtype=x.dtype, device=x.device)[:, None, None, None]
        return Batch(y, x, sigma.expand(-1, 1, *x.shape[-2:]).contiguous(), self.task)


@dataclass(frozen=True, slots=True)
class Bicubic:
    """y is x reduced by MATLAB's antialiased bicubic imresize; the network enlarges it."""

    scale: int
    task: str = ""

    @property
    def margin(self) -> int:
        """The kernel reaches two pixels of y."""
        return 2 * self.scale

    @property
    def multiple_of(self) -> int:
        """Of the scale."""
        return self.scale

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        y = Downsample(float(self.scale), size=(x.shape[-2], x.shape[-1]))(x)
        return Batch(_inside(y, 2), _inside(x, self.margin), task=self.task)


@dataclass(frozen=True, slots=True)
class BicubicEnlarged:
    """y is x reduced and enlarged again, for networks that begin with bicubic interpolation (SRCNN, VDSR, SCN).

    The scale is drawn anew for each batch from ``scales``.
    """

    scales: tuple[int, ...]
    scale: int = 1

    @property
    def margin(self) -> int:
        """Two pixels of y for the reduction and two for the enlargement, a multiple of every scale."""
        return -(-4 * max(self.scales) // self.multiple_of) * self.multiple_of

    @property
    def multiple_of(self) -> int:
        """Of every scale."""
        return math.lcm(*self.scales)

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        scale = self.scales[int(torch.randint(len(self.scales), (1,), generator=generator))]
        small = Downsample(float(scale), size=(x.shape[-2], x.shape[-1]))(x)
        return Batch(_inside(imresize(small, scale=scale), self.margin), _inside(x, self.margin))


@dataclass(frozen=True, slots=True)
class JpegCompression:
    """y is x written as a JPEG, of a quality drawn for each patch between ``low`` and ``high``.

    The patch lies anywhere on the grid of blocks: the margin is cut unevenly.
    """

    low: int
    high: int
    task: str = ""
    margin: int = 8
    multiple_of: int = 1
    scale: int = 1

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        qualities = torch.randint(self.low, self.high + 1, (len(x),), generator=generator).tolist()
        y = torch.cat([Jpeg(quality).sample(patch[None]) for quality, patch in zip(qualities, x)])
        top, left = torch.randint(2 * self.margin + 1, (2,), generator=generator).tolist()
        height, width = x.shape[-2] - 2 * self.margin, x.shape[-1] - 2 * self.margin
        window = (..., slice(top, top + height), slice(left, left + width))
        return Batch(y[window], x[window], task=self.task)


@dataclass(frozen=True, slots=True)
class Several:
    """One of several degradations, drawn anew for each batch: a network of several tasks.

    Args:
        members: to draw from.
        side: of y, the same for all; patches of x are cut to it, so draw them ``side`` × the largest scale large.
    """

    members: tuple[Degradation, ...]
    side: int

    @property
    def margin(self) -> int:
        """The largest."""
        return max(member.margin for member in self.members)

    @property
    def multiple_of(self) -> int:
        """Patches are cut to size here."""
        return 1

    @property
    def scale(self) -> int:
        """The largest."""
        return max(member.scale for member in self.members)

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator) -> Batch:
        member = self.members[int(torch.randint(len(self.members), (1,), generator=generator))]
        return member(_middle(x, self.side * member.scale + 2 * member.margin), generator)


_KINDS: dict[str, type[Degradation]] = {
    kind.__name__: kind for kind in (WhiteNoise, Bicubic, BicubicEnlarged, JpegCompression)
}


def degradation_from(table: Mapping[str, object]) -> Degradation:
    """A degradation from the table of a recipe: ``kind`` and its fields, or ``members`` and ``side``.

    Raises:
        UnknownName: there is no such kind, or it has no such field.
        InvalidParameter: a field is missing, of another type, or out of range.
    """
    members, side = table.get("members"), table.get("side")
    if isinstance(members, list | tuple) and isinstance(side, int):
        return Several(tuple(degradation_from(member) for member in members), side)
    return from_table_of_kind(_KINDS, table, "degradation")


def _inside(x: Float[Tensor, "b c h w"], border: int) -> Float[Tensor, "b c i j"]:
    """x without its border."""
    return x[..., border : x.shape[-2] - border, border : x.shape[-1] - border]


def _middle(x: Float[Tensor, "b c h w"], side: int) -> Float[Tensor, "b c s s"]:
    """The middle square of x."""
    top, left = (x.shape[-2] - side) // 2, (x.shape[-1] - side) // 2
    return x[..., top : top + side, left : left + side]
