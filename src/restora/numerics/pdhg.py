"""The primal-dual hybrid gradient method of Chambolle and Pock, for min_x F(Kx) + G(x) with convex F and G.

It seeks the saddle point of min_x max_p ⟨Kx, p⟩ + G(x) − F*(p). From x₀ = x̄₀ and p₀, for n = 0, 1, …

    p_{n+1} = prox_{σF*}(p_n + σKx̄_n)
    x_{n+1} = prox_{τG}(x_n − τKᵀp_{n+1})
    θ = 1/√(1 + 2γτ),  τ ← θτ,  σ ← σ/θ
    x̄_{n+1} = x_{n+1} + θ(x_{n+1} − x_n)

with τσ‖K‖² <= 1. γ = 0 is Algorithm 1: the gap falls as 1/N. Where G is strongly convex with modulus γ > 0 this is
Algorithm 2, and ‖x − x*‖² falls as 1/N². Where K has blocks, F is separable and every block k has a step σ_k of its
own, it suffices that τ Σ_k σ_k‖K_k‖² <= 1 (a diagonal preconditioner, Pock and Chambolle 2011); :func:`steps` shares
it out.

A problem is a :class:`Saddle`: it owns the two half-steps (so that a kernel may fuse them) and says how far an
iterate is from the end. The dual variable is called p as in imaging, since y is the measurement; it is a tuple, one
tensor a block.

References.
A. Chambolle and T. Pock, "A first-order primal-dual algorithm for convex problems with applications to imaging",
Journal of Mathematical Imaging and Vision 40, 2011, doi:10.1007/s10851-010-0251-1.
T. Pock and A. Chambolle, "Diagonal preconditioning for first order primal-dual algorithms in convex optimization",
ICCV 2011, doi:10.1109/ICCV.2011.6126441.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.numerics.iterate import Limits, Measure, Solution, iterate

Dual = tuple[Tensor, ...]
"""p: a tensor for each block of K, batch axis first."""

Steps = tuple[float, ...]
"""σ: a dual step for each block of K."""


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """An iterate and the steps with which it goes on."""

    x: Float[Tensor, "b c h w"]
    x_bar: Float[Tensor, "b c h w"]
    p: Dual
    tau: float
    sigma: Steps


@runtime_checkable
class Saddle(Protocol):
    """A convex problem min_x F(Kx) + G(x), images of a batch apart from each other."""

    @property
    def gamma(self) -> float:
        """Modulus of strong convexity of G; 0 where it has none."""
        ...

    def ascend(self, p: Dual, x: Tensor, sigma: Steps) -> Dual:
        """prox_{σF*}(p + σKx)."""
        ...

    def descend(self, x: Tensor, p: Dual, tau: float) -> Tensor:
        """prox_{τG}(x − τKᵀp)."""
        ...

    def measure(self, before: State, after: State) -> Measure:
        """The error of ``after``, which is one step from ``before``."""
        ...

    def solution(self, state: State) -> Tensor:
        """The image to return for that iterate: x, or something nearer to the end."""
        ...


def steps(tau: float, norms: Sequence[float], shares: Sequence[float]) -> Steps:
    """Dual steps σ_k = share_k / (τ‖K_k‖²), at the limit of what converges.

    Args:
        tau: the primal step, > 0.
        norms: ‖K_k‖ of each block, or a bound above it.
        shares: positive, sum one.
    """
    return tuple(share / (tau * max(norm, 1e-12) ** 2) for norm, share in zip(norms, shares))


def start(x: Float[Tensor, "b c h w"], p: Dual, tau: float, sigma: Steps) -> State:
    """The first state: x̄ = x."""
    if not 0 < tau < math.inf:
        raise InvalidParameter.outside("tau", tau, "> 0")
    return State(x, x, p, tau, sigma)


def step(saddle: Saddle, state: State) -> State:
    """One iteration."""
    p = saddle.ascend(state.p, state.x_bar, state.sigma)
    x = saddle.descend(state.x, p, state.tau)
    theta = 1 / math.sqrt(1 + 2 * saddle.gamma * state.tau)
    tau, sigma = theta * state.tau, tuple(s / theta for s in state.sigma)
    x_bar = torch.lerp(state.x, x, 1 + theta)
    return State(x, x_bar, p, tau, sigma)


def minimise(
    saddle: Saddle, state: State, limits: Limits, *, fused: Callable[[State], State] | None = None
) -> Solution:
    """Iterate until the error of every image is at most the tolerance (:func:`restora.numerics.iterate.iterate`).

    Args:
        saddle: the problem.
        state: where to start, from :func:`start`.
        limits: when to stop and how often to measure.
        fused: a faster form of :func:`step` for this problem, where there is one. It may overwrite the state it is
            given; ``Saddle.measure`` must then not use ``before``.
    """
    return iterate(fused or (lambda s: step(saddle, s)), state, saddle.measure, saddle.solution, limits)
