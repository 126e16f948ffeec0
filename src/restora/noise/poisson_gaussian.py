"""Photon noise and read-out noise together."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.kernels import kernel
from restora.core.noise import Noise
from restora.noise.densities import per_image, poisson_log_mass
from restora.noise.draws import normal_like, poisson

_NEGLIGIBLE = 1e-17
"""A term below this share of the sum ends it."""


@dataclass(frozen=True, slots=True)
class PoissonGaussian(Noise):
    """y = k / P + n with k ~ Poisson(P·x) and n ~ N(0, σ²): E y = x, var y = x / P + σ².

    log p(y | x) = log Σ_k e^(−λ) λ^k / k! · N(y; k/P, σ²), λ = P·x, is summed directly (no saddle-point approximation):
    the terms are log-concave in k, so the sum starts at the largest, k*, the root of log(k/λ) + (k − P·y) / (Pσ)² = 0,
    and runs up and down until a term adds less than 1e-17. Negative intensities count as zero.

    Cost: about 18 terms for each unit of the peak's width, (1/k* + 1/(Pσ)²)^(−1/2), a pixel; it runs on the CPU.

    Args:
        peak: P, the mean count at x = 1, > 0.
        sigma_read: σ of the Gaussian part on [0, 1], >= 0 (0: :class:`~restora.noise.poisson.Poisson` itself).

    Raises:
        InvalidParameter: P is not positive and finite, or σ is negative, infinite or NaN.
    """

    peak: float
    sigma_read: float

    def __post_init__(self) -> None:
        if not 0 < self.peak < math.inf:
            raise InvalidParameter.outside("peak", self.peak, "> 0 and finite")
        if not 0 <= self.sigma_read < math.inf:
            raise InvalidParameter.outside("sigma_read", self.sigma_read, ">= 0 and finite")

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        photons = poisson(self.peak * x.clamp_min(0), generator) / self.peak
        return photons + self.sigma_read * normal_like(x, generator)

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        z, rate = self.peak * y.double(), self.peak * x.double().clamp_min(0)
        if self.sigma_read == 0:
            return per_image(poisson_log_mass(z, rate), y)
        # The density of z = P·y is that of y divided by P.
        return per_image(_log_convolution(z, rate, (self.peak * self.sigma_read) ** 2) + math.log(self.peak), y)

    @property
    def affine_variance(self) -> tuple[float, float]:
        return (1 / self.peak, self.sigma_read**2)

    @property
    def sigma(self) -> float:
        """Standard deviation at middle gray, x = 1/2."""
        return math.sqrt(0.5 / self.peak + self.sigma_read**2)


def _log_convolution(z: Tensor, rate: Tensor, s: float) -> Tensor:
    """log Σ_k Poisson(k; rate) N(z; k, s) a pixel."""
    sums = _log_sums(z.cpu().numpy().ravel(), rate.cpu().numpy().ravel(), s)
    return torch.from_numpy(sums).reshape(z.shape).to(z.device)


@kernel(parallel=True)
def _log_sums(z: np.ndarray, rate: np.ndarray, s: float) -> np.ndarray:
    out = np.empty_like(z)
    for i in prange(z.size):
        out[i] = _log_sum(z[i], rate[i], s)
    return out


@kernel
def _log_sum(z: float, rate: float, s: float) -> float:
    """From the largest term k the neighbours follow by their ratio, λ / (k + 1) · e^((z − k − 1/2) / s)."""
    gaussian = -0.5 * math.log(2 * math.pi * s)
    if rate == 0:
        return gaussian - z * z / (2 * s)
    largest = round(_largest_term(z, rate, s))
    total = 1.0
    term, k = 1.0, largest
    while term > _NEGLIGIBLE * total:
        term *= rate / (k + 1) * math.exp((z - k - 0.5) / s)
        total += term
        k += 1
    term, k = 1.0, largest
    while term > _NEGLIGIBLE * total and k > 0:
        term *= k / rate * math.exp((k - 0.5 - z) / s)
        total += term
        k -= 1
    at_largest = largest * math.log(rate) - rate - math.lgamma(largest + 1) - (z - largest) ** 2 / (2 * s)
    return math.log(total) + at_largest + gaussian


@kernel
def _largest_term(z: float, rate: float, s: float) -> float:
    """k* = e^u at the root of u − log λ + (e^u − z) / s = 0, an increasing convex function, by Newton's method."""
    # Both candidates lie right of the root or on it: from there Newton's steps go down to it and never past.
    u = max(math.log(rate), math.log(max(z, 1e-300)))
    step = 1.0
    while abs(step) > 1e-9 * max(1.0, abs(u)):
        step = (u - math.log(rate) + (math.exp(u) - z) / s) / (1 + math.exp(u) / s)
        u -= step
    return math.exp(u)
