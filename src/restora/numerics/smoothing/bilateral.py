"""Bilateral filter: a mean over neighbours that are near in the plane and alike in value. Brute force, exact."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.numerics.smoothing.bilateral_cpu import bilateral_cpu
from restora.operators.boundaries import extend

Window = Literal["disc", "square"]


def bilateral(
    y: Float[Tensor, "b c h w"],
    guide: Float[Tensor, "#b d h w"],
    *,
    sigma_s: float,
    sigma_r: float,
    radius: int,
    window: Window = "disc",
) -> Float[Tensor, "b c h w"]:
    """x(p) = Σ_q w(p, q) y(q) / Σ_q w(p, q) over the window of ``radius`` around p, with

        w(p, q) = exp(−|p − q|²/2σ_s² − |g(p) − g(q)|²/2σ_r²).

    |g(p) − g(q)| is Euclidean over the channels of the guide g; the plain filter has g = y. Beyond the border the image
    is its mirror image (half-sample symmetric). CPU tensors take the Numba kernel, which finds each weight once for
    both of its pixels; all others, and those that carry gradients, the Torch one. Half precision is computed in
    float32. Cost: O(N·radius²) for N pixels; memory for the extended images and a few lines or planes.

    Args:
        y: images.
        guide: what the weights are found from; one for all images of the batch, or one for each.
        sigma_s: σ_s in pixels, > 0.
        sigma_r: σ_r on the scale of the guide, > 0.
        radius: of the window, in pixels.
        window: ``disc``: the offsets of length up to ``radius``; ``square``: all.
    """
    margin = (radius, radius)
    z, g = (extend(image.to(single_at_least(y).dtype), margin, margin, "reflect") for image in (y, guide))
    g = (g / (math.sqrt(2) * sigma_r)).expand(len(z), -1, -1, -1)
    law = [(i, j, (i * i + j * j) / (2 * sigma_s**2)) for i, j in _half_window(radius, window)]
    compute = bilateral_cpu if runs_on_cpu_kernels(z, g) else _bilateral_torch
    return compute(z, g, law, radius).to(y.dtype)


def _half_window(radius: int, window: Window) -> list[tuple[int, int]]:
    """One of each pair of opposite offsets, the later in reading order."""
    reach = radius * radius if window == "disc" else 2 * radius * radius
    side = range(-radius, radius + 1)
    return [(i, j) for i in range(radius + 1) for j in side if (i, j) > (0, 0) and i * i + j * j <= reach]


def _bilateral_torch(z: Tensor, g: Tensor, law: list[tuple[int, int, float]], radius: int) -> Tensor:
    """An offset at a time."""
    h, w = z.shape[-2] - 2 * radius, z.shape[-1] - 2 * radius

    def shifted(image: Tensor, i: int, j: int) -> Tensor:
        return image[..., radius + i : radius + i + h, radius + j : radius + j + w]

    here = shifted(g, 0, 0)
    total, weight = shifted(z, 0, 0), torch.ones_like(here[:, :1])
    for i, j, distance in law:
        for k in (1, -1):
            difference = (shifted(g, k * i, k * j) - here).square().sum(dim=1, keepdim=True)
            share = torch.exp(-difference - distance)
            total, weight = total + share * shifted(z, k * i, k * j), weight + share
    return total / weight
