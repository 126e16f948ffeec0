"""Sparse MAP: the most probable image under a sparse prior on its coefficients, for p = 0, 1, 2 and any H.

Problem. y = Hx + n with any linear H and white noise n of standard deviation σ.

Model. The prior p(x) ∝ exp(−λ Σ_j ω_j |(Wx)_j|^p) on the coefficients in a tight frame W, WᵀW = I:

    minimise  ½‖Hx − y‖²/σ² + λ Σ_j ω_j |(Wx)_j|^p.

p = 2 is a Gaussian prior (Wiener, ridge), p = 1 a Laplacian one (Lasso), p = 0 counts coefficients. The approximation
is not penalised. With r_j the norm of the row of W, and s_j the share of the Fourier plane that its band covers:

    ω_j = r_j² (p = 0),    r_j √s_j (p = 1),    s_j (p = 2).

p = 0 asks of a coefficient to exceed its own noise, σr_j. Behind the others stands that natural images have a spectrum
that falls as 1/f², so that a coefficient of unit row norm has a variance ∝ 1/s_j, and the threshold of the best soft
shrinkage, noise variance over signal deviation, is ∝ r_j √s_j.

Algorithm. The model has two forms: analysis (minimise over x, as above) and synthesis (x = Wᵀα, minimise over α with
|α_j| in place of |(Wx)_j|). They are one where W is orthonormal, and differ where it is redundant; there synthesis with
an approximation that costs nothing has no use, as the approximation alone, amplified, can say everything.
- p = 2: the normal equations (HᵀH + 2σ²λWᵀΩW)x = Hᵀy by conjugate gradients, whatever the solver's name.
- ``admm``, analysis (:mod:`restora.numerics.sparse.admm`): x = argmin ½‖Hx − y‖² + ρ/2‖x − Wᵀ(z − u)‖², exact wherever
  H has a proximal map; z = shrinkage of Wx + u; ρ = 20σ²λ for p = 1, and 1 for p = 0, where it also decides the minimum
  that is found.
- ``fista``, ``ista``, synthesis, orthonormal frames only (:mod:`restora.numerics.sparse.ista`):
  α ← shrinkage of α + WHᵀ(y − HWᵀα)/‖H‖².
- ``iht``: the same as ``ista`` for p = 0, where the shrinkage is a hard threshold.
With p = 0 the problem is not convex, and where they end depends on where they start: Hᵀy. FISTA is refused for it.

Parameters. ``lam=None`` takes λ by rule, from σ (at least that of rounding to 8 bits) and from g = E‖Hz‖²/E‖z‖² for
white z:  p = 0: λ = 8, a threshold of 4σr_j;  p = 1: λ = (1.85/σ)^g · 18^(1−g), 1.6σr_j at the finest scale;
p = 2: λ = 150, a variance of 1/300s_j of a coefficient of unit row norm. Those for denoising are near the best on a
few photographs of Train400 (for p = 1 at σ = 25 only); 18 follows the weight of total variation behind a strong blur,
in the same proportion, and was not tried against others.

Cost. 30 to 70 iterations for denoising, 50 to 300 for other H, each with one analysis, one synthesis, and H's proximal
map or H and Hᵀ. Memory: undecimated wavelets of 4 levels have 13 coefficients for a pixel, of which many copies are
held: about 250 times the image. Large pictures want tiles (an approximation here) or a basis such as ``haar``.

Departures from the original. None: this is the model itself, the common root of wavelet shrinkage, deconvolution and
sparse inpainting. The weights ω are ours.

When not. Where H = Identity and speed counts, a threshold without iterations does nearly as well.

References.
M. Elad, P. Milanfar and R. Rubinstein, "Analysis versus synthesis in signal priors", Inverse Problems 23, 2007,
doi:10.1088/0266-5611/23/3/007.
I. Daubechies, M. Defrise and C. De Mol, "An iterative thresholding algorithm for linear inverse problems with a
sparsity constraint", Communications on Pure and Applied Mathematics 57, 2004, doi:10.1002/cpa.20042.
M. V. Afonso, J. M. Bioucas-Dias and M. A. T. Figueiredo, "Fast image recovery using variable splitting and constrained
optimization", IEEE Transactions on Image Processing 19, 2010, doi:10.1109/TIP.2010.2047910.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.conjugate_gradient import conjugate_gradient
from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import check_parameters, counting, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.frames.frame import Frame
from restora.frames.stacked import Stacked
from restora.frames.undecimated_wavelet import UndecimatedWavelet
from restora.frames.wavelet import WaveletTransform
from restora.numerics.iterate import Limits, Solution
from restora.numerics.sparse import admm, ista
from restora.numerics.sparse.penalties import PowerPenalty
from restora.numerics.variation_weight import FINEST_SIGMA, white_gain
from restora.operators.identity import Identity

FrameName = Literal["undecimated-haar", "undecimated-db2", "undecimated-sym4", "haar", "sym8"]
SparseSolver = Literal["ista", "iht", "fista", "admm"]

_FRAMES: Mapping[str, Callable[[int], Frame]] = {
    "undecimated-haar": lambda levels: UndecimatedWavelet("haar", levels),
    "undecimated-db2": lambda levels: UndecimatedWavelet("db2", levels),
    "undecimated-sym4": lambda levels: UndecimatedWavelet("sym4", levels),
    "haar": lambda levels: WaveletTransform("haar", levels),
    "sym8": lambda levels: WaveletTransform("sym8", levels),
}
"""Tight frames by name, made for a number of levels."""

_ORTHONORMAL = ("haar", "sym8")
"""Those that are orthonormal bases, on images whose sides are multiples of 2^levels."""


@dataclass(frozen=True, slots=True)
class SparseMAP(Method):
    """The most probable image under a sparse prior.

    Attributes:
        p: the power of the prior.
        frame: the tight frame W; ``haar`` and ``sym8`` are orthonormal, and take sides that are multiples of 2^levels.
        levels: of W, >= 1.
        solver: see above; p = 2 has its own. All but ``admm`` need an orthonormal frame.
        lam: λ > 0; None takes it from the rule for p, σ and H. Halved, noise remains; doubled, details go.
        tolerance: relative change, or residual, at which to stop, > 0.
        max_iterations: stop after so many in any case, >= 1.

    A row of ``stats`` every ten iterations: their number, σ² times the objective, and the error that is to fall.
    """

    spec: ClassVar[Spec] = Spec(
        name="sparse-map",
        tasks=("denoise", "deblur", "super-resolve", "inpaint", "demosaick"),
        solves=(Operator,),
        colour="native",
        paper='M. Elad, P. Milanfar and R. Rubinstein, "Analysis versus synthesis in signal priors", 2007',
        doi="10.1088/0266-5611/23/3/007",
    )

    p: Literal[0, 1, 2] = 1
    frame: FrameName = "undecimated-haar"
    levels: Annotated[int, counting] = 4
    solver: SparseSolver = "admm"
    lam: Annotated[float | None, positive] = None
    tolerance: Annotated[float, positive] = 3e-4
    max_iterations: Annotated[int, counting] = 300

    def __post_init__(self) -> None:
        check_parameters(self)
        if (self.solver == "iht" and self.p != 0) or (self.solver == "fista" and self.p == 0):
            allowed = "ista, fista or admm" if self.p else "ista, iht or admm"
            raise InvalidParameter.outside("solver", self.solver, f"{allowed} for p = {self.p}")
        if self.solver != "admm" and self.frame not in _ORTHONORMAL:
            raise InvalidParameter.outside("solver", self.solver, f"admm for the redundant frame {self.frame}")

    def solve(self, problem: Problem, context: Context) -> Result:
        y, H = problem.y, problem.H
        if problem.sigma == 0 and isinstance(H, Identity):
            return Result.left_alone(y, "there is no noise")
        first = H.adjoint(y)
        W = self._frame(first)
        weight = max(problem.sigma, FINEST_SIGMA) ** 2 * self._lam(problem)
        omega = W.detail * (W.norms.square(), W.norms * W.shares.sqrt(), W.shares)[self.p]
        penalty = PowerPenalty(self.p, weight * omega)
        limits = Limits(self.tolerance, self.max_iterations, progress=context.progress)
        if self.p == 2:
            found = _ridge(problem, first, W, penalty, self.max_iterations)
            context.progress(1, 1, "conjugate gradients")
            return found.result()
        if self.solver == "admm":
            rho = 1.0 if self.p == 0 else 20 * weight
            split = admm.Split(
                lambda v: H.prox(W.synthesis(v), y, rho), W.analysis, lambda x: 0.5 * _squared(H(x) - y), rho
            )
            return admm.minimise(split, penalty, W.analysis(first), sparse=False, limits=limits).result()
        A = ista.LinearMap(
            lambda a: H(W.synthesis(a)),
            lambda r: W.analysis(H.adjoint(r)),
            H.norm_bound(problem.size, problem.channels),
        )
        fast = self.solver == "fista"
        found = ista.minimise(A, y, W.analysis(first), penalty, accelerated=fast, limits=limits)
        return replace(found, x=W.synthesis(found.x)).result()

    def _frame(self, like: Float[Tensor, "b c h w"]) -> Stacked:
        unit = 2**self.levels
        if self.frame in _ORTHONORMAL and any(side % unit for side in like.shape[-2:]):
            raise CannotSolve(
                f"{self.frame} of {self.levels} levels takes sides that are multiples of {unit}, not "
                f"{like.shape[-1]}x{like.shape[-2]}: take fewer levels, or an undecimated frame"
            )
        return Stacked.of(_FRAMES[self.frame](self.levels), like)

    def _lam(self, problem: Problem) -> float:
        """λ, by the rule above where none is given."""
        if self.lam is not None:
            return self.lam
        if self.p != 1:
            return 8.0 if self.p == 0 else 150.0
        gain = min(white_gain(problem), 1.0)
        return (1.85 / max(problem.sigma, FINEST_SIGMA)) ** gain * 18 ** (1 - gain)


def _ridge(problem: Problem, right: Tensor, W: Stacked, penalty: PowerPenalty, max_iterations: int) -> Solution:
    """The normal equations, ``right`` being Hᵀy."""
    H = problem.H

    def normal(x: Tensor) -> Tensor:
        return H.adjoint(H(x)) + W.synthesis(2 * penalty.weights * W.analysis(x))

    x = conjugate_gradient(normal, right, right, max_iterations=max_iterations)
    objective = float((0.5 * _squared(H(x) - problem.y) + penalty.value(W.analysis(x))).sum())
    return Solution(x, Status.done("normal equations solved by conjugate gradients"), ({"objective": objective},))


def _squared(x: Tensor) -> Float[Tensor, " b"]:
    return x.square().sum(dim=(1, 2, 3), dtype=torch.float64)
