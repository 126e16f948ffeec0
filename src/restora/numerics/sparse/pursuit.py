"""Sparse codes of many signals over one dictionary: greedy pursuit and thresholding, L1, and L2 for comparison.

Signals are the rows of Y (b, m), atoms the columns of D (m, n), codes the rows of A (b, n): y ≈ Dα. Everything runs on
the whole batch at once, on any device.

- :func:`omp`, orthogonal matching pursuit: the atom most correlated with the residual joins the support S, then all
  coefficients on S are fitted again. The inverse of the Gram matrix on S is never formed: its Cholesky factor grows by
  a row an iteration.
- :func:`batch_omp` does the same from G = DᵀD and DᵀY alone (Rubinstein, Zibulevsky, Elad 2008), which is faster for
  many signals: residuals are never formed. CPU tensors take a Numba kernel, all others Torch.
- :func:`normalised_iht`, iterative hard thresholding with the step of Blumensath and Davies (2010), which
  needs no norm.
- :func:`lasso`, min ½‖y − Dα‖² + λ‖α‖₁, by ISTA, FISTA or ADMM; :func:`basis_pursuit`, min ‖α‖₁ subject to Dα = y.
- :func:`least_norm`, min ‖α‖₂ subject to Dα = y: it spreads over all atoms, and finds no sparse code.

The error that ``tolerance`` bounds is ‖y − Dα‖²; on the support of a least-squares fit it is ‖y‖² − ⟨α_S, (Dᵀy)_S⟩,
which no recursion lets drift. Subtracting costs digits: below about 1e-6‖y‖² float32 cannot resolve it.

References.
Y. C. Pati, R. Rezaiifar, P. S. Krishnaprasad, "Orthogonal matching pursuit", Asilomar 1993,
doi:10.1109/ACSSC.1993.342465. R. Rubinstein, M. Zibulevsky, M. Elad, "Efficient implementation of the K-SVD algorithm
using batch orthogonal matching pursuit", Technion CS-2008-08, 2008.
T. Blumensath, M. E. Davies, "Normalized iterative hard thresholding", IEEE Journal of Selected Topics in Signal
Processing 4, 2010, doi:10.1109/JSTSP.2010.2042411.
S. S. Chen, D. L. Donoho, M. A. Saunders, "Atomic decomposition by basis pursuit", SIAM Journal on Scientific Computing
20, 1998, doi:10.1137/S1064827596304010.
"""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.errors import InvalidInput, InvalidParameter
from restora.numerics.iterate import Limits, Solution
from restora.numerics.sparse import admm, ista
from restora.numerics.sparse.batch_omp_cpu import batch_omp_cpu
from restora.numerics.sparse.penalties import AtMost, PowerPenalty

_CHUNK = 1 << 25
"""Numbers of codes that Torch works on at a time."""


def omp(
    D: Float[Tensor, "m n"], Y: Float[Tensor, "b m"], *, most: int | None = None, tolerance: float = 0.0
) -> Float[Tensor, "b n"]:
    """Codes by orthogonal matching pursuit, with residuals. O(b·K·mn) for K atoms.

    Args:
        D: atoms of any length > 0; the correlation is with the normalised ones.
        Y: signals.
        most: K, largest number of atoms, >= 1; None for min(m, n).
        tolerance: a signal is finished when ‖y − Dα‖² <= tolerance.

    Raises:
        InvalidParameter: ``most`` or ``tolerance`` out of range.
        InvalidInput: an atom is zero.
    """
    unit, lengths = _normalised(D)
    G = unit.mT @ unit

    def correlations(codes: Tensor, start: Tensor) -> Tensor:
        return (Y - codes @ unit.mT) @ unit

    return _pursue(G, Y @ unit, Y.square().sum(1), _count(D, most), _floor(tolerance), correlations) / lengths


def batch_omp(
    D: Float[Tensor, "m n"], Y: Float[Tensor, "b m"], *, most: int | None = None, tolerance: float = 0.0
) -> Float[Tensor, "b n"]:
    """Codes as of :func:`omp`, from Gram matrices: O(mn²) once, then O(K²n + K³) and one row of DᵀY a signal."""
    unit, lengths = _normalised(D)
    G, K, floor = unit.mT @ unit, _count(D, most), _floor(tolerance)
    if runs_on_cpu_kernels(Y, D):
        return batch_omp_cpu(G, Y @ unit, Y.square().sum(1), K, floor) / lengths
    parts = []
    for y in Y.split(max(1, _CHUNK // (D.shape[1] + K * K))):
        parts.append(_pursue(G, y @ unit, y.square().sum(1), K, floor, lambda codes, start: start - codes @ G))
    return torch.cat(parts) / lengths


def normalised_iht(
    D: Float[Tensor, "m n"], Y: Float[Tensor, "b m"], *, most: int, max_iterations: int = 300, tolerance: float = 1e-12
) -> Float[Tensor, "b n"]:
    """α ← H_K(α + μDᵀ(y − Dα)), H_K keeping the K largest; O(mn) an iteration.

    With g = Dᵀ(y − Dα) and S the support, μ = ‖g_S‖²/‖Dg_S‖²: the best step if S stays. Where S changes, μ is halved
    until μ <= 0.99 ‖α⁺ − α‖²/‖D(α⁺ − α)‖², so that the error falls in every step. It ends where no code moves by
    more than ``tolerance`` of its squared length.
    """
    keep = AtMost(_count(D, most))
    codes, S = torch.zeros_like(Y @ D), keep.prox(Y @ D, 1.0) != 0
    for _ in range(max_iterations):
        g = (Y - codes @ D.mT) @ D
        on_support = torch.where(S, g, 0.0)
        mu = _ratio(on_support, on_support @ D.mT)
        new = keep.prox(codes + mu * g, 1.0)
        for _ in range(30):
            moved = ((new != 0) != S).any(1, keepdim=True) & (mu > 0.99 * _ratio(new - codes, (new - codes) @ D.mT))
            if not bool(moved.any()):
                break
            mu = torch.where(moved, mu / 2, mu)
            new = torch.where(moved, keep.prox(codes + mu * g, 1.0), new)
        step, size = (new - codes).square().sum(1), new.square().sum(1)
        codes, S = new, new != 0
        if bool((step <= tolerance * size).all()):
            break
    return codes


LassoSolver = Literal["ista", "fista", "admm"]

_LASSO_LIMITS = Limits(tolerance=1e-8, max_iterations=1000)
_BASIS_PURSUIT_LIMITS = Limits(tolerance=1e-6, max_iterations=1000)


def lasso(
    D: Float[Tensor, "m n"],
    Y: Float[Tensor, "b m"],
    lam: float,
    solver: LassoSolver = "fista",
    *,
    rho: float = 1.0,
    limits: Limits = _LASSO_LIMITS,
) -> Solution:
    """min ½‖y − Dα‖² + λ‖α‖₁ from α = 0; the codes are ``Solution.x``.

    ``fista`` restarts by itself. ``admm`` factors min(m, n)² numbers once; ρ suits unit atoms at 1.

    Raises:
        InvalidParameter: λ or ρ is not positive.
    """
    for name, value in (("lam", lam), ("rho", rho)):
        if not value > 0:
            raise InvalidParameter.outside(name, value, "> 0")
    start, penalty = Y.new_zeros(len(Y), D.shape[1]), PowerPenalty(1, lam)
    if solver != "admm":
        A = ista.LinearMap.of_matrix(D)
        return ista.minimise(A, Y, start, penalty, accelerated=solver == "fista", limits=limits)
    ridge = admm.Ridge.of(D, rho)

    def misfit(x: Tensor) -> Tensor:
        return 0.5 * (x @ D.mT - Y).square().sum(1, dtype=torch.float64)

    split = admm.Split(lambda v: ridge.solve(Y, v), _same, misfit, rho)
    return admm.minimise(split, penalty, start, sparse=True, limits=limits)


def basis_pursuit(
    D: Float[Tensor, "m n"], Y: Float[Tensor, "b m"], *, limits: Limits = _BASIS_PURSUIT_LIMITS
) -> Solution:
    """min ‖α‖₁ subject to Dα = y, m <= n, by ADMM with ρ in units of the largest coefficient of the least-norm code."""
    projection = admm.Projection.of(D)
    shortest = Y @ projection.pseudo_inverse.mT
    scale = shortest.abs().amax(1, keepdim=True).clamp_min(torch.finfo(Y.dtype).tiny)
    shortest = shortest / scale
    split = admm.Split(lambda v: v @ projection.P + shortest, _same, lambda x: x.new_zeros(len(x)).double(), 1.0)
    found = admm.minimise(split, PowerPenalty(1, 1.0), shortest, sparse=False, limits=limits)
    return Solution(found.x * scale, found.status, found.stats)


def least_norm(D: Float[Tensor, "m n"], Y: Float[Tensor, "b m"]) -> Float[Tensor, "b n"]:
    """Dᵀ(DDᵀ)⁻¹y, the shortest code with Dα = y, for m <= n independent rows."""
    return Y @ admm.Projection.of(D).pseudo_inverse.mT


def _same(x: Tensor) -> Tensor:
    return x


def _pursue(
    G: Float[Tensor, "n n"],
    start: Float[Tensor, "b n"],
    energy: Float[Tensor, " b"],
    K: int,
    floor: float,
    correlations: Callable[[Tensor, Tensor], Tensor],
) -> Float[Tensor, "b n"]:
    """K iterations over unit atoms; a finished signal gets an atom orthogonal to all, with coefficient 0."""
    b, n = start.shape
    support = torch.zeros(b, K, dtype=torch.long, device=start.device)
    right, L = start.new_zeros(b, K), torch.eye(K, dtype=start.dtype, device=start.device).repeat(b, 1, 1)
    codes, chosen = torch.zeros_like(start), torch.zeros_like(start, dtype=torch.bool)
    working = energy > floor
    for k in range(K):
        alpha = correlations(codes, start).abs().masked_fill(chosen, -1.0)
        atom = alpha.argmax(1)
        support[:, k] = atom
        pivot = _grow(L, G, support, k)
        # An atom within the span of the others, or none that correlates: the signal is finished as it is.
        working = working & (pivot > 10 * torch.finfo(G.dtype).eps) & (alpha.gather(1, atom[:, None])[:, 0] > 0)
        L[:, k, :k] *= working[:, None]
        L[:, k, k] = torch.where(working, pivot.clamp_min(torch.finfo(G.dtype).tiny).sqrt(), 1.0)
        right[:, k] = torch.where(working, start.gather(1, atom[:, None])[:, 0], 0.0)
        gamma = torch.cholesky_solve(right[:, : k + 1, None], L[:, : k + 1, : k + 1])[..., 0]
        codes = torch.zeros_like(start).scatter_add(1, support[:, : k + 1], gamma)
        chosen = chosen | ((torch.arange(n, device=atom.device) == atom[:, None]) & working[:, None])
        working = working & (energy - (gamma * right[:, : k + 1]).sum(1) > floor)
        if not bool(working.any()):
            break
    return codes


def _grow(L: Tensor, G: Tensor, support: Int[Tensor, "b K"], k: int) -> Float[Tensor, " b"]:
    """Write w of row k, L w = G_{S,k}, into L; 1 − ‖w‖² comes back."""
    if k == 0:
        return torch.ones_like(L[:, 0, 0])
    g = G[support[:, :k], support[:, k : k + 1]]
    w = torch.linalg.solve_triangular(L[:, :k, :k], g[..., None], upper=False)[..., 0]
    L[:, k, :k] = w
    return 1 - w.square().sum(1)


def _normalised(D: Tensor) -> tuple[Tensor, Tensor]:
    lengths = torch.linalg.vector_norm(D, dim=0)
    if not bool((lengths > 0).all()):
        raise InvalidInput("an atom of the dictionary is zero")
    return D / lengths, lengths


def _count(D: Tensor, most: int | None) -> int:
    limit = min(D.shape)
    if most is not None and not 1 <= most:
        raise InvalidParameter.outside("most", most, ">= 1")
    return limit if most is None else min(most, limit)


def _floor(tolerance: float) -> float:
    if not tolerance >= 0:
        raise InvalidParameter.outside("tolerance", tolerance, ">= 0")
    return tolerance


def _ratio(u: Tensor, v: Tensor) -> Float[Tensor, "b 1"]:
    """‖u‖²/‖v‖² of each row; 1 where u = 0."""
    uu, vv = u.square().sum(1, keepdim=True), v.square().sum(1, keepdim=True)
    return torch.where(uu > 0, uu / vv.clamp_min(torch.finfo(u.dtype).tiny), 1.0)
