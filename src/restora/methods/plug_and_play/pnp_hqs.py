"""Plug-and-play half-quadratic splitting: any linear H, with any denoiser for a prior.

Problem. y = Hx + n with any linear H and white noise n of standard deviation σ.

Model. minimise ½‖Hx − y‖² + λσ²Φ(x). The prior Φ is never written down: it is whatever the denoiser D(·, σ_k) is the
proximal map of, with weight σ_k². Most denoisers are the proximal map of nothing; the iteration is then the definition.

Algorithm. σ_k is log-spaced from σ_1 to σ_K. z = a first guess (``H.first_guess(y)``); for k = 1 … K
1. x = argmin ½‖Hx − y‖² + ρ_k/2 ‖x − z‖², ρ_k = λσ²/σ_k²: the operator's own proximal map, exact for a circular blur
   (Fourier), a mask, a mosaic, decimation, MATLAB's reduction; conjugate gradients for any other H;
2. z = D(x, σ_k).
The last z is the result. With σ_1 = σ_K and a linear symmetric D = W the fixed point is z = Wx,
(HᵀH + ρ(I − W))x = Hᵀy.

Parameters. σ_1 = 49/255; σ_K is the noise level of the measurement, σ; λ = 0.23. So
nothing is tuned to the image. σ counts as at least 0.255/255.

Cost. K calls of the denoiser and K proximal maps of H; where those are conjugate gradients, up to 200 H and Hᵀ each.

Departures from the original. Zhang et al. 2017 take 30 steps, λ = 1/3 and a σ_K chosen by hand for each kind of
problem. The rule and the number of steps here are those of the same authors' paper of 2021 for deblurring; where much
of the image is missing (inpainting, demosaicking) more steps do better.

When not. No convergence is promised: the schedule ends after K steps, near no minimum in particular. ``pnp-admm`` goes
on to a fixed point, with weaker demands on the denoiser.

References.
K. Zhang, W. Zuo, S. Gu and L. Zhang, "Learning deep CNN denoiser prior for image restoration", CVPR 2017,
doi:10.1109/CVPR.2017.300.
K. Zhang, Y. Li, W. Zuo, L. Zhang, L. Van Gool and R. Timofte, "Plug-and-play image restoration with deep denoiser
prior", IEEE Transactions on Pattern Analysis and Machine Intelligence 44(10), 2022, doi:10.1109/TPAMI.2021.3088914.
D. Geman and C. Yang, "Nonlinear image recovery with half-quadratic regularization", IEEE Transactions on Image
Processing 4(7), 1995, doi:10.1109/83.392335.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.denoiser import Denoiser
from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import counting, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.plug_and_play import LEAST_SIGMA, annealed, half_quadratic_splitting
from restora.weights.denoiser import FFDNET_GRAY, ffdnet_for


@dataclass(frozen=True, slots=True)
class PnPHQS(Method):
    """Half-quadratic splitting with a denoiser.

    Attributes:
        denoiser: the prior. By name: a method that denoises (``bm3d``, ``tv`` …), or the name or path of weights of a
            network that takes the noise level. From Python: any function of (x, sigma).
        K: steps, >= 1.
        sigma_1: σ_1, the first level of the denoiser, > 0, on [0, 1].
        sigma_K: σ_K, the last one, > 0; None is σ of the measurement. Doubled, the result is smoother.
        lam: λ, weight of the prior, > 0. Doubled, the measurement counts for half.
    """

    spec: ClassVar[Spec] = Spec(
        name="pnp-hqs",
        tasks=("deblur", "super-resolve", "inpaint", "demosaick", "denoise"),
        solves=(Operator,),
        colour="native",
        paper='K. Zhang et al., "Learning deep CNN denoiser prior for image restoration", CVPR 2017',
        doi="10.1109/CVPR.2017.300",
        keeps_constants=False,
        weights=("ffdnet-gray", "ffdnet-colour"),
    )

    denoiser: Denoiser = FFDNET_GRAY
    K: Annotated[int, counting] = 8
    sigma_1: Annotated[float, positive] = 49 / 255
    sigma_K: Annotated[float | None, positive] = None
    lam: Annotated[float, positive] = 0.23

    @classmethod
    def for_problem(cls, problem: Problem) -> "PnPHQS":
        """FFDNet for gray or for colour, as x has one channel or three."""
        return cls(ffdnet_for(problem.channels))

    def solve(self, problem: Problem, context: Context) -> Result:
        """Restore. A row of ``stats`` a step: σ_k, ρ_k, and the root mean square of Hz − y."""
        last = self.sigma_K if self.sigma_K is not None else max(problem.sigma, LEAST_SIGMA)
        levels = annealed(self.sigma_1, last, self.K)
        z, stats = half_quadratic_splitting(
            problem, levels, self.lam, lambda x, sigma, k: self.denoiser(x, sigma), context.progress
        )
        return Result(z, Status.done(f"{self.K} steps with the denoiser {self.denoiser}"), stats=stats)
