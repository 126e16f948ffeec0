"""Shrinkage in the cosine transform of every patch of an image, the patches overlapping wholly."""

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.operators.boundaries import extend
from restora.patches.block_transforms import block_transform
from restora.patches.sliding_dct_cpu import sliding_dct_cpu

_CHUNK = 1 << 25  # coefficients held at once by the Torch kernel, in each of a few arrays


def sliding_dct(
    y: Float[Tensor, "b c h w"], *, side: int, sigma: float, threshold: float, pilot: Float[Tensor, "b c h w"] | None
) -> Float[Tensor, "b c h w"]:
    """Estimate images from the shrunk cosine transforms of all their patches.

    Each patch of side² pixels is transformed by the orthonormal DCT-II. With θ its coefficients:

        without a pilot  θ̂ = θ where |θ| >= threshold·σ, else 0, but the mean is kept;    weight 1/(number kept)
        with a pilot     θ̂ = gθ, g = p²/(p² + σ²), p the coefficients of the pilot;       weight 1/Σ g²

    A pixel is the mean, with these weights, of its estimates from the side² patches that cover it. Beyond its border
    the image is extended by reflection (half-sample symmetric), so that as many patches cover every pixel. A pixel
    depends on those up to side − 1 away.

    CPU tensors take the Numba kernel, all others and those that carry gradients the Torch one. Cost: 4·side³ (with a
    pilot 6·side³) multiplications a pixel.

    Args:
        y: images.
        side: of a patch, >= 2.
        sigma: standard deviation of the noise, > 0.
        threshold: of hard thresholding, in σ.
        pilot: an estimate of the noiseless images.
    """
    margin = (side - 1, side - 1)
    z = extend(single_at_least(y), margin, margin, "reflect")
    p = None if pilot is None else extend(pilot.to(z.dtype), margin, margin, "reflect")
    forward = block_transform("dct", side).forward.to(z)
    compute = sliding_dct_cpu if runs_on_cpu_kernels(z, p) else _sliding_dct_torch
    return compute(z, p, forward, sigma, threshold).to(y.dtype)


def _sliding_dct_torch(z: Tensor, pilot: Tensor | None, D: Tensor, sigma: float, threshold: float) -> Tensor:
    """Rows of patches, many at a time, their transforms as matrix products."""
    n = len(D)
    h, w = z.shape[-2] - n + 1, z.shape[-1] - n + 1  # patches
    total, weight = torch.zeros_like(z), torch.zeros_like(z)
    rows = max(1, _CHUNK // (z.shape[0] * z.shape[1] * w * n * n))
    for top in range(0, h, rows):
        bottom = min(top + rows, h)

        def coefficients(x: Tensor, span: slice = slice(top, bottom + n - 1)) -> Tensor:
            return D @ x[..., span, :].unfold(-2, n, 1).unfold(-2, n, 1) @ D.T

        theta = coefficients(z)
        if pilot is None:
            gain = (theta.abs() >= threshold * sigma).to(z)
            gain[..., 0, 0] = 1
        else:
            power = coefficients(pilot).square()
            whole = power + sigma**2
            gain = torch.where(whole > 0, power / torch.where(whole > 0, whole, 1.0), 1.0)
        share = 1 / gain.square().sum((-2, -1)).clamp_min(torch.finfo(z.dtype).eps)
        patches = D.T @ (gain * theta * share[..., None, None]) @ D
        for i in range(n):
            for j in range(n):
                place = (..., slice(top + i, bottom + i), slice(j, j + w))
                total[place] += patches[..., i, j]
                weight[place] += share
    inner = (..., slice(n - 1, h), slice(n - 1, w))
    return total[inner] / weight[inner]
