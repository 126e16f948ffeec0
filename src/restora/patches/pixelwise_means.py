"""Pixelwise non-local means: every pixel becomes the weighted mean of those with similar surroundings."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.operators.boundaries import extend
from restora.patches.pixelwise_means_cpu import pixelwise_means_cpu

_LEAST_WEIGHT = 1e-24
"""The least that a pixel weighs for itself: one that nothing resembles is left alone, and no sum of weights is zero."""

_CHUNK = 1 << 25  # numbers held at once by the Torch kernel, in each of a few arrays


def reach(patch: int, window: int) -> int:
    """Radius of what one output pixel depends on: the candidates around it, and their patches."""
    return window // 2 + patch // 2


def pixelwise_means(
    y: Float[Tensor, "b c h w"], *, sigma: float, h: float, patch: int, window: int
) -> Float[Tensor, "b c h w"]:
    """Pixelwise non-local means, exactly.

    For each pixel p and each other q of the window around it, with patches P and Q around them

        d²    = mean over pixels and channels of (P − Q)²
        w(q)  = exp(−max(d² − 2σ², 0)/h²),    w(p) = max of the others

    and p becomes Σ w(q) y(q) / Σ w(q). The image is extended by reflection, so that all patches and windows are whole.

    A weight holds in both directions, w(p, q) = w(q, p): each is computed once, and used at both ends. CPU tensors take
    the Numba kernel, all others and those that carry gradients the Torch one. Cost: O(N·window²·patch) for N pixels,
    with ½·window² exponentials. Half precision is computed in float32.

    Args:
        y: images, σ and h on the same scale.
        sigma: σ, standard deviation of the noise, >= 0.
        h: decay of the weights, > 0.
        patch: side of a patch in pixels, odd.
        window: side of the search window in pixels, odd.
    """
    f, t = patch // 2, window // 2
    margin = (2 * t + f, 2 * t + f)
    z = extend(single_at_least(y), margin, margin, "reflect")
    compute = pixelwise_means_cpu if runs_on_cpu_kernels(z) else _pixelwise_means_torch
    return compute(z, f, t, sigma, h, _LEAST_WEIGHT).to(y.dtype)


def _pixelwise_means_torch(z: Tensor, f: int, t: int, sigma: float, h: float, least: float) -> Tensor:
    """Half of the offsets δ, many at a time; ``z`` is the image extended by 2t + f.

    Weights of p to p + δ are found for p on the image and t around it, so that those of p − δ to p are among them.
    """
    z = z[..., t:-t, t:-t] if t else z  # twice t around are what the CPU kernel needs
    height, width = z.shape[-2] - 2 * (t + f), z.shape[-1] - 2 * (t + f)
    centre = z[..., t + f : t + f + height, t + f : t + f + width]
    total = torch.zeros_like(centre)
    weight, largest = torch.zeros_like(centre[:, :1]), torch.full_like(centre[:, :1], least)
    offsets = [(i, j) for i in range(-t, t + 1) for j in range(-t, t + 1) if (i, j) != (0, 0)]
    size = max(1, _CHUNK // z.numel())
    for start in range(0, len(offsets), size):
        chunk = offsets[start : start + size]
        there = torch.stack([_window(z, t, offset, height, width, f) for offset in chunk])
        here = _window(z, t, (0, 0), height, width, f)
        distance = (there - here).square().mean(2, keepdim=True).flatten(0, 1)
        excess = (avg_pool2d(distance, 2 * f + 1, stride=1) - 2 * sigma**2).clamp_min(0)
        w = torch.exp(-excess / h**2).unflatten(0, (len(chunk), -1))
        inner = there[..., f : f + height, f : f + width]
        total = total + (w * inner).sum(0)
        weight = weight + w.sum(0)
        largest = torch.maximum(largest, w.amax(0))
    return (total + largest * centre) / (weight + largest)


def _window(z: Tensor, t: int, offset: tuple[int, int], height: int, width: int, f: int) -> Tensor:
    i, j = offset
    return z[..., t + i : t + i + height + 2 * f, t + j : t + j + width + 2 * f]
