"""Photon noise."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.noise.densities import per_image, poisson_log_mass
from restora.noise.draws import poisson


@dataclass(frozen=True, slots=True)
class Poisson(Noise):
    """y = k / P with k ~ Poisson(P·x), independent from pixel to pixel: E y = x, var y = x / P.

    The likelihood is the probability mass of the count k = P·y, continued by the Gamma function to a y that is no
    multiple of 1/P; it is −inf for y < 0. Negative intensities, as a ringing Hx may have, count as zero.

    Args:
        peak: P, the mean count at x = 1, > 0.

    Raises:
        InvalidParameter: P is not positive and finite.
    """

    peak: float

    def __post_init__(self) -> None:
        if not 0 < self.peak < math.inf:
            raise InvalidParameter.outside("peak", self.peak, "> 0 and finite")

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        return poisson(self.peak * x.clamp_min(0), generator) / self.peak

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        return per_image(poisson_log_mass(self.peak * y.double(), self.peak * x.double().clamp_min(0)), y)

    @property
    def affine_variance(self) -> tuple[float, float]:
        return (1 / self.peak, 0.0)

    @property
    def sigma(self) -> float:
        """Standard deviation at middle gray, x = 1/2."""
        return math.sqrt(0.5 / self.peak)
