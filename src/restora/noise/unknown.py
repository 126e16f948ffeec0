"""Noise about which nothing is known."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve
from restora.core.noise import Noise


@dataclass(frozen=True, slots=True)
class UnknownNoise(Noise):
    """The noise of a measurement whose noise is not known; the front door estimates it before a method runs.

    Raises:
        CannotSolve: it is asked for a sample or a likelihood.
    """

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        raise CannotSolve("unknown noise cannot be drawn: choose a noise model, such as Gaussian(sigma=0.1)")

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        raise CannotSolve("unknown noise has no likelihood: estimate it first, with estimate_noise(y)")

    @property
    def sigma(self) -> None:
        return None
