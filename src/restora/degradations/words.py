"""The words for blur kernels, noise models and masks. Noise levels are in gray levels of 255 here."""

import os
import re
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter, MissingData
from restora.core.noise import Noise
from restora.core.operator import Size
from restora.degradations.specs import BlurredSNR, Spec, Vocabulary, Word
from restora.images.read import read_picture
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.matlab_v4 import MatlabV4Gaussian, rand_v4
from restora.noise.numpy_seeded import NumpyGaussian
from restora.noise.poisson import Poisson
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.operators.mask import Mask
from restora.operators.psf import camera_shake_psf, disk_psf, gaussian_psf, motion_psf, uniform_psf
from restora.operators.psf_files import read_psf


def _inverse_quadratic() -> Float[Tensor, "15 15"]:
    """1 / (1 + i² + j²), normalised."""
    t = torch.arange(-7, 8, dtype=torch.float64)
    psf = 1 / (1 + t[:, None] ** 2 + t**2)
    return psf / psf.sum()


def _binomial() -> Float[Tensor, "5 5"]:
    """[1 4 6 4 1]ᵀ [1 4 6 4 1] / 256."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=torch.float64)
    return row[:, None] * row / 256


def _levin(data: Path, name: str) -> Float[Tensor, "kh kw"]:
    path = data / "kernels" / "levin09.npz"
    if not path.is_file():
        raise MissingData(f"the kernels of Levin et al. 2009 are missing: expected {path} with arrays k1 … k8")
    return read_psf(path, name)


KERNELS: Vocabulary[Tensor] = Vocabulary(
    "kernel",
    {
        "gaussian": Word("gaussian:SIGMA", lambda data, sigma: gaussian_psf(sigma)),
        "disk": Word("disk:RADIUS", lambda data, radius: disk_psf(radius)),
        "motion": Word("motion:LENGTH:DEGREES", lambda data, *numbers: motion_psf(*numbers), optional=1),
        "uniform": Word("uniform:SIDE", lambda data, side: uniform_psf(side)),
        "shake": Word(
            "shake:SIDE:SEED",
            lambda data, side, seed=0: camera_shake_psf(side, torch.Generator().manual_seed(seed)),
            optional=1,
        ),
        "file": Word("file:FILE", lambda data, file: read_psf(data / file)),
        "inverse-quadratic-15": Word("inverse-quadratic-15", lambda data: _inverse_quadratic()),
        "uniform-9": Word("uniform-9", lambda data: uniform_psf(9)),
        "binomial-5": Word("binomial-5", lambda data: _binomial()),
        "gaussian-25-1.6": Word("gaussian-25-1.6", lambda data: gaussian_psf(1.6, 25)),
        "gaussian-25-0.4": Word("gaussian-25-0.4", lambda data: gaussian_psf(0.4, 25)),
    }
    | {f"levin-{k}": Word(f"levin-{k}", lambda data, k=k: _levin(data, f"k{k}")) for k in range(1, 9)},
    (Path(),),
)
"""Kernels (kh, kw), float64, of sum one; files are read below a path."""


def _sigma(level: float | BlurredSNR, Hx: Float[Tensor, "b c h w"]) -> float:
    return level.sigma(Hx) if isinstance(level, BlurredSNR) else level / 255


NOISES: Vocabulary[Noise] = Vocabulary(
    "noise",
    {
        "gaussian": Word("gaussian:LEVEL", lambda Hx, level: Gaussian(_sigma(level, Hx))),
        "numpy": Word("numpy:LEVEL:SEED", lambda Hx, level, seed=0: NumpyGaussian(_sigma(level, Hx), seed), optional=1),
        "matlab-v4": Word(
            "matlab-v4:LEVEL:SEED", lambda Hx, level, seed=0: MatlabV4Gaussian(_sigma(level, Hx), seed), optional=1
        ),
        "poisson": Word("poisson:PEAK", lambda Hx, peak: Poisson(peak)),
        "poisson-gaussian": Word(
            "poisson-gaussian:PEAK:LEVEL", lambda Hx, peak, level: PoissonGaussian(peak, _sigma(level, Hx))
        ),
        "salt": Word("salt:SHARE", lambda Hx, share: SaltAndPepper(share)),
        "camera": Word("camera:SHOT:READ", lambda Hx, shot, read: CameraNoise(shot, read)),
    },
    (torch.zeros(1, 1, 1, 1),),
)
"""Noise models for a noise-free measurement Hx, (b, c, h, w), on which a level in dB depends."""


def _above(uniform: Float[Tensor, "h w"], kept: float) -> Mask:
    """Keep the pixels whose uniform number exceeds the missing share."""
    if not 0 < kept <= 1:
        raise InvalidParameter.outside("keep", kept, "in (0, 1]")
    return Mask.from_array(uniform > 1 - kept)


def _numpy_uniform(size: Size, seed: int) -> Float[Tensor, "h w"]:
    return torch.from_numpy(np.random.RandomState(seed).random_sample(size))


def _known_in(path: Path, size: Size) -> Mask:
    """Keep the pixels that are white in a picture, which is cut to the size at bottom and right."""
    if not path.is_file():
        raise MissingData(f"the mask is missing: expected {path}")
    picture = read_picture(path)
    return Mask.from_array(picture.pixels[: size[0], : size[1]].mean(axis=2) > picture.white / 2)


MASKS: Vocabulary[Mask] = Vocabulary(
    "mask",
    {
        "random": Word("random:SHARE-KEPT", lambda size, generator, data, kept: Mask.random(size, kept, generator)),
        "numpy": Word(
            "numpy:SHARE-KEPT:SEED",
            lambda size, generator, data, kept, seed=0: _above(_numpy_uniform(size, seed), kept),
            optional=1,
        ),
        "matlab-v4": Word(
            "matlab-v4:SHARE-KEPT:SEED",
            lambda size, generator, data, kept, seed=0: _above(rand_v4(size, seed), kept),
            optional=1,
        ),
        "text": Word(
            "text:HEIGHT", lambda size, generator, data, height=16: Mask.text(size, height=height), optional=1
        ),
        "known": Word("known:FILE", lambda size, generator, data, file: _known_in(data / file, size)),
    },
    ((64, 64), torch.Generator(), Path()),
)
"""Masks of a size, random by a generator; files are read below a path."""


def read_kernel(text: str) -> Spec:
    """Read the spec of a kernel, or take the text as the path of a file.

    Raises:
        UnknownName: the text is neither.
        InvalidParameter: the values do not belong to the word.
        InvalidInput: the file does not hold a kernel.
    """
    word = text.partition(":")[0]
    is_file = os.path.exists(text) or (word not in KERNELS.words and re.search(r"[./\\]", word))
    return KERNELS.read(f"file:{text}" if is_file else text)
