"""Problem: a measurement, its operator and its noise."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidInput
from restora.core.noise import Noise
from restora.core.operator import Operator, Size


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """y = Hx + n: the measurement, the operator and the noise model.

    Args:
        y: measured images, floating point, nominally in [0, 1], shape (batch, channel, height, width).
        H: the measurement operator.
        noise: the noise model.
        frames: the batch axis is several measurements of *one* scene, not several scenes.

    Raises:
        InvalidInput: y is not a floating-point (b, c, h, w) tensor, or is empty.
    """

    y: Float[Tensor, "b c h w"]
    H: Operator
    noise: Noise
    frames: bool = False

    def __post_init__(self) -> None:
        if self.y.ndim != 4 or not self.y.is_floating_point():
            raise InvalidInput(
                f"the measurement must be a floating-point tensor (batch, channel, height, width), "
                f"not {self.y.dtype} of shape {tuple(self.y.shape)}"
            )
        if self.y.numel() == 0:
            raise InvalidInput(f"the measurement is empty: its shape is {tuple(self.y.shape)}")

    @classmethod
    def simulate(cls, x: Float[Tensor, "b c h w"], H: Operator, noise: Noise, seed: int) -> "Problem":
        """Measure a known scene: y = Hx + n, with the noise drawn from a generator of that seed on x's device."""
        generator = torch.Generator(device=x.device).manual_seed(seed)
        return cls(noise.sample(H(x), generator), H, noise)

    @property
    def sigma(self) -> float:
        """σ of the noise on [0, 1].

        Raises:
            InvalidInput: the noise level is unknown (the front door estimates it before a method is run).
        """
        sigma = self.noise.sigma
        if sigma is None:
            raise InvalidInput("the noise level is unknown: give sigma, or let restora.restore estimate it")
        return sigma

    @property
    def size(self) -> Size:
        """Height and width of the image x that is sought."""
        return self.H.input_size((self.y.shape[-2], self.y.shape[-1]))

    @property
    def channels(self) -> int:
        """Channels of the image x that is sought."""
        return self.H.input_channels(self.y.shape[1])

    def with_y(self, y: Float[Tensor, "b c h w"]) -> "Problem":
        """The same problem with another measurement."""
        return replace(self, y=y)

    def to(self, device: torch.device | str) -> "Problem":
        """The same problem with its measurement on another device (operators follow the image at each call)."""
        return replace(self, y=self.y.to(device))
