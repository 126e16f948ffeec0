"""Noise: the contract of n in y = Hx + n."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor


class Noise(ABC):
    """A noise model p(y | Hx); subclasses are frozen dataclasses in ``noise/``. All levels are on the range [0, 1]."""

    __slots__ = ()

    @abstractmethod
    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        """Draw y given the noise-free measurement ``x``; nothing is clipped or rounded unless the model itself is."""

    @abstractmethod
    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """log p(y | x) in nats, a value an image."""

    @property
    @abstractmethod
    def sigma(self) -> float | None:
        """Standard deviation of the nearest white Gaussian noise, for methods made for that; None if unknown."""

    @property
    def affine_variance(self) -> tuple[float, float] | None:
        """(a, b) where the variance of the noise is a·x + b with a > 0; None where it does not grow with the light."""
        return None
