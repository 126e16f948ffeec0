"""Degradation: everything that is done to an image x to obtain a measurement y, as one frozen record.

A recipe and a suite write it as a table, the command line as options; the keys and the specs are the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.reading import from_table
from restora.degradations.specs import Range, Spec, whole
from restora.degradations.words import KERNELS, MASKS, NOISES, read_kernel
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.noise.unknown import UnknownNoise
from restora.numerics.imresize import imresize
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity


@dataclass(frozen=True, eq=False, slots=True)
class Degraded:
    """What a degradation gives.

    Attributes:
        y: the measurement, neither clipped nor rounded unless it was compressed.
        operators: what was applied, the first first.
        noise: the noise model that a method is given.
    """

    y: Float[Tensor, "b c h w"]
    operators: tuple[Operator, ...]
    noise: Noise

    @property
    def problem(self) -> Problem:
        """y = Hx + n."""
        H = reduce(lambda inner, outer: outer @ inner, self.operators) if self.operators else Identity()
        return Problem(self.y, H, self.noise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """Blur, reduction, noise, missing pixels, compression and enlargement, in this order; each may be absent.

    Attributes:
        blur: the kernel.
        boundary: of the blur.
        scale: factor > 1 of the reduction by MATLAB's bicubic imresize; or several, of which one is drawn.
        noise: the noise model.
        mask: the known pixels; the others are 0 in y.
        jpeg: the quality of the compression, 1 to 100.
        enlarged: y is enlarged by MATLAB's bicubic imresize to the size of x.
        multiple: of which a benchmark makes the sides of x multiples, by cropping at bottom and right.

    Raises:
        InvalidParameter: a value is outside its range.
    """

    blur: Spec | None = None
    boundary: Literal["circular", "replicate"] = "replicate"
    scale: float | tuple[int, ...] | None = None
    noise: Spec | None = None
    mask: Spec | None = None
    jpeg: int | Range | None = None
    enlarged: bool = False
    multiple: int = 1

    def __post_init__(self) -> None:
        if not all(scale > 1 for scale in self.scales):
            raise InvalidParameter.outside("scale", self.scale, "> 1")
        if self.enlarged and not self.scales:
            raise InvalidParameter("an image is enlarged again only after it was reduced: give a scale")
        for quality in (self.jpeg.low, self.jpeg.high) if isinstance(self.jpeg, Range) else (self.jpeg,):
            if quality is not None and not (float(quality).is_integer() and 1 <= quality <= 100):
                raise InvalidParameter.outside("jpeg", quality, "a whole number between 1 and 100")

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "Degradation":
        """Read a degradation from its keys: those of this class, with specs as text.

        Raises:
            UnknownName: a key, or the word of a spec, is unknown.
            InvalidParameter: a value is outside its range or of another type.
        """
        readers: dict[str, Callable[[Any], object]] = {
            "blur": read_kernel,
            "noise": NOISES.read,
            "mask": MASKS.read,
            "scale": _scale,
            "jpeg": _quality,
        }
        values = dict(table)
        for key in values.keys() & readers.keys():
            try:
                values[key] = readers[key](value if isinstance(value := table[key], list) else str(value))
            except InvalidParameter:
                raise
            except ValueError as error:
                raise InvalidParameter.outside(key, table[key], "a number") from error
        return from_table(cls, values, "degradation")

    @property
    def scales(self) -> tuple[float, ...]:
        """All factors that may be drawn; empty without a reduction."""
        if self.scale is None:
            return ()
        return self.scale if isinstance(self.scale, tuple) else (self.scale,)

    def drawn(self, count: int, generator: torch.Generator) -> tuple["Degradation", ...]:
        """Draw ``count`` degradations without ranges, or one where there are none. The scale is drawn once."""
        scale = self.scale
        if isinstance(scale, tuple):
            scale = scale[int(torch.randint(len(scale), (1,), generator=generator))]
        fixed = replace(self, scale=scale)
        columns: dict[str, list[Spec] | list[int]] = {}
        for name, one in (("blur", self.blur), ("noise", self.noise), ("mask", self.mask)):
            if one is not None and one.varies:
                columns[name] = one.drawn(count, generator)
        if isinstance(self.jpeg, Range):
            low, high = int(self.jpeg.low), int(self.jpeg.high)
            columns["jpeg"] = torch.randint(low, high + 1, (count,), generator=generator).tolist()
        if not columns:
            return (fixed,)
        return tuple(replace(fixed, **dict(zip(columns, row))) for row in zip(*columns.values(), strict=True))

    def __call__(self, x: Float[Tensor, "b c h w"], generator: torch.Generator, data: Path = Path()) -> Degraded:
        """Degrade x; what is random is drawn once for the batch. Files are read below ``data``.

        Raises:
            MissingData: a file of the benchmark data is missing.
            FileProblem: a file cannot be read.
        """
        (fixed,) = self.drawn(1, generator)
        operators: list[Operator] = []
        y, noise = x, Gaussian(0.0)
        if fixed.blur is not None:
            operators.append(Blur(KERNELS.make(fixed.blur, data), self.boundary))
            y = operators[-1](y)
        for scale in fixed.scales:
            operators.append(Downsample(scale, size=(y.shape[-2], y.shape[-1])))
            y = operators[-1](y)
        if fixed.noise is not None:
            noise = NOISES.make(fixed.noise, y)
            y = noise.sample(y, generator)
        if fixed.mask is not None:
            operators.append(MASKS.make(fixed.mask, (y.shape[-2], y.shape[-1]), generator, data))
            y = operators[-1](y)
        if isinstance(fixed.jpeg, int):
            compression = Jpeg(fixed.jpeg)
            noise = compression if fixed.noise is None else UnknownNoise()
            y = compression.sample(y)
        if self.enlarged:
            return Degraded(imresize(y, size=(x.shape[-2], x.shape[-1])), (), UnknownNoise())
        # Methods learn that the noise is Gaussian, not which generator it came from.
        return Degraded(y, tuple(operators), Gaussian(noise.sigma) if isinstance(noise, Gaussian) else noise)


def _scale(value: str | list[object]) -> float | tuple[int, ...]:
    if isinstance(value, list):
        return tuple(whole("scale", float(str(one))) for one in value)
    scale = float(value)
    return int(scale) if scale.is_integer() else scale


def _quality(value: str) -> int | Range:
    low, *high = (float(end) for end in value.split(".."))
    return Range(low, high[0]) if high else whole("jpeg", low)
