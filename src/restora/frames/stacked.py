"""A tight frame as a map between images and rows of coefficients, for solvers that work on vectors."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Size
from restora.frames.frame import Frame


@dataclass(frozen=True, eq=False, slots=True)
class Stacked:
    """W and Wᵀ with all bands of an item in one row, channel by channel within a band.

    Attributes:
        frame: a tight frame.
        size: of the images.
        shapes: of each band without the batch axis.
        norms: of the rows of W, (n,).
        shares: the share of white noise's energy that lies in the band of each coefficient, summed over the channels of
            one image and divided by their number, (n,); the finest band has about 3/4, each coarser one a quarter
            of it.
        detail: 1 for details, 0 for the approximation, (n,).
    """

    frame: Frame
    size: Size
    shapes: tuple[tuple[int, ...], ...]
    norms: Float[Tensor, " n"]
    shares: Float[Tensor, " n"]
    detail: Float[Tensor, " n"]

    @classmethod
    def of(cls, frame: Frame, like: Float[Tensor, "b c h w"]) -> "Stacked":
        """The map for images of this shape, dtype and device."""
        size = (like.shape[-2], like.shape[-1])
        shapes = tuple(tuple(band.shape[1:]) for band in frame.analysis(torch.zeros_like(like[:1])))
        norms, shares = [], []
        for norm, shape in zip(frame.norms(size), shapes):
            full = norm.to(like).expand(shape).flatten()
            norms.append(full)
            shares.append(torch.full_like(full, float(full.square().sum()) / like[0].numel()))
        detail = [torch.full_like(norm, float(index > 0)) for index, norm in enumerate(norms)]
        return cls(frame, size, shapes, torch.cat(norms), torch.cat(shares), torch.cat(detail))

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n"]:
        """Wx."""
        return torch.cat([band.flatten(1) for band in self.frame.analysis(x)], dim=1)

    def synthesis(self, coefficients: Float[Tensor, "b n"]) -> Float[Tensor, "b c h w"]:
        """Wᵀα."""
        parts = coefficients.split([math.prod(shape) for shape in self.shapes], dim=1)
        bands = tuple(part.reshape(-1, *shape) for part, shape in zip(parts, self.shapes))
        return self.frame.synthesis(bands, self.size)
