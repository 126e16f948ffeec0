"""Total generalised variation of second order, TGV²(u) = min_v α₁ Σ|Du − v| + α₀ Σ|Ev|, and its half-steps.

D are the forward differences (down, to the right), E the symmetrised backward differences of a vector field v = (v₀,
v₁),

    Ev = (∂₀v₀, ∂₁v₁, ½(∂₁v₀ + ∂₀v₁)),    |Ev|² = e₀₀² + e₁₁² + 2e₀₁²,

all channels under one norm. Differences that would cross the border are left out: p₀ of the last row and p₁ of the last
column are 0, and so is ∂ at the first. So an affine image has TGV² = 0, up to its border.

An iterate is (u, v) in one tensor (b, 3c, h, w): u, then v₀, then v₁. K(u, v) = (Du − v, Ev), ‖K‖² < 12; the duals are
p (b, 2, c, h, w), |p| <= α₁, and q (b, 3, c, h, w), |q|² = q₀₀² + q₁₁² + 2q₀₁² <= α₀².
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.numerics.differences import divergence, gradient
from restora.numerics.prox import project_ball


@dataclass(frozen=True, slots=True)
class GeneralizedVariation:
    """TGV² as a :class:`restora.numerics.saddle.Regulariser`.

    Attributes:
        alpha1: α₁, weight of the slopes that v does not explain.
        alpha0: α₀, weight of the changes of v.
    """

    alpha1: float
    alpha0: float
    norm: float = math.sqrt(12)

    def start(self, u: Float[Tensor, "b c h w"]) -> tuple[Tensor, tuple[Tensor, ...]]:
        b, *shape = u.shape
        return torch.cat((u, torch.zeros_like(u), torch.zeros_like(u)), 1), (
            u.new_zeros(b, 2, *shape),
            u.new_zeros(b, 3, *shape),
        )

    def ascend(self, p: tuple[Tensor, ...], x: Tensor, sigma: float) -> tuple[Tensor, ...]:
        u, v0, v1 = x.chunk(3, dim=1)
        slopes = project_ball(p[0] + sigma * _unexplained(u, v0, v1), self.alpha1, dim=(1, 2))
        q = p[1] + sigma * _symmetrised(v0, v1)
        return slopes, q * (self.alpha0 / _symmetric_norm(q).clamp_min(self.alpha0))

    def descend(self, x: Tensor, p: tuple[Tensor, ...], tau: float) -> Tensor:
        slopes, (q00, q11, q01) = p[0], p[1].unbind(1)
        v0 = slopes[:, 0] - _backward_adjoint(q00, -2) - _backward_adjoint(q01, -1)
        v1 = slopes[:, 1] - _backward_adjoint(q11, -1) - _backward_adjoint(q01, -2)
        return x + tau * torch.cat((divergence(slopes), v0, v1), dim=1)

    def value(self, x: Tensor) -> Float[Tensor, " b"]:
        """α₁ Σ|Du − v| + α₀ Σ|Ev| at this v, which bounds TGV²(u) from above."""
        u, v0, v1 = x.chunk(3, dim=1)
        first = torch.linalg.vector_norm(_unexplained(u, v0, v1), dim=(1, 2)).sum(dim=(-2, -1), dtype=torch.float64)
        second = _symmetric_norm(_symmetrised(v0, v1)).sum(dim=(1, 2, 3, 4), dtype=torch.float64)
        return self.alpha1 * first + self.alpha0 * second


def _unexplained(u: Tensor, v0: Tensor, v1: Tensor) -> Float[Tensor, "b 2 c h w"]:
    """Du − v where there are differences, else 0."""
    h, w = u.shape[-2:]
    down = torch.nn.functional.pad(v0[..., : h - 1, :], (0, 0, 0, 1))
    right = torch.nn.functional.pad(v1[..., : w - 1], (0, 1))
    return gradient(u) - torch.stack((down, right), dim=1)


def _symmetrised(v0: Tensor, v1: Tensor) -> Float[Tensor, "b 3 c h w"]:
    """Ev."""
    mixed = (_backward(v0, -1) + _backward(v1, -2)) / 2
    return torch.stack((_backward(v0, -2), _backward(v1, -1), mixed), dim=1)


def _symmetric_norm(q: Tensor) -> Float[Tensor, "b 1 1 h w"]:
    squares = q.square().sum(dim=2, keepdim=True)
    return (squares[:, :1] + squares[:, 1:2] + 2 * squares[:, 2:]).sqrt()


def _backward(v: Tensor, dim: int) -> Tensor:
    return torch.cat((torch.zeros_like(v.narrow(dim, 0, 1)), v.diff(dim=dim)), dim)


def _backward_adjoint(q: Tensor, dim: int) -> Tensor:
    inner = q.narrow(dim, 1, q.shape[dim] - 1)
    zero = torch.zeros_like(q.narrow(dim, 0, 1))
    return torch.cat((zero, inner), dim) - torch.cat((inner, zero), dim)
