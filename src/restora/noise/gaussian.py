"""Additive white Gaussian noise."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.noise.densities import normal_log_density, per_image
from restora.noise.draws import normal_like


@dataclass(frozen=True, slots=True)
class Gaussian(Noise):
    """y = x + n with n ~ N(0, σ²), independent from pixel to pixel.

    Args:
        sigma: σ, the standard deviation on [0, 1], >= 0. With σ = 0 the likelihood is the point mass at x: log p is
            0 where y = x and −inf elsewhere.

    Raises:
        InvalidParameter: σ is negative, infinite or NaN.
    """

    # field() keeps the dataclass from taking the contract's property for a default value.
    sigma: float = field()  # pyright: ignore[reportIncompatibleMethodOverride] (the field answers the property)

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < math.inf:
            raise InvalidParameter.outside("sigma", self.sigma, ">= 0 and finite")

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        return x + self.sigma * normal_like(x, generator)

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        residual = y.double() - x.double()
        return per_image(normal_log_density(residual, torch.full_like(residual, self.sigma**2)), y)
