"""The noise of a linear sensor: a variance that grows with the light."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.noise.densities import normal_log_density, per_image
from restora.noise.draws import normal_like


@dataclass(frozen=True, slots=True)
class CameraNoise(Noise):
    """y = x + n with n ~ N(0, a·x + b), independent from pixel to pixel (heteroscedastic Gaussian).

    The normal approximation of photon noise (a = 1/P) and read-out noise (b), as in A. Foi, M. Trimeche, V. Katkovnik,
    K. Egiazarian, Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data, IEEE TIP 2008,
    doi:10.1109/TIP.2008.2001399. Where a·x + b <= 0 there is no noise: the likelihood is then the point mass at x.

    Args:
        shot: a, variance a unit of intensity, >= 0.
        read: b, variance in the dark, >= 0.

    Raises:
        InvalidParameter: a variance is negative, infinite or NaN.
    """

    shot: float
    read: float

    def __post_init__(self) -> None:
        for name, variance in (("shot", self.shot), ("read", self.read)):
            if not 0 <= variance < math.inf:
                raise InvalidParameter.outside(name, variance, ">= 0 and finite")

    def variance(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """a·x + b, never below zero."""
        return (self.shot * x + self.read).clamp_min(0)

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        return x + self.variance(x).sqrt() * normal_like(x, generator)

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        return per_image(normal_log_density(y.double() - x.double(), self.variance(x.double())), y)

    @property
    def affine_variance(self) -> tuple[float, float] | None:
        return (self.shot, self.read) if self.shot > 0 else None

    @property
    def sigma(self) -> float:
        """Standard deviation at middle gray, x = 1/2."""
        return math.sqrt(self.shot / 2 + self.read)
