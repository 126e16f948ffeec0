"""Frequencies of the Fourier and cosine transforms, and how often each of them stands for a coefficient."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Size

Boundary = Literal["reflect", "circular"]
"""``reflect``: half-sample symmetric, the grid of :func:`restora.numerics.dct.dct2`. ``circular``: that of rfft2."""


def radial_frequency(size: Size, boundary: Boundary, like: Tensor) -> Float[Tensor, "h v"]:
    """ρ = √(u² + v²) in cycles a pixel, from 0 to √½, in the dtype of ``like`` and on its device."""
    h, w = size
    if boundary == "reflect":
        u, v = (torch.arange(n, dtype=torch.float64, device=like.device) / (2 * n) for n in size)
    else:
        u = torch.fft.fftfreq(h, dtype=torch.float64, device=like.device)
        v = torch.fft.rfftfreq(w, dtype=torch.float64, device=like.device)
    return torch.hypot(u[:, None], v).to(like.dtype)


def multiplicity(size: Size, boundary: Boundary, like: Tensor) -> Float[Tensor, "h v"]:
    """How many coefficients of the whole transform each one stands for: rfft2 leaves out those that are conjugate."""
    h, w = size
    if boundary == "reflect":
        return like.new_ones(h, w)
    times = like.new_full((h, w // 2 + 1), 2)
    times[:, 0] = 1
    if w % 2 == 0:
        times[:, -1] = 1
    return times
