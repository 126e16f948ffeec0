"""min_x ½‖x − y‖² + λTV(x) (Rudin, Osher, Fatemi) by three solvers that end at the same image.

All iterate on the dual image p, |p_ij| <= λ, with u = y + div p; D are the forward differences, div = −Dᵀ, ‖D‖² <= 8.

``chambolle``: the semi-implicit scheme of 2004, p ← (p + τDu)/(1 + τ|Du|/λ). Proven for τ <= 1/8; τ = 1/4 as everybody
    takes it. It needs some 4 times the iterations of the others to 1e-4 and more to less.
``fista``: Beck and Teboulle's fast gradient projection of 2009: from q, the projection of q + (1/8)D(y + div q), then
    q ← p + (t_{k−1} − 1)/t_k (p − p_before), t_k = (1 + √(1 + 4t²_{k−1}))/2. The gap falls as 1/k².
``pdhg``: Chambolle and Pock's Algorithm 2 of 2011 with γ = 1 (:mod:`restora.numerics.pdhg`), which also holds a primal
    image x. τ₀ = 0.1/λ.

Where to stop. The duality gap of an image x and a p is

    P(x) − D(p) = ½‖x − u‖² + ⟨x, u − y⟩ + λTV(x),

which bounds P(x) − P(x*) and ½‖x − x*‖² + ½‖u − x*‖². It is taken relative to P(x). The first two have x = u. The third
measures its own x, whose objective falls faster, and returns u, which is nearer to the minimiser x*.

CPU tensors take kernels that do an iteration in one pass over memory (:mod:`restora.numerics.rof_cpu`); all others,
and those that carry gradients, the Torch form of the same equation.

References.
A. Chambolle, "An algorithm for total variation minimization and applications", Journal of Mathematical Imaging and
Vision 20, 2004, doi:10.1023/B:JMIV.0000011325.36760.1e.
A. Beck and M. Teboulle, "Fast gradient-based algorithms for constrained total variation image denoising and deblurring
problems", IEEE Transactions on Image Processing 18, 2009, doi:10.1109/TIP.2009.2028250.
A. Chambolle and T. Pock, "A first-order primal-dual algorithm for convex problems with applications to imaging",
Journal of Mathematical Imaging and Vision 40, 2011, doi:10.1007/s10851-010-0251-1.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.numerics import pdhg, rof_cpu
from restora.numerics.differences import gradient
from restora.numerics.iterate import Limits, Measure, Solution, iterate
from restora.numerics.prox import project_ball
from restora.numerics.total_variation import ascend, descend, fuses, total_variation

RofSolver = Literal["pdhg", "fista", "chambolle"]

_SEMI_IMPLICIT_STEP = 0.25
_GRADIENT_STEP = 0.125
"""1/‖D‖²."""


def minimise(y: Float[Tensor, "b c h w"], lam: float, solver: RofSolver, limits: Limits) -> Solution:
    """The minimiser, to a duality gap of ``limits.tolerance`` relative to the objective.

    Args:
        y: noisy images, float32 or float64.
        lam: λ > 0.
        solver: see above.
        limits: when to stop and how often to measure; in float32 the gap stays above about 1e-6.
    """
    y = y.contiguous() if not y.requires_grad else y
    if solver == "pdhg":
        saddle = _Denoising(y, lam)
        return pdhg.minimise(saddle, saddle.start(), limits, fused=saddle.fused_step if fuses(y) else None)
    dual = _Dual(y, lam, implicit=solver == "chambolle")
    return iterate(dual.step, dual.start(), dual.measure, dual.image, limits)


def gap(x: Float[Tensor, "b c h w"], p: Float[Tensor, "b 2 c h w"], y: Float[Tensor, "b c h w"], lam: float) -> Measure:
    """P(x) and the duality gap (P(x) − D(p))/P(x), for any x and any |p_ij| <= λ."""
    u = descend(y, p, 1.0)
    variation = lam * total_variation(x)
    objective = 0.5 * _dot(x - y, x - y) + variation
    excess = 0.5 * _dot(x - u, x - u) + _dot(x, u - y) + variation
    return Measure(objective, excess / objective.clamp_min(torch.finfo(x.dtype).tiny))


def prox(
    v: Float[Tensor, "b c h w"], lam: float, p: Float[Tensor, "b 2 c h w"], iterations: int
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b 2 c h w"]]:
    """(u, p) after so many steps of ``fista`` from p towards argmin ½‖u − v‖² + λTV(u), p first projected on |p| <= λ.

    Given the p of a like problem again, a few steps are enough.
    """
    v = v.contiguous() if not v.requires_grad else v
    dual = _Dual(v, lam, implicit=False)
    p = project_ball(p, lam, dim=(1, 2))
    state = _DualState(p, p.clone(), 1.0)
    for _ in range(iterations):
        state = dual.step(state)
    return dual.image(state), state.p


@dataclass(frozen=True, eq=False, slots=True)
class _DualState:
    p: Float[Tensor, "b 2 c h w"]
    q: Float[Tensor, "b 2 c h w"]
    t: float


@dataclass(frozen=True, eq=False, slots=True)
class _Dual:
    """``fista``, or ``chambolle`` where it is semi-implicit."""

    y: Float[Tensor, "b c h w"]
    lam: float
    implicit: bool

    def start(self) -> _DualState:
        p = self.y.new_zeros(self.y.shape[0], 2, *self.y.shape[1:])
        return _DualState(p, p if self.implicit else p.clone(), 1.0)

    def image(self, s: _DualState) -> Tensor:
        return descend(self.y, s.p, 1.0)

    def measure(self, before: _DualState, after: _DualState) -> Measure:
        return gap(self.image(after), after.p, self.y, self.lam)

    def step(self, s: _DualState) -> _DualState:
        """One iteration, in the memory of the state where a kernel does it."""
        return self._semi_implicit(s) if self.implicit else self._accelerated(s)

    def _semi_implicit(self, s: _DualState) -> _DualState:
        tau = _SEMI_IMPLICIT_STEP
        if fuses(self.y):
            rof_cpu.semi_implicit_step(s.p, self.y, tau=tau, radius=self.lam)
            return s
        g = gradient(self.image(s))
        p = (s.p + tau * g) / (1 + tau / self.lam * torch.linalg.vector_norm(g, dim=(1, 2), keepdim=True))
        return replace(s, p=p)

    def _accelerated(self, s: _DualState) -> _DualState:
        t = (1 + math.sqrt(1 + 4 * s.t**2)) / 2
        momentum = (s.t - 1) / t
        if fuses(self.y):
            rof_cpu.dual_step(s.p, s.q, self.y, tau=_GRADIENT_STEP, momentum=momentum, radius=self.lam)
            return replace(s, t=t)
        p = ascend(s.q, descend(self.y, s.q, 1.0), _GRADIENT_STEP, self.lam)
        return _DualState(p, p + momentum * (p - s.p), t)


@dataclass(frozen=True, eq=False, slots=True)
class _Denoising:
    """``pdhg``: F = λ|·|, K = D, G(x) = ½‖x − y‖²."""

    y: Tensor
    lam: float
    gamma: float = 1.0

    def start(self) -> pdhg.State:
        """x = y, in memory of its own, since the fused step works in place."""
        y, tau = self.y, 0.1 / self.lam
        p = y.new_zeros(y.shape[0], 2, *y.shape[1:])
        state = pdhg.start(y.clone(), (p,), tau, pdhg.steps(tau, (math.sqrt(8),), (1.0,)))
        return replace(state, x_bar=y.clone())

    def ascend(self, p: pdhg.Dual, x: Tensor, sigma: pdhg.Steps) -> pdhg.Dual:
        return (ascend(p[0], x, sigma[0], self.lam),)

    def descend(self, x: Tensor, p: pdhg.Dual, tau: float) -> Tensor:
        return torch.lerp(descend(x, p[0], tau), self.y, tau / (1 + tau))

    def measure(self, before: pdhg.State, after: pdhg.State) -> Measure:
        return gap(after.x, after.p[0], self.y, self.lam)

    def solution(self, state: pdhg.State) -> Tensor:
        return descend(self.y, state.p[0], 1.0)

    def fused_step(self, state: pdhg.State) -> pdhg.State:
        """:func:`restora.numerics.pdhg.step` for this problem, in the memory of the state."""
        (p,), (sigma,), tau = state.p, state.sigma, state.tau
        theta = 1 / math.sqrt(1 + 2 * self.gamma * tau)
        rof_cpu.primal_dual_step(p, state.x, state.x_bar, self.y, sigma=sigma, tau=tau, theta=theta, radius=self.lam)
        return replace(state, tau=theta * tau, sigma=(sigma / theta,))


def _dot(u: Tensor, v: Tensor) -> Float[Tensor, " b"]:
    """⟨u, v⟩ of each image, summed in float64."""
    return (u * v).sum(dim=(1, 2, 3), dtype=torch.float64)
