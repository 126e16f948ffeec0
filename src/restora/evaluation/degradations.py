"""Where the measurements of a protocol come from: a degradation of the true image, or a photograph.

σ is in gray levels of 255 here, as in the tables and ids; problems carry it on [0, 1].
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import MissingData
from restora.core.operator import Operator
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


@dataclass(frozen=True, slots=True)
class Simulated:
    """A degradation of x, cropped at bottom and right to multiples of its scale and of its ``multiple``.

    The generator is seeded with 0 for every image; the seeds of legacy generators are part of the degradation.
    """

    degradation: Degradation

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        """Return the part of x that is degraded and that the estimate is compared with."""
        multiple = math.lcm(self.degradation.multiple, *(int(scale) for scale in self.degradation.scales))
        height, width = (side - side % multiple for side in x.shape[-2:])
        return x[..., :height, :width]

    def problem(self, scene: Scene) -> Problem:
        """Return y = Hx + n in float64, neither clipped nor rounded.

        Raises:
            MissingData: a file is missing.
        """
        return self.degradation(scene.x, torch.Generator().manual_seed(0), scene.data).problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Photographed:
    """y was photographed or made elsewhere. H = 1, unless a kernel or its size is stated.

    Attributes:
        kernel: pattern of the file that holds the kernel, ``{name}`` being the image's name.
        key: of the kernel's array in that file.
        flipped: the file holds the kernel of a correlation.
        sigma: the noise level that methods are told, in gray levels of 255; None where it is unknown.
        sizes: side of the unknown kernel, for images named ``…ker01``, ``…ker02`` and so on.
    """

    kernel: str = ""
    key: str = ""
    flipped: bool = False
    sigma: float | None = None
    sizes: tuple[int, ...] = ()

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c h w"]:
        """Return x, all of which is compared."""
        return x

    def problem(self, scene: Scene) -> Problem:
        """Return the measurement with what is known about it.

        Raises:
            MissingData: the set has no photographed measurement.
            FileProblem: the kernel cannot be read.
        """
        if scene.measured is None:
            raise MissingData(f"{scene.name} has no photographed measurement: choose a set that has")
        noise = UnknownNoise() if self.sigma is None else Gaussian(self.sigma / 255)
        return Problem(scene.measured, self._operator(scene), noise)

    def _operator(self, scene: Scene) -> Operator:
        if self.sizes:
            return UnknownBlur(size=self.sizes[int(scene.name.rpartition("ker")[2]) - 1])
        if not self.kernel:
            return Identity()
        array = read_array(scene.data / self.kernel.format(name=scene.name), self.key).astype(np.float64)
        psf = torch.from_numpy(array[::-1, ::-1].copy() if self.flipped else array)
        return Blur(psf / psf.sum(), "replicate")


Measured = Simulated | Photographed
"""Where a measurement comes from."""


def measured_from(table: Mapping[str, Any], values: Mapping[str, Any]) -> Measured:
    """Read a ``degradation`` of ``suites.toml``, in whose text names of ``values`` may stand in braces.

    Raises:
        UnknownName: a key or word is unknown.
        InvalidParameter: a value is outside its range.
    """
    if "photographed" in table:
        fields: dict[str, Any] = dict(table["photographed"])
        fields["sizes"] = tuple(fields.get("sizes", ()))
        return Photographed(**fields)
    filled = {key: value.format(**values) if isinstance(value, str) else value for key, value in table.items()}
    return Simulated(Degradation.read(filled))
