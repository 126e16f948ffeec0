"""Finite differences of images: the gradient D, the divergence −Dᵀ, and their spectra.

(Dx)_{0,i,j} = x_{i+1,j} − x_{i,j} (down) and (Dx)_{1,i,j} = x_{i,j+1} − x_{i,j} (to the right). Beyond the border x is
extended by ``boundary``: ``reflect`` repeats the edge sample, so that the differences across the border vanish
(Neumann); ``circular`` continues with the opposite side. DᵀD is diagonal in the DCT-II for the one, in the DFT for
the other.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Size

Boundary = Literal["reflect", "circular"]
"""``reflect``: half-sample symmetric. ``circular``: periodic."""


def gradient(x: Float[Tensor, "b c h w"], boundary: Boundary = "reflect") -> Float[Tensor, "b 2 c h w"]:
    """Dx, the forward differences down (index 0) and to the right (index 1)."""
    return torch.stack((_forward(x, -2, boundary), _forward(x, -1, boundary)), dim=1)


def divergence(p: Float[Tensor, "b 2 c h w"], boundary: Boundary = "reflect") -> Float[Tensor, "b c h w"]:
    """div p = −Dᵀp, so that ⟨Dx, p⟩ = −⟨x, div p⟩ for all x and p."""
    return _backward(p[:, 0], -2, boundary) + _backward(p[:, 1], -1, boundary)


def gradient_spectrum(
    size: Size, boundary: Boundary, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Float[Tensor, "h v"]:
    """Eigenvalues of DᵀD.

    ``reflect``: 4 sin²(πk/2h) + 4 sin²(πl/2w), on the grid of :func:`restora.numerics.dct.dct2`.
    ``circular``: 4 sin²(πk/h) + 4 sin²(πl/w), on that of ``torch.fft.rfft2``.
    """
    h, w = size
    whole = 2 if boundary == "reflect" else 1
    columns = w if boundary == "reflect" else w // 2 + 1
    k = torch.arange(h, dtype=torch.float64, device=device)[:, None] / (whole * h)
    v = torch.arange(columns, dtype=torch.float64, device=device) / (whole * w)
    return (4 * torch.sin(math.pi * k) ** 2 + 4 * torch.sin(math.pi * v) ** 2).to(dtype)


def _forward(x: Tensor, dim: int, boundary: Boundary) -> Tensor:
    if boundary == "circular":
        return x.roll(-1, dim) - x
    return torch.cat((x.diff(dim=dim), torch.zeros_like(x.narrow(dim, 0, 1))), dim)


def _backward(p: Tensor, dim: int, boundary: Boundary) -> Tensor:
    """The negative adjoint of ``_forward``; under ``reflect`` the last p, which is no difference, is not looked at."""
    if boundary == "circular":
        return p - p.roll(1, dim)
    n = p.shape[dim]
    inner = p.narrow(dim, 0, n - 1)
    zero = torch.zeros_like(p.narrow(dim, 0, 1))
    return torch.cat((inner, zero), dim) - torch.cat((zero, inner), dim)
