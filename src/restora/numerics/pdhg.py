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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.progress import Progress, silent
from restora.core.result import Code, Status

Dual = tuple[Tensor, ...]
"""p: a tensor for each block of K, batch axis first."""

Steps = tuple[float, ...]
"""σ: a dual step for each block of K."""


@dataclass(frozen=True, eq=False, slots=True)
class Measure:
    """How far an iterate is, a value an image.

    Attributes:
        objective: F(Kx) + G(x).
        error: what is to fall to the tolerance, for instance the duality gap over the objective.
    """

    objective: Float[Tensor, " b"]
    error: Float[Tensor, " b"]


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
        """How far ``after`` is, which is one step from ``before``."""
        ...

    def solution(self, state: State) -> Tensor:
        """The image to return for that iterate: x, or something nearer to the end."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Solution:
    """What :func:`minimise` found: the image, how it ended, and the stats of the measured iterations."""

    x: Float[Tensor, "b c h w"]
    status: Status
    stats: tuple[Mapping[str, float], ...]


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
    saddle: Saddle,
    state: State,
    *,
    tolerance: float,
    max_iterations: int,
    every: int = 10,
    fused: Callable[[State], State] | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Iterate until the error of every image is at most ``tolerance``.

    An image that has come so far is set aside as it is, so that it does not depend on its batch.

    Args:
        saddle: the problem.
        state: where to start, from :func:`start`.
        tolerance: of ``Measure.error``.
        max_iterations: at most so many steps.
        every: so many steps from one measurement to the next; measuring costs about a step.
        fused: a faster form of :func:`step` for this problem, where there is one. It may overwrite the state it is
            given; ``Saddle.measure`` must then not look at ``before``.
        progress: told after each measurement.
    """
    stats: list[Mapping[str, float]] = []
    finished = torch.zeros(len(state.x), dtype=torch.bool, device=state.x.device)
    found = state.x
    for iteration in range(1, max_iterations + 1):
        before, state = state, fused(state) if fused else step(saddle, state)
        if iteration % every and iteration < max_iterations:
            continue
        measure = saddle.measure(before, state)
        found = torch.where(finished[:, None, None, None], found, saddle.solution(state))
        finished = finished | (measure.error <= tolerance)
        error, objective = float(measure.error.detach().max()), float(measure.objective.detach().sum())
        stats.append({"iteration": iteration, "objective": objective, "error": error})
        (progress or silent)(iteration, max_iterations, f"error {error:.1e}")
        if bool(finished.all()):
            sentence = f"converged in {iteration} iterations to an error of {error:.1e}"
            return Solution(found, Status(Code.CONVERGED, sentence), tuple(stats))
    sentence = f"stopped after {max_iterations} iterations, before the tolerance {tolerance:.1e} was reached"
    return Solution(found, Status(Code.ITERATION_LIMIT, sentence), tuple(stats))
