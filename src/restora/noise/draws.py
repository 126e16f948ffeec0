"""Draws of the noise models: standard normals and uniforms of the shape, dtype and device of an image."""

import torch
from torch import Tensor


def normal_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normals like ``x``, drawn on the generator's device (by default on that of ``x``)."""
    device = x.device if generator is None else generator.device
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)


def uniform_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Uniforms on [0, 1) like ``x``, drawn on the generator's device."""
    device = x.device if generator is None else generator.device
    return torch.rand(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)


def poisson(rate: Tensor, generator: torch.Generator | None) -> Tensor:
    """Poisson counts of mean ``rate`` >= 0, drawn in float64 (float32 counts stop at 2^24)."""
    device = rate.device if generator is None else generator.device
    counts = torch.poisson(rate.to(device, torch.float64), generator=generator)
    return counts.to(rate.device, rate.dtype)
