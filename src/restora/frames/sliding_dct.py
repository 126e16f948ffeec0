"""The cosine transform of every patch of a periodic image, as a tight frame."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.operator import Size
from restora.frames.frame import Bands


@dataclass(frozen=True, slots=True)
class SlidingCosines:
    """W: images to the orthonormal DCT-II of all their n x n patches, divided by n; WᵀW = I on a periodic image.

    Bands: the means (b, c, h, w), and the other coefficients (b, c, n² − 1, h, w), where coefficient n·k + l − 1 has
    frequency k down and l along. The patch of a coefficient begins at its pixel. Cost: O(N·n³) for N pixels, n² images
    of memory.

    Args:
        n: side of a patch, >= 1.

    Raises:
        InvalidParameter: n is less than 1.
    """

    n: int = 8

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InvalidParameter.outside("n", self.n, ">= 1")

    @property
    def tight(self) -> bool:
        return True

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        D = self._kernels(x)
        for dim in (-2, -1):
            shifted = torch.stack([x.roll(-j, dim) for j in range(self.n)])
            x = torch.einsum("kj,j...hw->...khw", D, shifted)
        bands = x.flatten(-4, -3)
        return bands[:, :, 0], bands[:, :, 1:]

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        mean, details = bands
        x = torch.cat((mean[:, :, None], details), 2).unflatten(2, (self.n, self.n))
        D = self._kernels(x)
        for dim in (-1, -2):
            patches = torch.einsum("kj,...khw->j...hw", D, x)
            x = torch.stack([part.roll(j, dim) for j, part in enumerate(patches)]).sum(0)
        return x

    def norms(self, size: Size) -> Bands:
        """All 1/n; in an image smaller than a patch, which wraps, they differ."""
        D = self._kernels(torch.empty(0, dtype=torch.float64))
        place = torch.arange(self.n)
        down, along = (D.new_zeros(self.n, m).index_add_(1, place % m, D).norm(dim=1) for m in size)
        norms = torch.outer(down, along).flatten().float()[:, None, None]
        return norms[0], norms[1:]

    def _kernels(self, like: Tensor) -> Float[Tensor, "n n"]:
        """The one-dimensional transform, divided by √n."""
        j = torch.arange(self.n, dtype=torch.float64)
        D = torch.cos(math.pi / self.n * j[:, None] * (j + 0.5)) * math.sqrt(2) / self.n
        D[0] /= math.sqrt(2)
        return D.to(like)
