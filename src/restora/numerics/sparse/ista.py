"""Iterative shrinkage: min_α ½‖y − Aα‖² + g(α) for a linear map A and a g with a proximal map, a batch at a time.

ISTA (Daubechies, Defrise, De Mol 2004), from z = α:

    α⁺ = prox_{g/L}(z − Aᵀ(Az − y)/L),    L = ‖A‖²;    z ← α⁺.

With g = Σ w|α|⁰ or g = "at most K coefficients" it is iterative hard thresholding, IHT (Blumensath, Davies 2008), which
ends at a local minimum. FISTA (Beck, Teboulle 2009) moves on: with t_k = (1 + √(1 + 4t²_{k−1}))/2,

    z ← α⁺ + (t_{k−1} − 1)/t_k (α⁺ − α),

and t ← 1 where ⟨z − α⁺, α⁺ − α⟩ > 0, that is where the momentum points uphill (O'Donoghue, Candès 2015); for each item
of the batch apart. The objective falls as 1/k for ISTA, 1/k² for FISTA, and linearly with the restarts where the
problem is strongly convex near its solution. An iteration costs one A and one Aᵀ.

References.
I. Daubechies, M. Defrise, C. De Mol, "An iterative thresholding algorithm for linear inverse problems with a sparsity
constraint", Communications on Pure and Applied Mathematics 57, 2004, doi:10.1002/cpa.20042.
A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse problems", SIAM Journal on
Imaging Sciences 2, 2009, doi:10.1137/080716542.
B. O'Donoghue, E. Candès, "Adaptive restart for accelerated gradient schemes", Foundations of Computational Mathematics
15, 2015, doi:10.1007/s10208-013-9150-3.
T. Blumensath, M. E. Davies, "Iterative thresholding for sparse approximations", Journal of Fourier Analysis and
Applications 14, 2008, doi:10.1007/s00041-008-9035-z.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.numerics.iterate import Limits, Measure, Solution, iterate, relative_change
from restora.numerics.sparse.penalties import Penalty


@dataclass(frozen=True, eq=False, slots=True)
class LinearMap:
    """A and Aᵀ, each from a batch to a batch, and ‖A‖ or a bound above it."""

    forward: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    norm: float

    @classmethod
    def of_matrix(cls, A: Float[Tensor, "m n"]) -> "LinearMap":
        """Rows (b, n) to rows (b, m)."""
        return cls(lambda x: x @ A.mT, lambda y: y @ A, float(torch.linalg.matrix_norm(A, 2)))


@dataclass(frozen=True, eq=False, slots=True)
class _State:
    x: Float[Tensor, "b ..."]
    z: Float[Tensor, "b ..."]
    t: Float[Tensor, " b"]


def minimise(
    A: LinearMap,
    y: Float[Tensor, "b ..."],
    x: Float[Tensor, "b ..."],
    penalty: Penalty,
    *,
    accelerated: bool = True,
    restarts: bool = True,
    limits: Limits,
) -> Solution:
    """Iterate from x until the relative change of an iteration is at most the tolerance.

    Args:
        A: the linear map; its norm sets the step.
        y: what Aα is to match.
        x: the first α.
        penalty: g.
        accelerated: FISTA; else ISTA, the only one of the two that is meant for a g that is not convex.
        restarts: of FISTA.
        limits: when to stop and how often to measure; the tolerance is of ‖α⁺ − α‖/‖α⁺‖.
    """
    L = max(A.norm, 1e-12) ** 2

    def step(s: _State) -> _State:
        new = penalty.prox(s.z - A.adjoint(A.forward(s.z) - y) / L, 1 / L)
        return _moved_on(s, new, restarts) if accelerated else _State(new, new, s.t)

    def measure(before: _State, after: _State) -> Measure:
        misfit = (A.forward(after.x) - y).flatten(1).square().sum(1, dtype=torch.float64)
        return Measure(0.5 * misfit + penalty.value(after.x), relative_change(before.x, after.x))

    return iterate(step, _State(x, x, x.new_ones(len(x))), measure, lambda s: s.x, limits)


def _moved_on(s: _State, new: Tensor, restarts: bool) -> _State:
    shape = (-1, *(1,) * (new.ndim - 1))
    t = s.t
    if restarts:
        uphill = ((s.z - new) * (new - s.x)).flatten(1).sum(1) > 0
        t = torch.where(uphill, 1.0, t)
    t_next = (1 + (1 + 4 * t.square()).sqrt()) / 2
    return _State(new, torch.lerp(s.x, new, 1 + ((t - 1) / t_next).reshape(shape)), t_next)
