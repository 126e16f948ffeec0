"""Densities of the noise models, summed over the pixels of each image in float64."""

import math

import torch
from torch import Tensor


def per_image(log_p: Tensor, y: Tensor) -> Tensor:
    """Sum of the pixels' log-probabilities of each image, in the dtype of ``y``."""
    return log_p.sum(dim=(1, 2, 3)).to(y.dtype)


def normal_log_density(residual: Tensor, variance: Tensor) -> Tensor:
    """log N(residual; 0, variance) a pixel; where the variance is 0 the point mass: 0 at residual 0, else −inf."""
    safe = torch.where(variance > 0, variance, torch.ones_like(variance))
    density = -0.5 * (residual**2 / safe + torch.log(2 * math.pi * safe))
    mass = torch.where(residual == 0, 0.0, -math.inf).to(density)
    return torch.where(variance > 0, density, mass)


def poisson_log_mass(k: Tensor, rate: Tensor) -> Tensor:
    """log of e^(−λ) λ^k / k! a pixel, continued to real k >= 0 by the Gamma function; −inf for k < 0."""
    mass = torch.xlogy(k, rate) - rate - torch.lgamma(k.clamp_min(0) + 1)
    return torch.where(k < 0, -math.inf, mass)
