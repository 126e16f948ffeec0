"""Degradations: how a protocol makes y out of x, as frozen records. Each is a line of ``suites.toml``.

σ is in gray levels of 255 here, as in the tables and ids; problems carry it on [0, 1]. The seed of a random degradation
is set anew for every image (the scope of the seed is one image).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from restora.core.errors import InvalidParameter, MissingData
from restora.core.problem import Problem
from restora.evaluation.psfs import find_psf
from restora.evaluation.sets import read_array, read_image
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.noise.matlab_v4 import rand_v4, randn_v4
from restora.noise.unknown import UnknownNoise
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.unknown import UnknownBlur

Generator = Literal["numpy", "matlab-v4"]
"""``numpy``: ``RandomState(seed)`` in the order (rows, columns, channels). ``matlab-v4``: ``randn('seed', seed)``."""


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
class Degradation(Protocol):
    """Makes the problem of a scene; its ``y`` is float64 and neither clipped nor rounded."""

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        """The part of x that is degraded and that the estimate is compared with."""
        ...

    def problem(self, scene: Scene) -> Problem:
        """y = Hx + n for this scene."""
        ...


class _Whole:
    """Degradations that take x as it is."""

    __slots__ = ()

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteNoise:
    """H = 1, additive white Gaussian noise on x, cropped to multiples of a number at bottom and right.

    Attributes:
        sigma: standard deviation in gray levels of 255.
        generator: which random numbers.
        seed: of each image.
        multiple: of which sides must be multiples.
    """

    sigma: float
    generator: Generator
    seed: int = 0
    multiple: int = 1

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        return _cropped(x, self.multiple)

    def problem(self, scene: Scene) -> Problem:
        y = scene.x + self.sigma / 255 * _normals(scene.x, self.generator, self.seed)
        return Problem(y, Identity(), Gaussian(self.sigma / 255))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlurAndNoise(_Whole):
    """Blur by a known kernel, then additive white Gaussian noise.

    Attributes:
        psf: name of the kernel, see :mod:`restora.evaluation.psfs`.
        sigma: standard deviation in gray levels of 255; None where ``bsnr`` is given.
        bsnr: 10 log₁₀(var(Hx) / σ²) in dB, from which σ follows for each image.
        boundary: of the blur.
        generator: which random numbers, drawn after the blur.
        seed: of each image.
    """

    psf: str
    sigma: float | None = None
    bsnr: float | None = None
    boundary: Literal["circular", "replicate"] = "circular"
    generator: Generator
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.sigma is None) == (self.bsnr is None):
            raise InvalidParameter("a blur protocol states either sigma or bsnr")

    def problem(self, scene: Scene) -> Problem:
        H = Blur(find_psf(self.psf, scene.data), self.boundary)
        blurred = H(scene.x)
        if self.sigma is not None:
            sigma = self.sigma / 255
        else:
            sigma = float(blurred.var(correction=0)) ** 0.5 * 10 ** (-(self.bsnr or 0.0) / 20)
        return Problem(blurred + sigma * _normals(blurred, self.generator, self.seed), H, Gaussian(sigma))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatlabBicubic:
    """MATLAB's ``imresize(x, 1/scale, 'bicubic')`` of x, cropped to multiples of the scale at bottom and right."""

    scale: int

    def prepare(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c i j"]:
        return _cropped(x, self.scale)

    def problem(self, scene: Scene) -> Problem:
        height, width = scene.x.shape[-2:]
        H = Downsample(self.scale, kernel="bicubic", size=(height, width))
        return Problem(H(scene.x), H, Gaussian(0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomMask(_Whole):
    """A share of the pixels, drawn at random and the same in all channels, is missing (0 in y); no noise.

    Attributes:
        missing: the share in percent; a pixel is known where its uniform number exceeds ``missing`` / 100.
        generator: ``numpy`` is ``RandomState(seed).random_sample``, ``matlab-v4`` is ``rand('seed', seed)``.
        seed: of each image.
    """

    missing: float
    generator: Generator
    seed: int = 0

    def problem(self, scene: Scene) -> Problem:
        size = tuple(scene.x.shape[-2:])
        uniform = (
            rand_v4(size, self.seed)
            if self.generator == "matlab-v4"
            else torch.from_numpy(np.random.RandomState(self.seed).random_sample(size))
        )
        return _masked(scene, uniform > self.missing / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskFile(_Whole):
    """What is black in a mask picture is missing (0 in y); no noise. A larger mask is cut to the image's size.

    Attributes:
        path: of the picture, relative to the folder of benchmark data.
    """

    path: str

    def problem(self, scene: Scene) -> Problem:
        path = scene.data / self.path
        if not path.is_file():
            raise MissingData(f"the mask is not there: expected {path}")
        height, width = scene.x.shape[-2:]
        return _masked(scene, read_image(path)[0, 0, :height, :width] > 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegCompression(_Whole):
    """H = 1; x is written as a JPEG of this quality and read back."""

    quality: int

    def problem(self, scene: Scene) -> Problem:
        noise = Jpeg(self.quality)
        return Problem(noise.sample(scene.x), Identity(), noise)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealNoise(_Whole):
    """H = 1; y was photographed, its noise is unknown."""

    def problem(self, scene: Scene) -> Problem:
        return Problem(_measured(scene), Identity(), UnknownNoise())


@dataclass(frozen=True, slots=True, kw_only=True)
class RealBlur(_Whole):
    """y was photographed; its kernel is in the same file as y and given to the method.

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
        return Problem(_measured(scene), Blur(psf / psf.sum(), "replicate"), Gaussian(self.sigma / 255))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRealBlur(_Whole):
    """y was photographed or made elsewhere; its kernel and its noise are unknown.

    Attributes:
        sizes: side of the kernel to look for, for images named ``…ker01``, ``…ker02`` and so on.
    """

    sizes: tuple[int, ...]

    def problem(self, scene: Scene) -> Problem:
        kernel = int(scene.name.rpartition("ker")[2])
        return Problem(_measured(scene), UnknownBlur(size=self.sizes[kernel - 1]), UnknownNoise())


KINDS: Mapping[str, type[Any]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            WhiteNoise,
            BlurAndNoise,
            MatlabBicubic,
            RandomMask,
            MaskFile,
            JpegCompression,
            RealNoise,
            RealBlur,
            UnknownRealBlur,
        )
    }
)
"""The degradations by the names that ``suites.toml`` uses."""


def _normals(like: Float[Tensor, "1 c h w"], generator: Generator, seed: int) -> Float[Tensor, "1 c h w"]:
    """Standard normals for one image, in the order the generator's users draw them."""
    _, c, h, w = like.shape
    if generator == "matlab-v4":
        drawn = randn_v4((h, w, c), seed)
    else:
        drawn = torch.from_numpy(np.random.RandomState(seed).standard_normal((h, w, c)))
    return drawn.movedim(-1, 0)[None]


def _masked(scene: Scene, known: Bool[Tensor, "h w"]) -> Problem:
    H = Mask(known.to(scene.x))
    return Problem(H(scene.x), H, Gaussian(0.0))


def _measured(scene: Scene) -> Float[Tensor, "1 c h w"]:
    if scene.measured is None:
        raise MissingData(f"{scene.name} has no photographed measurement: choose a set that has")
    return scene.measured


def _cropped(x: Float[Tensor, "1 c h w"], multiple: int) -> Float[Tensor, "1 c i j"]:
    """x without what is over a multiple at bottom and right."""
    height, width = (side - side % multiple for side in x.shape[-2:])
    return x[..., :height, :width]
