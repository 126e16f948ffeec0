"""Impulse noise: pixels replaced by white or black."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.noise.densities import per_image
from restora.noise.draws import uniform_like


@dataclass(frozen=True, slots=True)
class SaltAndPepper(Noise):
    """y is 1 with probability d·s, 0 with probability d·(1 − s), and x otherwise; channels are hit separately.

    The likelihood is a probability mass on the three values {0, x, 1} (added where they coincide), −inf elsewhere.

    Args:
        amount: d, the share of values replaced, in [0, 1].
        salt: s, the share of white among them, in [0, 1].

    Raises:
        InvalidParameter: a share outside [0, 1].
    """

    amount: float
    salt: float = 0.5

    def __post_init__(self) -> None:
        for name, share in (("amount", self.amount), ("salt", self.salt)):
            if not 0 <= share <= 1:
                raise InvalidParameter.outside(name, share, "between 0 and 1")

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        u = uniform_like(x, generator)
        white = self.amount * self.salt
        return torch.where(u < white, 1.0, torch.where(u < self.amount, 0.0, x)).to(x.dtype)

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        kept = (1 - self.amount) * (y == x).double()
        white = self.amount * self.salt * (y == 1).double()
        black = self.amount * (1 - self.salt) * (y == 0).double()
        return per_image((kept + white + black).log(), y)

    @property
    def sigma(self) -> float:
        """Root mean square error it makes on middle gray, √d / 2."""
        return math.sqrt(self.amount) / 2
