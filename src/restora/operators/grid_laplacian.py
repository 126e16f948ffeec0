"""Weighted Laplacians on the pixel grid, (Au)_i = Σ_{j~i} w_ij(u_i − u_j) + g_i u_i, and their fast solution.

w_ij >= 0 joins neighbours, g_i >= 0 ties a pixel to zero ("ground"). Inpainting by Laplace's equation, weighted least
squares and colourisation are such systems. :func:`solve` is exact: conjugate gradients, preconditioned by a multigrid
cycle whose number of iterations hardly grows with the image or with the holes in it.

The cycle merges pixels 2 × 2. A coarse edge gets half the sum of the fine edges that it bundles, coarse ground the
whole sum: piecewise constant interpolation would make smooth functions twice as steep as they are, and the half sets it
right (Braess, "Towards algebraic multigrid for elliptic problems of second order", Computing 55, 1995,
doi:10.1007/BF02238488).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

_DAMPING = 0.8  # of Jacobi's iteration
_SWEEPS = 2  # before and after the coarse correction, in the same number so that the cycle is symmetric
_COARSEST = 4  # pixels: not coarsened further once both sides are at most this


@dataclass(frozen=True, eq=False, slots=True)
class GridLaplacian:
    """A, for each image and channel one, or one for all where an axis has length one.

    Attributes:
        down: w between pixel (i, j) and (i + 1, j).
        right: w between pixel (i, j) and (i, j + 1).
        ground: g. Every group of joined pixels must have ground somewhere: then A is positive definite.
    """

    down: Float[Tensor, "b c h1 w"]
    right: Float[Tensor, "b c h w1"]
    ground: Float[Tensor, "b c h w"]

    def __call__(self, u: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        flow_down = self.down * u.diff(dim=-2)
        flow_right = self.right * u.diff(dim=-1)
        return (
            self.ground * u
            - pad(flow_down, (0, 0, 0, 1))
            + pad(flow_down, (0, 0, 1, 0))
            - (pad(flow_right, (0, 1)) - pad(flow_right, (1, 0)))
        )

    def diagonal(self) -> Float[Tensor, "b c h w"]:
        """The diagonal of A."""
        vertical = pad(self.down, (0, 0, 0, 1)) + pad(self.down, (0, 0, 1, 0))
        return self.ground + vertical + pad(self.right, (0, 1)) + pad(self.right, (1, 0))

    def coarser(self) -> "GridLaplacian":
        """The Laplacian on blocks of 2 × 2 pixels (fewer at an odd border)."""
        across = _paired(self.down[..., 1::2, :], -1) / 2
        along = _paired(self.right[..., :, 1::2], -2) / 2
        return GridLaplacian(across, along, _paired(_paired(self.ground, -1), -2))


def solve(
    A: GridLaplacian,
    f: Float[Tensor, "b c h w"],
    u: Float[Tensor, "b c h w"],
    *,
    tolerance: float = 1e-6,
    max_iterations: int = 100,
) -> tuple[Float[Tensor, "b c h w"], int]:
    """Solve A u = f from the start ``u``; returns u and the number of iterations.

    Stops when ‖f − Au‖ <= tolerance·‖f‖ for every image and channel. Each iteration costs about eight applications of
    A.
    """
    cycle = Cycle.of(A)
    r = f - A(u)
    target = tolerance**2 * _dot(f, f)
    p, rz = torch.zeros_like(r), torch.ones_like(target)
    iterations = 0
    while iterations < max_iterations and not bool((_dot(r, r) <= target).all()):
        z = cycle(r)
        previous, rz = rz, _dot(r, z)
        p = z + _ratio(rz, previous) * p
        Ap = A(p)
        alpha = _ratio(rz, _dot(p, Ap))
        u = u + alpha * p
        r = r - alpha * Ap
        iterations += 1
    return u, iterations


@dataclass(frozen=True, eq=False, slots=True)
class Cycle:
    """One V-cycle for A u = r from u = 0: a symmetric positive definite approximation of A⁻¹."""

    levels: tuple[GridLaplacian, ...]
    inverses: tuple[Tensor, ...]

    @classmethod
    def of(cls, A: GridLaplacian) -> "Cycle":
        """All coarser levels of A."""
        levels = [A]
        while max(levels[-1].ground.shape[-2:]) > _COARSEST:
            levels.append(levels[-1].coarser())
        # A pixel without edges and ground has the equation 0 = 0 and is left alone.
        inverses = tuple(torch.where(d > 0, 1 / d.clamp_min(1e-30), 0.0) for d in (A.diagonal() for A in levels))
        return cls(tuple(levels), inverses)

    def __call__(self, r: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return self._descend(0, r)

    def _descend(self, level: int, r: Tensor) -> Tensor:
        A, inverse = self.levels[level], _DAMPING * self.inverses[level]
        last = level == len(self.levels) - 1
        sweeps = 8 * _SWEEPS if last else _SWEEPS
        u = inverse * r
        for _ in range(sweeps - 1):
            u = u + inverse * (r - A(u))
        if not last:
            coarse = self._descend(level + 1, _paired(_paired(r - A(u), -1), -2))
            h, w = u.shape[-2:]
            u = u + coarse.repeat_interleave(2, -2).repeat_interleave(2, -1)[..., :h, :w]
        for _ in range(sweeps):
            u = u + inverse * (r - A(u))
        return u


def _paired(x: Tensor, dim: int) -> Tensor:
    """Sums of neighbours 0 + 1, 2 + 3 …; the last alone where their number is odd."""
    n = x.shape[dim]
    even = x.narrow(dim, 0, n - n % 2).unflatten(dim, (n // 2, 2)).sum(dim)
    return even if n % 2 == 0 else torch.cat((even, x.narrow(dim, n - 1, 1)), dim)


def _dot(u: Tensor, v: Tensor) -> Tensor:
    return (u * v).sum(dim=(-2, -1), keepdim=True, dtype=torch.float64).to(u.dtype)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """a/b, and 0 where a solved system has left 0/0."""
    return torch.where(b > 0, a / b.clamp_min(torch.finfo(a.dtype).tiny), 0.0)
