"""Noise models by spec. σ is in gray levels of 255 here, and on [0, 1] in the models."""

from collections.abc import Mapping
from types import MappingProxyType

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.degradations.specs import BlurredSNR, Spec, Word, whole
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.matlab_v4 import MatlabV4Gaussian
from restora.noise.numpy_seeded import NumpyGaussian
from restora.noise.poisson import Poisson
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.noise.salt_and_pepper import SaltAndPepper

_NOISES: Mapping[str, Word] = MappingProxyType(
    {
        "gaussian": Word("gaussian:SIGMA", 1, Gaussian),
        "numpy": Word("numpy:SIGMA:SEED", 1, lambda sigma, seed=0.0: NumpyGaussian(sigma, whole("seed", seed))),
        "matlab-v4": Word(
            "matlab-v4:SIGMA:SEED", 1, lambda sigma, seed=0.0: MatlabV4Gaussian(sigma, whole("seed", seed))
        ),
        "poisson": Word("poisson:PEAK", 1, Poisson),
        "poisson-gaussian": Word("poisson-gaussian:PEAK:SIGMA", 2, PoissonGaussian),
        "salt": Word("salt:SHARE", 1, SaltAndPepper),
        "camera": Word("camera:SHOT:READ", 2, CameraNoise),
    }
)


def read_noise(text: str) -> Spec:
    """Read a noise spec.

    Raises:
        UnknownName: the word is unknown.
        InvalidParameter: the numbers do not belong to it.
    """
    spec = Spec.read("noise", text, _NOISES)
    for end in spec.ends():
        noise_model(end)
    return spec


def noise_model(spec: Spec, Hx: Float[Tensor, "b c h w"] | None = None) -> Noise:
    """Make the model; a level in dB is measured on Hx, and is taken as 0 without it.

    Raises:
        InvalidParameter: a number is outside its range, or a number other than σ is in dB.
    """
    names = _NOISES[spec.word].usage.split(":")[1:]
    values: list[float] = []
    for name, value in zip(names, spec.numbers, strict=False):
        if isinstance(value, BlurredSNR) and name == "SIGMA":
            values.append(0.0 if Hx is None else value.sigma(Hx))
        elif isinstance(value, float):
            values.append(value / 255 if name == "SIGMA" else value)
        else:
            raise InvalidParameter(f"noise {spec.text!r} is not allowed: write {_NOISES[spec.word].usage}")
    noise = _NOISES[spec.word].make(*values)
    assert isinstance(noise, Noise)
    return noise


def as_known(noise: Noise) -> Noise:
    """Return the model that a method is told: noise of a legacy generator is white Gaussian noise."""
    return Gaussian(noise.sigma) if isinstance(noise, NumpyGaussian | MatlabV4Gaussian) else noise
