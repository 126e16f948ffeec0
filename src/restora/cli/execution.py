"""Execution: where to compute, as the command line says it."""

import torch

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.front.arrays import Execution
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise


def execution_on(device: str, tile: int | None, seed: int) -> Execution:
    """Where and how to compute.

    Raises:
        InvalidParameter: there is no such device, or the seed is none.
    """
    if not 0 <= seed < 2**63:
        raise InvalidParameter.outside("seed", seed, "between 0 and 2^63 - 1")
    return Execution(require_device(device), tile, seed)


def require_device(name: str) -> str:
    """The name of a device that is there.

    Raises:
        InvalidParameter: it is not there.
    """
    try:
        torch.empty(1, device=torch.device(name))
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InvalidParameter(f"the device {name!r} is not to be had here: use cpu") from error
    return name


def noise_of_sigma(sigma: float | None) -> Noise:
    """The noise model for a σ in levels of 0..255; unknown where none is given."""
    return UnknownNoise() if sigma is None else Gaussian(sigma / 255)
