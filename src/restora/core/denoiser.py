"""Denoiser: the contract of the priors of plug-and-play methods."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Denoiser(Protocol):
    """A map that removes white noise of a known level; any function of (x, sigma) is one.

    It takes images of any size and number of channels, keeps their shape, dtype and device, works on each image of the
    batch by itself, and gives the same result each time it is called.
    """

    def __call__(self, x: Float[Tensor, "b c h w"], sigma: float) -> Float[Tensor, "b c h w"]:
        """The images without their noise, whose standard deviation on [0, 1] is ``sigma`` > 0."""
        ...
