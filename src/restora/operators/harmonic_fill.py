"""Harmonic fill: the missing pixels of an image by Laplace's equation, the known ones as they are."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.operators.grid_laplacian import GridLaplacian, solve


@dataclass(frozen=True, eq=False, slots=True)
class Fill:
    """What :func:`harmonic_fill` found: the image, the iterations it took, the residual over the right-hand side."""

    x: Float[Tensor, "b c h w"]
    iterations: int
    residual: float


def harmonic_fill(
    y: Float[Tensor, "b c h w"], known: Float[Tensor, "*shape"], *, tolerance: float = 1e-6, max_iterations: int = 100
) -> Fill:
    """The image x that equals y where ``known`` is 1 and minimises ‖Dx‖² elsewhere.

    There each pixel is the mean of its neighbours in the image (Neumann border).

    Args:
        y: images; what stands in missing pixels does not matter.
        known: 0 or 1, of a shape that broadcasts with y. A channel without any known pixel becomes zero.
        tolerance: of the residual over the right-hand side, for every image and channel.
        max_iterations: of :func:`restora.operators.grid_laplacian.solve`.
    """
    m = known.expand(torch.broadcast_shapes(known.shape, (1, 1, *y.shape[-2:])))
    missing = 1 - m
    A = GridLaplacian(_both(missing, -2), _both(missing, -1), missing * _neighbours(m))
    mean = (m * y).sum((-2, -1), keepdim=True) / m.sum((-2, -1), keepdim=True).clamp_min(1)
    # Solved for the deviation from the mean: the start is then zero, and rounding stays relative to the contrast.
    f = missing * _neighbours(m * (y - mean))
    u, iterations = solve(A, f, torch.zeros_like(y), tolerance=tolerance, max_iterations=max_iterations)
    x = torch.where(m.expand_as(y) > 0, y, mean + u)
    size = torch.linalg.vector_norm(f, dim=(-2, -1)).clamp_min(torch.finfo(y.dtype).tiny)
    residual = torch.linalg.vector_norm(f - A(u), dim=(-2, -1)) / size
    return Fill(x, iterations, float(residual.detach().max()))


def _both(missing: Tensor, dim: int) -> Tensor:
    """1 on the edges between two missing pixels."""
    n = missing.shape[dim]
    return missing.narrow(dim, 0, n - 1) * missing.narrow(dim, 1, n - 1)


def _neighbours(x: Tensor) -> Tensor:
    """The sum over the neighbours in the image."""
    out = torch.zeros_like(x)
    for dim in (-2, -1):
        n = x.shape[dim] - 1
        out.narrow(dim, 0, n).add_(x.narrow(dim, 1, n))
        out.narrow(dim, 1, n).add_(x.narrow(dim, 0, n))
    return out
