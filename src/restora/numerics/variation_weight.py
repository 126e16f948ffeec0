"""The weight of total variation that suits a noise level, an operator and a number of channels."""

import math

import torch

from restora.core.parameters import check_number, nonnegative, positive
from restora.core.problem import Problem

FINEST_SIGMA = 1 / (255 * math.sqrt(12))
"""σ of rounding to 8 bits: the noise counts as at least that."""


def variation_weight(sigma: float, gain: float, channels: int) -> float:
    """λ = σ² · (√C · 7.1 (σ/s)^(−2/3))^g · 8^(1−g), s = 25/255, for ½‖Hx − y‖² + λTV(x) on [0, 1].

    Args:
        sigma: σ of the noise; it counts as at least that of rounding to 8 bits.
        gain: g, the share of a white image's energy that H lets through; above 1 it counts as 1.
        channels: C; TV grows as √C where edges coincide, the data term as C.

    Raises:
        InvalidParameter: σ is negative or infinite, or g is not positive.
    """
    check_number("sigma", sigma, nonnegative)
    check_number("gain", gain, positive)
    sigma, gain = max(sigma, FINEST_SIGMA), min(gain, 1.0)
    seen = 7.1 * (sigma / (25 / 255)) ** (-2 / 3)
    return sigma**2 * (math.sqrt(channels) * seen) ** gain * 8 ** (1 - gain)


def white_gain(problem: Problem) -> float:
    """g = E‖Hz‖²/E‖z‖² for white z, from one draw."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1, problem.channels, *problem.size, generator=generator).to(problem.y)
    return float(problem.H(z).square().sum() / z.square().sum())
