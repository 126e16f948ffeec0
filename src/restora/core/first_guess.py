"""A smooth image from scattered measurements: a local mean at the finest scale whose window holds enough of them."""

import torch
from jaxtyping import Float
from torch import Tensor

_SCALES = (8.0, 4.0, 2.0, 1.0)
_DOUBT = 0.01
"""Weight of the coarser image, relative to the mean weight of the measurements."""


def local_mean(seen: Float[Tensor, "b c h w"], weight: Float[Tensor, "#b c h w"]) -> Float[Tensor, "b c h w"]:
    """(G ∗ seen)/(G ∗ weight) with Gaussians G of 8, 4, 2 and 1 pixels, each where it covers enough, else the coarser.

    Args:
        seen: weighted measurements on the grid of the image, zero where there are none.
        weight: their weights, not negative but for rounding.
    """
    doubt = _DOUBT * weight.mean(dim=(-2, -1), keepdim=True).clamp_min(torch.finfo(seen.dtype).tiny)
    total = weight.sum(dim=(-2, -1), keepdim=True).clamp_min(torch.finfo(seen.dtype).tiny)
    x = (seen.sum(dim=(-2, -1), keepdim=True) / total).expand_as(seen)
    for s in _SCALES:
        x = (_smoothed(seen, s) + doubt * x) / (_smoothed(weight, s).clamp_min(0) + doubt)
    return x


def _smoothed(x: Tensor, s: float) -> Tensor:
    """G ∗ x, half-sample symmetric beyond the border, G cut at 4 s: circular on the image and its mirror images."""
    u = torch.arange(-int(4 * s + 0.5), int(4 * s + 0.5) + 1, dtype=torch.float64, device=x.device)
    g = torch.exp(-0.5 * (u / s) ** 2)
    for dim in (-1, -2):
        period = 2 * x.shape[dim]
        wrapped = g.new_zeros(period).index_add(0, u.long().remainder(period), g / g.sum())
        K = torch.fft.rfft(wrapped).real.to(x.dtype)
        K = K if dim == -1 else K[:, None]
        X = torch.fft.rfft(torch.cat((x, x.flip(dim)), dim), dim=dim)
        x = torch.fft.irfft(K * X, n=period, dim=dim).narrow(dim, 0, period // 2)
    return x
