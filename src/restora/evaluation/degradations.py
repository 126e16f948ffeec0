"""Where the measurements of a protocol come from: a degradation of the true image, or a photograph.

σ is in gray levels of 255 here, as in the tables and ids; problems carry it on [0, 1].
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import MissingData, UnknownName
from restora.core.problem import Problem
from restora.degradations.degradation import Degradation
from restora.evaluation.sets import read_array
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.unknown import UnknownBlur


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """One image of a set, before it is degraded.

    Attributes:
        name: of the image.
        x: the true image, float64 in [0, 1].
        measured: the photographed measurement, where the set has one.
        data: the folder of benchmark data.
    """

    name: str
    x: Float[Tensor, "1 c h w"]
    measured: Float[Tensor, "1 c h w"] | None
    data: Path


@runtime_checkable
class Measured(Protocol):
    """Makes the problem of a scene; its ``y`` is float64 and neither clipped nor rounded."""

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        """Return the part of x that is degraded and that the estimate is compared with."""
        ...

    def problem(self, scene: Scene) -> Problem:
        """Return y = Hx + n for this scene.

        Raises:
            MissingData: a file, or the photographed measurement, is missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Simulated:
    """A degradation of x, cropped at bottom and right to multiples of its scale and of its ``multiple``.

    The generator is seeded with 0 for every image; the seeds of legacy generators are part of the degradation.
    """

    degradation: Degradation

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        multiple = int(np.lcm.reduce([self.degradation.multiple, *(int(s) for s in self.degradation.scales)]))
        height, width = (side - side % multiple for side in x.shape[-2:])
        return x[..., :height, :width]

    def problem(self, scene: Scene) -> Problem:
        return self.degradation(scene.x, torch.Generator().manual_seed(0), scene.data).problem


class _Photographed:
    """y was photographed, or made elsewhere."""

    __slots__ = ()

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        return x

    def _photograph(self, scene: Scene) -> Float[Tensor, "1 c h w"]:
        if scene.measured is None:
            raise MissingData(f"{scene.name} has no photographed measurement: choose a set that has")
        return scene.measured


@dataclass(frozen=True, slots=True, kw_only=True)
class RealNoise(_Photographed):
    """H = 1; the noise is unknown."""

    def problem(self, scene: Scene) -> Problem:
        return Problem(self._photograph(scene), Identity(), UnknownNoise())


@dataclass(frozen=True, slots=True, kw_only=True)
class RealBlur(_Photographed):
    """The kernel is in the same file as y and is given to the method.

    Attributes:
        file: pattern of the file, ``{name}`` being the image's name.
        key: of the kernel's array.
        flipped: the file holds the kernel of a correlation.
        sigma: the noise level that methods are told, in gray levels of 255.
    """

    file: str
    key: str
    flipped: bool = False
    sigma: float

    def problem(self, scene: Scene) -> Problem:
        psf = torch.from_numpy(read_array(scene.data / self.file.format(name=scene.name), self.key).astype(np.float64))
        psf = torch.flip(psf, (0, 1)) if self.flipped else psf
        return Problem(self._photograph(scene), Blur(psf / psf.sum(), "replicate"), Gaussian(self.sigma / 255))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRealBlur(_Photographed):
    """The kernel and the noise are unknown.

    Attributes:
        sizes: side of the kernel to look for, for images named ``…ker01``, ``…ker02`` and so on.
    """

    sizes: tuple[int, ...]

    def problem(self, scene: Scene) -> Problem:
        kernel = int(scene.name.rpartition("ker")[2])
        return Problem(self._photograph(scene), UnknownBlur(size=self.sizes[kernel - 1]), UnknownNoise())


def measured_from(table: Mapping[str, Any], values: Mapping[str, Any]) -> Measured:
    """Read a ``degradation`` of ``suites.toml``: the kind of a photograph and its fields, or a degradation.

    The text of a degradation may hold names of ``values`` in braces.

    Raises:
        UnknownName: a kind, key or word is unknown.
        InvalidParameter: a value is outside its range.
    """
    if "kind" not in table:
        filled = {key: value.format(**values) if isinstance(value, str) else value for key, value in table.items()}
        return Simulated(Degradation.read(filled))
    kinds = {kind.__name__: kind for kind in (RealNoise, RealBlur, UnknownRealBlur)}
    if table["kind"] not in kinds:
        raise UnknownName.among("kind of photograph", table["kind"], list(kinds))
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items() if key != "kind"}
    return kinds[table["kind"]](**fields)
