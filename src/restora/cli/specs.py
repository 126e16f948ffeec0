"""Specs: kernels, noise, masks and colours as words, such as ``motion:15:30``, ``gaussian:25`` or ``#ff00ff``."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import FileProblem, InvalidParameter, UnknownName
from restora.core.noise import Noise
from restora.core.operator import Size
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.matlab_v4 import MatlabV4Gaussian
from restora.noise.poisson import Poisson
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.operators.mask import Mask
from restora.operators.psf import camera_shake_psf, disk_psf, gaussian_psf, motion_psf, uniform_psf
from restora.operators.psf_files import read_psf


@dataclass(frozen=True, slots=True)
class _Kind:
    """A word, how many numbers may follow it, how they are called, and what is made of them."""

    least: int
    most: int
    usage: str
    make: Callable[..., object]


_KERNELS = {
    "gaussian": _Kind(1, 1, "gaussian:SIGMA", gaussian_psf),
    "disk": _Kind(1, 1, "disk:RADIUS", disk_psf),
    "motion": _Kind(1, 2, "motion:LENGTH:DEGREES", motion_psf),
    "uniform": _Kind(1, 1, "uniform:SIDE", lambda side: uniform_psf(_whole("uniform", side))),
    "shake": _Kind(
        1,
        2,
        "shake:SIDE:SEED",
        lambda side, seed=0.0: camera_shake_psf(
            _whole("shake", side), torch.Generator().manual_seed(_whole("shake", seed))
        ),
    ),
}

_NOISES = {
    "gaussian": _Kind(1, 1, "gaussian:SIGMA", lambda sigma: Gaussian(sigma / 255)),
    "poisson": _Kind(1, 1, "poisson:PEAK", Poisson),
    "poisson-gaussian": _Kind(2, 2, "poisson-gaussian:PEAK:SIGMA", lambda p, sigma: PoissonGaussian(p, sigma / 255)),
    "matlab-v4": _Kind(
        1, 2, "matlab-v4:SIGMA:SEED", lambda sigma, seed=0.0: MatlabV4Gaussian(sigma / 255, _whole("matlab-v4", seed))
    ),
    "salt": _Kind(1, 1, "salt:SHARE", SaltAndPepper),
    "camera": _Kind(2, 2, "camera:SHOT:READ", CameraNoise),
}

_MASKS = {
    "random": _Kind(1, 1, "random:SHARE-KEPT", lambda keep: keep),
    "text": _Kind(0, 1, "text:HEIGHT", lambda height=16.0: height),
}

_COLOURS = {
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
}


def kernel_from(text: str) -> Float[Tensor, "kh kw"]:
    """A kernel from a spec or a file.

    Raises:
        UnknownName: no such kernel and no such file.
        InvalidParameter: the numbers are not those that belong to it.
        FileProblem: the file cannot be read.
        InvalidInput: what it holds is no kernel.
    """
    if os.path.exists(text):
        return read_psf(Path(text))
    if text.partition(":")[0] not in _KERNELS and re.search(r"[./\\]", text.partition(":")[0]):
        raise FileProblem(f"there is no file {text}")
    psf = _made("kernel", text, _KERNELS)
    assert isinstance(psf, Tensor)
    return psf


def noise_from(text: str) -> Noise:
    """A noise model from a spec; σ in levels of 0..255, all else as the class says.

    Raises:
        UnknownName: no such noise.
        InvalidParameter: the numbers are not those that belong to it.
    """
    noise = _made("noise", text, _NOISES)
    assert isinstance(noise, Noise)
    return noise


def mask_from(text: str, size: Size, generator: torch.Generator) -> Mask:
    """A mask of that size from a spec.

    Raises:
        UnknownName: no such mask.
        InvalidParameter: the numbers are not those that belong to it.
    """
    number = _made("mask", text, _MASKS)
    assert isinstance(number, float)
    if text.partition(":")[0] == "random":
        return Mask.random(size, number, generator)
    return Mask.text(size, height=_whole("text", number))


def colour_from(text: str) -> tuple[float, float, float]:
    """A colour in [0, 1] from its name or ``#rrggbb``.

    Raises:
        UnknownName: no such colour.
    """
    match = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text)
    if match:
        red, green, blue = (int(pair, 16) / 255 for pair in match.groups())
        return red, green, blue
    if text.lower() not in _COLOURS:
        raise UnknownName.among("colour", text, ["alpha", "#rrggbb", *_COLOURS])
    return _COLOURS[text.lower()]


def _made(what: str, text: str, kinds: dict[str, _Kind]) -> object:
    """What a spec stands for."""
    name, *words = text.split(":")
    if name not in kinds:
        raise UnknownName.among(what, name, list(kinds))
    kind = kinds[name]
    if not kind.least <= len(words) <= kind.most:
        raise InvalidParameter(f"{what} {text!r} is not allowed: write {kind.usage}")
    return kind.make(*_numbers(what, text, words, kind.usage))


def _numbers(what: str, text: str, words: Sequence[str], usage: str) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise InvalidParameter(f"{what} {text!r} is not allowed: write {usage}") from error


def _whole(name: str, number: float) -> int:
    if not float(number).is_integer():
        raise InvalidParameter.outside(name, number, "a whole number")
    return int(number)
