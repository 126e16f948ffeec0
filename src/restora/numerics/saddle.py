"""Saddle points of image restoration: min_x R(x) + F(Hx, y), any regulariser R with any fidelity F and any linear H.

A :class:`Regulariser` R(x) = max_p ⟨Kx, p⟩ over a ball of p, such as total variation, may lift the image: TGV² iterates
on (u, v), of which u is the image. A :class:`Fidelity` is a function of the image alone. :func:`pose` makes a problem
for :mod:`restora.numerics.pdhg` of the two, in one of two forms:

1. where the fidelity has an exact proximal map, it is G:   u ← argmin_u F(Hu, y) + ‖u − (u_n − τ(Kᵀp)_u)‖²/2τ;
2. elsewhere it is dualised too, with a dual image q in the space of y:   q ← prox_{σF*}(q + σHū),
   x ← x − τ(Kᵀp + Hᵀq). So each iteration costs one H and one Hᵀ, with no inner solver.

The relative change of the image from one iteration to the next is the error that is to fall.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Operator
from restora.numerics import pdhg
from restora.numerics.iterate import Measure, relative_change

_DUAL_SHARES = (0.1, 0.9)
"""The shares of K and H in the dual step where both are dualised."""


@runtime_checkable
class Regulariser(Protocol):
    """R(x) = max_p ⟨Kx, p⟩ over a ball of p."""

    @property
    def norm(self) -> float:
        """A bound on ‖K‖ for images of any size."""
        ...

    def start(self, u: Float[Tensor, "b c h w"]) -> tuple[Float[Tensor, "b l h w"], pdhg.Dual]:
        """x with the image u in its first channels, and p = 0."""
        ...

    def ascend(self, p: pdhg.Dual, x: Float[Tensor, "b l h w"], sigma: float) -> pdhg.Dual:
        """The projection of p + σKx on the ball."""
        ...

    def descend(self, x: Float[Tensor, "b l h w"], p: pdhg.Dual, tau: float) -> Float[Tensor, "b l h w"]:
        """x − τKᵀp."""
        ...

    def value(self, x: Float[Tensor, "b l h w"]) -> Float[Tensor, " b"]:
        """R(x) of each image."""
        ...


@runtime_checkable
class Fidelity(Protocol):
    """F(Hu, y), convex."""

    @property
    def y(self) -> Tensor: ...

    @property
    def H(self) -> Operator: ...

    @property
    def has_exact_prox(self) -> bool:
        """Whether :meth:`prox` is exact and cheap."""
        ...

    def value(self, u: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """F(Hu, y) of each image."""
        ...

    def prox(self, v: Float[Tensor, "b c h w"], tau: float) -> Float[Tensor, "b c h w"]:
        """argmin_u F(Hu, y) + ‖u − v‖²/2τ."""
        ...

    def ascend(
        self, q: Float[Tensor, "b d i j"], u: Float[Tensor, "b c h w"], sigma: float
    ) -> Float[Tensor, "b d i j"]:
        """prox_{σF*}(q + σHu)."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class LeastSquares:
    """F = ½‖Hu − y‖²."""

    y: Float[Tensor, "b d i j"]
    H: Operator

    @property
    def has_exact_prox(self) -> bool:
        return self.H.exact_prox

    def value(self, u: Tensor) -> Tensor:
        return 0.5 * (self.H(u) - self.y).square().sum(dim=(1, 2, 3), dtype=torch.float64)

    def prox(self, v: Tensor, tau: float) -> Tensor:
        return self.H.prox(v, self.y, 1 / tau)

    def ascend(self, q: Tensor, u: Tensor, sigma: float) -> Tensor:
        return (q + sigma * (self.H(u) - self.y)) / (1 + sigma)


@dataclass(frozen=True, eq=False, slots=True)
class LeastDeviations:
    """F = μ‖Hu − y‖₁."""

    y: Float[Tensor, "b d i j"]
    H: Operator
    mu: float

    @property
    def has_exact_prox(self) -> bool:
        return self.H.is_sampling

    def value(self, u: Tensor) -> Tensor:
        return self.mu * (self.H(u) - self.y).abs().sum(dim=(1, 2, 3), dtype=torch.float64)

    def prox(self, v: Tensor, tau: float) -> Tensor:
        """v moves towards y by τμ at most, where it is measured."""
        return v - self.H.adjoint((self.H(v) - self.y).clamp(-tau * self.mu, tau * self.mu))

    def ascend(self, q: Tensor, u: Tensor, sigma: float) -> Tensor:
        return (q + sigma * (self.H(u) - self.y)).clamp(-self.mu, self.mu)


def pose(
    regulariser: Regulariser, fidelity: Fidelity, u: Float[Tensor, "b c h w"], *, tau: float, tau_dualised: float
) -> tuple[pdhg.Saddle, pdhg.State]:
    """The problem in the form for its H, and where to start, from the image u.

    Args:
        regulariser: R.
        fidelity: F.
        u: the first image.
        tau: primal step of form 1, > 0.
        tau_dualised: primal step of form 2, > 0.
    """
    x, p = regulariser.start(u)
    if fidelity.has_exact_prox:
        return _Proximal(regulariser, fidelity, u.shape[1]), pdhg.start(
            x, p, tau, pdhg.steps(tau, (regulariser.norm,), (1.0,))
        )
    norms = (regulariser.norm, fidelity.H.norm_bound((u.shape[-2], u.shape[-1]), u.shape[1]))
    sigma = pdhg.steps(tau_dualised, norms, _DUAL_SHARES)
    dual = (*p, torch.zeros_like(fidelity.y))
    return _Dualised(regulariser, fidelity, u.shape[1]), pdhg.start(x, dual, tau_dualised, sigma)


@dataclass(frozen=True, eq=False, slots=True)
class _Proximal:
    """Form 1."""

    regulariser: Regulariser
    fidelity: Fidelity
    channels: int
    gamma: float = 0.0

    def ascend(self, p: pdhg.Dual, x: Tensor, sigma: pdhg.Steps) -> pdhg.Dual:
        return self.regulariser.ascend(p, x, sigma[0])

    def descend(self, x: Tensor, p: pdhg.Dual, tau: float) -> Tensor:
        v = self.regulariser.descend(x, p, tau)
        return _with_image(v, self.fidelity.prox(v[:, : self.channels], tau))

    def measure(self, before: pdhg.State, after: pdhg.State) -> Measure:
        return _measure(self.regulariser, self.fidelity, after, self.channels)

    def solution(self, state: pdhg.State) -> Tensor:
        return state.x[:, : self.channels]


@dataclass(frozen=True, eq=False, slots=True)
class _Dualised:
    """Form 2; the last dual block is q."""

    regulariser: Regulariser
    fidelity: Fidelity
    channels: int
    gamma: float = 0.0

    def ascend(self, p: pdhg.Dual, x: Tensor, sigma: pdhg.Steps) -> pdhg.Dual:
        q = self.fidelity.ascend(p[-1], x[:, : self.channels], sigma[1])
        return (*self.regulariser.ascend(p[:-1], x, sigma[0]), q)

    def descend(self, x: Tensor, p: pdhg.Dual, tau: float) -> Tensor:
        v = self.regulariser.descend(x, p[:-1], tau)
        return _with_image(v, v[:, : self.channels] - tau * self.fidelity.H.adjoint(p[-1]))

    def measure(self, before: pdhg.State, after: pdhg.State) -> Measure:
        return _measure(self.regulariser, self.fidelity, after, self.channels)

    def solution(self, state: pdhg.State) -> Tensor:
        return state.x[:, : self.channels]


def _with_image(x: Tensor, u: Tensor) -> Tensor:
    channels = u.shape[1]
    return u if x.shape[1] == channels else torch.cat((u, x[:, channels:]), dim=1)


def _measure(regulariser: Regulariser, fidelity: Fidelity, state: pdhg.State, channels: int) -> Measure:
    """As θ = 1, x̄ − x is the step that led to x; a fused iteration may have overwritten the state before."""
    u, u_bar = state.x[:, :channels], state.x_bar[:, :channels]
    return Measure(fidelity.value(u) + regulariser.value(state.x), relative_change(u_bar, u))
