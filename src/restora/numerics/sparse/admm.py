"""The alternating direction method of multipliers for sparse models: min_x f(x) + g(Wx), a batch at a time.

With the split z = Wx and the scaled multiplier u, over-relaxed by α in [1, 2):

    x = argmin_x f(x) + ρ/2 ‖Wx − (z − u)‖²
    h = αWx + (1 − α)z
    z = prox_{g/ρ}(h + u)
    u ← u + h − z

It stops where ‖Wx − z‖ and the step of z are both at most ``tolerance`` of ‖z‖. ρ decides how fast it converges, not
to which limit (where g is convex). ρ is fixed: balancing it by the residuals would make an item depend on its batch.

There are two x-steps for matrices D (m × n), each factored once:

- :class:`Ridge`, f = ½‖y − Dx‖² and W = I: (DᵀD + ρI)⁻¹ = (I − Dᵀ(ρI + DDᵀ)⁻¹D)/ρ (Woodbury: m × m where m < n).
- :class:`Projection`, f = 0 where Dx = y, else ∞: the nearest point of the solutions, v + Dᵀ(DDᵀ)⁻¹(y − Dv), with
  which the method solves basis pursuit, min ‖x‖₁ subject to Dx = y.

References.
S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein, "Distributed optimization and statistical learning via the
alternating direction method of multipliers", Foundations and Trends in Machine Learning 3, 2011,
doi:10.1561/2200000016.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.numerics.iterate import Limits, Measure, Solution, iterate
from restora.numerics.sparse.penalties import Penalty


@dataclass(frozen=True, eq=False, slots=True)
class _State:
    x: Float[Tensor, "b ..."]
    Wx: Float[Tensor, "b ..."]
    z: Float[Tensor, "b ..."]
    u: Float[Tensor, "b ..."]
    residual: Float[Tensor, " b"]


@dataclass(frozen=True, eq=False, slots=True)
class Split:
    """What the method needs to know of f and W.

    Attributes:
        solve: v ↦ argmin_x f(x) + ρ/2‖Wx − v‖², for the ρ below.
        analyse: x ↦ Wx.
        value: f(x) of each item.
        rho: ρ > 0.
    """

    solve: Callable[[Tensor], Tensor]
    analyse: Callable[[Tensor], Tensor]
    value: Callable[[Tensor], Tensor]
    rho: float


def minimise(
    split: Split,
    penalty: Penalty,
    z: Float[Tensor, "b ..."],
    *,
    sparse: bool,
    relaxation: float = 1.6,
    limits: Limits,
) -> Solution:
    """Iterate from z.

    Args:
        split: f, W and ρ.
        penalty: g.
        z: the first z.
        sparse: return z, which holds exact zeros (for W = I); else x, the minimiser of the x-step. The objective of the
            stats is that of what is returned.
        relaxation: α in [1, 2).
        limits: when to stop and how often to measure; the tolerance is of the residuals, relative to ‖z‖.
    """

    def step(s: _State) -> _State:
        x = split.solve(s.z - s.u)
        Wx = split.analyse(x)
        h = torch.lerp(s.z, Wx, relaxation)
        z = penalty.prox(h + s.u, 1 / split.rho)
        return _State(x, Wx, z, s.u + h - z, torch.maximum(_norm(Wx - z), _norm(z - s.z)))

    def measure(before: _State, after: _State) -> Measure:
        size = _norm(after.z).clamp_min(torch.finfo(after.z.dtype).tiny)
        x, coefficients = (after.z, after.z) if sparse else (after.x, after.Wx)
        return Measure(split.value(x) + penalty.value(coefficients), after.residual / size)

    start = _State(split.solve(z), z, z, torch.zeros_like(z), z.new_zeros(len(z)))
    return iterate(step, start, measure, lambda s: s.z if sparse else s.x, limits)


@dataclass(frozen=True, eq=False, slots=True)
class Ridge:
    """x = (DᵀD + ρI)⁻¹(Dᵀy + ρv) for rows y (b, m)."""

    D: Float[Tensor, "m n"]
    rho: float
    factor: Float[Tensor, "k k"]

    @classmethod
    def of(cls, D: Float[Tensor, "m n"], rho: float) -> "Ridge":
        m, n = D.shape
        gram = D @ D.mT if m < n else D.mT @ D
        return cls(D, rho, torch.linalg.cholesky(gram + rho * torch.eye(min(m, n), dtype=D.dtype, device=D.device)))

    def solve(self, y: Float[Tensor, "b m"], v: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        m, n = self.D.shape
        right = y @ self.D + self.rho * v
        if m >= n:
            return torch.cholesky_solve(right.mT, self.factor).mT
        inner = torch.cholesky_solve((right @ self.D.mT).mT, self.factor).mT
        return (right - inner @ self.D) / self.rho


@dataclass(frozen=True, eq=False, slots=True)
class Projection:
    """v ↦ Pv + D⁺y for rows y (b, m) of a D of full row rank, P = I − D⁺D."""

    D: Float[Tensor, "m n"]
    P: Float[Tensor, "n n"]
    pseudo_inverse: Float[Tensor, "n m"]

    @classmethod
    def of(cls, D: Float[Tensor, "m n"]) -> "Projection":
        inverse = torch.cholesky_solve(D, torch.linalg.cholesky(D @ D.mT)).mT
        return cls(D, torch.eye(D.shape[1], dtype=D.dtype, device=D.device) - inverse @ D, inverse)


def _norm(x: Tensor) -> Float[Tensor, " b"]:
    return torch.linalg.vector_norm(x.flatten(1), dim=1)
