"""Patchwise non-local means: every patch becomes the weighted mean of similar ones; patches overlap."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.operators.boundaries import extend
from restora.patches.nonlocal_means_cpu import nonlocal_means_cpu

LEAST_WEIGHT = 1e-24
"""The least that a patch weighs for itself: one that nothing resembles is left alone, and no sum of weights is zero.

In float32 the weights of a whole window that are too small to be distinct (see ``core.exponential``) stay far below.
"""

_CHUNK = 1 << 26  # numbers held at once by the Torch kernel, in each of a few arrays


def reach(patch: int, window: int) -> int:
    """Radius of what one output pixel depends on: patch centres around it, their candidates, the candidates' pixels."""
    return window // 2 + 2 * (patch // 2)


def nonlocal_means(
    y: Float[Tensor, "b c h w"], *, sigma: float, h: float, patch: int, window: int
) -> Float[Tensor, "b c h w"]:
    """Patchwise non-local means, exactly.

    For each patch P of side ``patch`` and each patch Q = P + δ whose centre lies in the window of side ``window``

        d²(P, Q) = mean over pixels and channels of (P − Q)²
        w(P, Q)  = exp(−max(d² − 2σ², 0)/h²),    w(P, P) = max of the others
        P̂        = Σ_Q w(P, Q) Q / Σ_Q w(P, Q)

    and an output pixel is the mean of the patch² estimates P̂ that cover it. The image is extended by reflection, so
    that all patches and windows are whole: this makes a tile with a margin of :func:`reach` equal to the image.

    CPU tensors take the Numba kernel, all others and those that carry gradients the Torch one. Both compute the
    aggregation in the form Σ_δ box(w_δ/Σw)·y(· + δ): cost O(N·window²·patch) for N pixels on the CPU, in float32
    without running sums, so that no rounding accumulates over the image. Half precision is computed in float32.

    Args:
        y: images, σ and h on the same scale.
        sigma: σ, standard deviation of the noise, >= 0.
        h: decay of the weights, > 0.
        patch: side of a patch in pixels, odd.
        window: side of the search window in pixels, odd.
    """
    f, t = patch // 2, window // 2
    margin = reach(patch, window)
    z = extend(single_at_least(y), (margin, margin), (margin, margin), "reflect")
    compute = nonlocal_means_cpu if runs_on_cpu_kernels(z) else _nonlocal_means_torch
    return compute(z, f, t, sigma, h, LEAST_WEIGHT).to(y.dtype)


def _nonlocal_means_torch(z: Tensor, f: int, t: int, sigma: float, h: float, least: float) -> Tensor:
    """Two sweeps over the offsets δ, many at a time: first Σw and the largest w, then the aggregation.

    ``z`` is the image extended by t + 2f. Weights live where patches are centred: on the image and f around it.
    """
    offsets = [(i, j) for i in range(-t, t + 1) for j in range(-t, t + 1) if (i, j) != (0, 0)]
    size = max(1, _CHUNK // z.numel())
    chunks = [offsets[i : i + size] for i in range(0, len(offsets), size)]
    reference = _shifted(z, t, [(0, 0)])

    def weights(chunk: list[tuple[int, int]]) -> Tensor:
        difference = (_shifted(z, t, chunk) - reference).square().mean(dim=2)
        excess = (_box(difference, f) - 2 * sigma**2).clamp_min(0)
        return torch.exp(-excess / h**2)

    total = torch.zeros_like(_box(reference[0, :, 0], f))
    largest = total + least
    for chunk in chunks:
        w = weights(chunk)
        total = total + w.sum(dim=0)
        largest = torch.maximum(largest, w.amax(dim=0))
    total = total + largest
    out = _box(largest / total, f)[:, None] * _shifted(z, t + 2 * f, [(0, 0)])[0]
    for chunk in chunks:
        share = _box(weights(chunk) / total, f)
        out = out + (share[:, :, None] * _shifted(z, t + 2 * f, chunk)).sum(dim=0)
    return out


def _shifted(z: Tensor, margin: int, offsets: list[tuple[int, int]]) -> Tensor:
    """z(· + δ) for each offset δ, without a margin of the extended image: (offset, b, c, h, w)."""
    h, w = z.shape[-2] - 2 * margin, z.shape[-1] - 2 * margin
    return torch.stack([z[..., margin + i : margin + i + h, margin + j : margin + j + w] for i, j in offsets])


def _box(x: Tensor, f: int) -> Tensor:
    """Mean over the (2f+1)² pixels around each pixel that has them all."""
    pooled = avg_pool2d(x.reshape(-1, 1, *x.shape[-2:]), 2 * f + 1, stride=1)
    return pooled.reshape(*x.shape[:-2], *pooled.shape[-2:])
