"""Overlapping square blocks of images: cut out, laid back, and thresholded in a basis."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.operator import Size


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """Blocks of ``side`` pixels, ``step`` apart, the last ones flush with the lower and right border of the image.

    Args:
        side: of a block, >= 1. No side of the images is shorter.
        step: distance of neighbours, from 1 to ``side``.

    Raises:
        InvalidParameter: a parameter is outside its range.
    """

    side: int
    step: int

    def __post_init__(self) -> None:
        if self.side < 1:
            raise InvalidParameter.outside("side", self.side, ">= 1")
        if not 1 <= self.step <= self.side:
            raise InvalidParameter.outside("step", self.step, f"from 1 to the side of a block, {self.side}")

    def starts(self, n: int) -> list[int]:
        """First pixels of the blocks along a side of n pixels."""
        return [*range(0, n - self.side, self.step), n - self.side]

    def row(self, x: Float[Tensor, "b c h w"], top: int) -> Float[Tensor, "b c n pixels"]:
        """The blocks whose first row is ``top``, each with its pixels in a line."""
        columns = self._columns(x.shape[-1], x.device)
        cut = x[..., top : top + self.side, :].index_select(-1, columns)
        return cut.unflatten(-1, (-1, self.side)).transpose(-3, -2).flatten(-2)

    def add_row(self, x: Float[Tensor, "b c h w"], blocks: Float[Tensor, "b c n pixels"], top: int) -> None:
        """The adjoint of :meth:`row`: blocks are added to x at their positions, in place."""
        lines = blocks.unflatten(-1, (self.side, self.side)).transpose(-3, -2).flatten(-2)
        x[..., top : top + self.side, :].index_add_(-1, self._columns(x.shape[-1], x.device), lines)

    def cut(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c m n pixels"]:
        """All blocks."""
        return torch.stack([self.row(x, top) for top in self.starts(x.shape[-2])], dim=2)

    def add(self, blocks: Float[Tensor, "b c m n pixels"], size: Size) -> Float[Tensor, "b c h w"]:
        """The adjoint of :meth:`cut`: the sum of all blocks at their positions."""
        x = blocks.new_zeros(*blocks.shape[:2], *size)
        for row, top in zip(blocks.unbind(2), self.starts(size[0]), strict=True):
            self.add_row(x, row, top)
        return x

    def coverage(self, size: Size, like: Tensor) -> Float[Tensor, "h w"]:
        """How many blocks a pixel lies in."""
        lines = []
        for n in size:
            line = like.new_zeros(n)
            for start in self.starts(n):
                line[start : start + self.side] += 1
            lines.append(line)
        return torch.outer(*lines)

    def thresholded(
        self, x: Float[Tensor, "b c h w"], matrix: Float[Tensor, "rows pixels"], limits: Float[Tensor, " rows"]
    ) -> Float[Tensor, "b c h w"]:
        """The sum of RᵀT(R p) over all blocks p: R is the matrix, and T keeps what exceeds the limit of its row.

        One row of blocks after the other, so that the coefficients are never all in memory.
        """
        out = torch.zeros_like(x)
        for top in self.starts(x.shape[-2]):
            c = self.row(x, top) @ matrix.T
            self.add_row(out, torch.where(c.abs() > limits, c, 0.0) @ matrix, top)
        return out

    def _columns(self, n: int, device: torch.device) -> Tensor:
        """Columns of all blocks along a row, one block after the other."""
        starts = torch.tensor(self.starts(n), device=device)
        return (starts[:, None] + torch.arange(self.side, device=device)).flatten()
