"""Gaussian noise from NumPy's legacy generator: the noise of most benchmarks since 2016."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.noise import Noise
from restora.noise.gaussian import Gaussian


@dataclass(frozen=True, slots=True)
class NumpyGaussian(Noise):
    """y = x + σ·n with n from ``numpy.random.RandomState(seed).standard_normal((h, w, c))``, for each image anew.

    The sample depends on σ, the seed and the size alone; ``generator`` is ignored. The likelihood is that of
    :class:`Gaussian`.

    Args:
        sigma: σ on [0, 1], >= 0.
        seed: between 0 and 2³² − 1.

    Raises:
        InvalidParameter: σ or the seed is out of range.
    """

    # field() keeps the dataclass from taking the contract's property for a default value.
    sigma: float = field()  # pyright: ignore[reportIncompatibleMethodOverride] (the field answers the property)
    seed: int = 0

    def __post_init__(self) -> None:
        Gaussian(self.sigma)
        if not 0 <= self.seed < 2**32:
            raise InvalidParameter.outside("seed", self.seed, "between 0 and 4294967295")

    def sample(self, x: Float[Tensor, "b c h w"], generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        _, c, h, w = x.shape
        n = torch.from_numpy(np.random.RandomState(self.seed).standard_normal((h, w, c))).movedim(-1, 0)
        return (x.double() + self.sigma * n.to(x.device)).to(x.dtype)

    def log_likelihood(self, y: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        return Gaussian(self.sigma).log_likelihood(y, x)
