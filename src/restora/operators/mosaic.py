"""Mosaic: a colour filter array in front of the sensor, one colour a pixel (Bayer 1976)."""

from dataclasses import dataclass
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, InvalidInput, UnknownName
from restora.core.operator import Operator, Size

Pattern = Literal["RGGB", "BGGR", "GRBG", "GBRG"]


@dataclass(frozen=True, eq=False)
class Mosaic(Operator):
    """y[i, j] = x[colour(i, j), i, j]: three channels R, G, B become one. HHᵀ = I.

    Args:
        pattern: colours of the top-left 2 × 2 pixels, row by row.

    Raises:
        UnknownName: no such pattern.
        InvalidInput: applied to what has not three channels, or transposed on what has not one.
        CannotSolve: asked for one channel: a mosaic cannot be worked on channel by channel.
    """

    pattern: Pattern = "RGGB"

    def __post_init__(self) -> None:
        if self.pattern not in get_args(Pattern):
            raise UnknownName.among("mosaic pattern", self.pattern, get_args(Pattern))

    def __call__(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h w"]:
        if x.shape[1] != 3:
            raise InvalidInput(f"a mosaic is made of three channels R, G, B, not of {x.shape[1]}")
        return (self.known(x) * x).sum(1, keepdim=True)

    def adjoint(self, y: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 3 h w"]:
        if y.shape[1] != 1:
            raise InvalidInput(f"a mosaic has one channel, not {y.shape[1]}")
        return self.known(y) * y

    def output_size(self, size: Size) -> Size:
        return size

    def input_size(self, size: Size) -> Size:
        return size

    def input_channels(self, channels: int) -> int:
        if channels != 1:
            raise InvalidInput(f"a mosaic has one channel, not {channels}")
        return 3

    def output_channels(self, channels: int) -> int:
        if channels != 3:
            raise InvalidInput(f"a mosaic is made of three channels R, G, B, not of {channels}")
        return 1

    def known(self, like: Float[Tensor, "b c h w"]) -> Float[Tensor, "3 h w"]:
        """Where each colour was measured: 0 or 1, on the grid of ``like``."""
        known = like.new_zeros(3, *like.shape[-2:])
        for position, colour in enumerate(self.pattern):
            known["RGB".index(colour), position // 2 :: 2, position % 2 :: 2] = 1
        return known

    def prox(self, z: Float[Tensor, "b 3 h w"], y: Float[Tensor, "b 1 h w"], rho: float) -> Float[Tensor, "b 3 h w"]:
        """(Hᵀy + ρz) / (m + ρ) pixel by pixel, m being where the colour was measured."""
        known = self.known(z)
        return (known * y + rho * z) / (known + rho)

    @property
    def exact_prox(self) -> bool:
        return True

    def norm_bound(self, size: Size, channels: int = 3) -> float:
        return 1.0

    @property
    def reach(self) -> int:
        return 0

    def window(self, top: int, left: int, height: int, width: int) -> "Mosaic":
        """The mosaic with the phase it has at that corner."""
        rows = self.pattern[:2], self.pattern[2:]
        turned = "".join(rows[(top + i) % 2][(left + j) % 2] for i in (0, 1) for j in (0, 1))
        return Mosaic(next(pattern for pattern in get_args(Pattern) if pattern == turned))

    def channel(self, index: int) -> Operator:
        raise CannotSolve("a mosaic mixes the channels: use a method that takes all of them at once")
