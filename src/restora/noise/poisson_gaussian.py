"""Photon noise and read-out noise together."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.noise.densities import normal_log_density, per_image, poisson_log_mass
from restora.noise.draws import normal_like, poisson

_WIDTHS = 9.0
"""Half-width of the summed window in widths of the summand's peak: what is left out is below 1e-15 of the sum."""


@dataclass(frozen=True, slots=True)
class PoissonGaussian(Noise):
    """y = k / P + n with k ~ Poisson(P·x) and n ~ N(0, σ²): E y = x, var y = x / P + σ².

    log p(y | x) = log Σ_k e^(−λ) λ^k / k! · N(y; k/P, σ²), λ = P·x, is summed directly over a window about the largest
    term (a truncated summation, not a saddle-point approximation). The terms are log-concave in k, so their peak k* is
    the root of log(k/λ) + (k − P·y) / (Pσ)² = 0 and its width is (1/k* + 1/(Pσ)²)^(−1/2). Where that width passes 8 and
    k* > 400, every m-th term is summed and weighted by m, with at least four samples a width: the trapezoidal rule on a
    smooth peak, in error by e^(−300). Negative intensities count as zero.

    Cost: at most 400 evaluations of log Γ a pixel, as many as the widest peak asks for.

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
    def sigma(self) -> float:
        """That of middle gray, x = 1/2."""
        return math.sqrt(0.5 / self.peak + self.sigma_read**2)


def _log_convolution(z: Tensor, rate: Tensor, s: float) -> Tensor:
    """log Σ_k Poisson(k; rate) N(z; k, s) a pixel."""
    peak = _largest_term(z, rate, s)
    width = (1 / peak.clamp_min(1) + 1 / s).rsqrt()
    stride = torch.where(peak > 400, (width / 4).floor().clamp_min(1), 1.0)
    # The right tail of a Poisson peak at k* < 1 falls more slowly than a Gaussian one: some terms more.
    steps = int((_WIDTHS * width / stride).max().ceil()) + 12
    variance = torch.full_like(z, s)
    total = torch.full_like(z, -math.inf)
    for step in range(-steps, steps + 1):
        k = peak.round() + step * stride
        total = torch.logaddexp(total, poisson_log_mass(k, rate) + normal_log_density(z - k, variance))
    return total + stride.log()


def _largest_term(z: Tensor, rate: Tensor, s: float) -> Tensor:
    """k* = e^u at the root of u − log(rate) + (e^u − z) / s = 0, an increasing convex function, by Newton's method."""
    log_rate = rate.clamp_min(torch.finfo(rate.dtype).tiny).log()
    # Both right of the root: there Newton's steps go down to it and never past.
    u = torch.maximum(log_rate, z.clamp_min(1e-300).log())
    for _ in range(60):
        step = (u - log_rate + (u.exp() - z) / s) / (1 + u.exp() / s)
        u = u - step
        if bool((step.abs() <= 1e-6).all()):
            break
    return u.exp()
