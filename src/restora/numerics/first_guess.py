"""A first guess at x from y = Hx, without any prior, for iterations that begin near the scene."""

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Operator
from restora.numerics.convolution import convolve_separable, gaussian_kernel
from restora.numerics.harmonic_fill import harmonic_fill
from restora.numerics.imresize import imresize
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate, Decimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.spatially_varying_blur import SpatiallyVaryingBlur

_SCALES = (8.0, 4.0, 2.0, 1.0)
_DOUBT = 0.01
"""Weight of the coarser guess, relative to the mean of Hᵀ1."""


def first_guess(y: Float[Tensor, "b d i j"], H: Operator) -> Float[Tensor, "b c h w"]:
    """An image of the size of x.

    - Identity, and a blur that keeps the size: y itself.
    - Mask: the missing pixels by Laplace's equation.
    - Downsample, Decimate, BlurDecimate: bicubic interpolation. For the latter two, which take the *first* pixel of
      each s×s block, the result is shifted by (s − 1)/2 pixels, half pixels by linear interpolation.
    - Any other H: (G ∗ Hᵀy)/(G ∗ Hᵀ1) with Gaussians G of 8, 4, 2 and 1 pixels, each where it sees enough of the
      measurement, else the coarser one; for a mosaic this is a smooth interpolation of each colour.

    Raises:
        CannotSolve: H is unknown.
    """
    if isinstance(H, Identity | SpatiallyVaryingBlur) or (isinstance(H, Blur) and H.boundary != "valid"):
        return y
    if isinstance(H, Mask):
        return harmonic_fill(y, H.known.to(y)).x
    if isinstance(H, Downsample):
        height, width = H.input_size((y.shape[-2], y.shape[-1]))
        return imresize(y, scale=H.scale)[..., :height, :width]
    if isinstance(H, Decimate | BlurDecimate):
        return shifted(imresize(y, scale=float(H.scale)), H.scale)
    return _normalised(y, H)


def shifted(x: Float[Tensor, "b c h w"], scale: int) -> Float[Tensor, "b c h w"]:
    """x moved up and to the left by (scale − 1)/2 pixels; the last row and column are repeated.

    Interpolation puts a pixel of y in the middle of its block of scale×scale pixels. Where it was measured at the first
    pixel of the block, this moves it there.
    """
    for dim in (-2, -1):
        n = x.shape[dim]
        places = torch.arange(n, device=x.device)
        before, after = ((places + step).clamp_max(n - 1) for step in ((scale - 1) // 2, scale // 2))
        x = (x.index_select(dim, before) + x.index_select(dim, after)) / 2
    return x


def _normalised(y: Tensor, H: Operator) -> Tensor:
    seen, total = H.adjoint(y), H.adjoint(torch.ones_like(y))
    doubt = _DOUBT * total.mean(dim=(-2, -1), keepdim=True).clamp_min(torch.finfo(y.dtype).tiny)
    sums = (image.sum(dim=(-2, -1), keepdim=True) for image in (seen, total))
    x = (next(sums) / next(sums).clamp_min(torch.finfo(y.dtype).tiny)).expand_as(seen)
    for s in _SCALES:
        G = gaussian_kernel(s)
        weight = convolve_separable(total, G).clamp_min(0)
        x = (convolve_separable(seen, G) + doubt * x) / (weight + doubt)
    return x
