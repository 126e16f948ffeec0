"""Total generalised variation: pieces that are smooth ramps, not stairs.

Problem. y = Hx + n with any linear H and white noise n, as for total variation; made for scenes of smooth shading.

Model. TGV² of Bredies, Kunisch and Pock, with H:

    minimise over x and v   ½‖Hx − y‖² + α₁ Σ_i |(Dx − v)_i| + α₀ Σ_i |(Ev)_i|,

D being the forward differences with the ``reflect`` border, v a field of slopes and E its symmetrised backward
differences. Where v = 0 is best this is total variation; where the image is a ramp, v follows its slope, and a constant
slope costs nothing. Each |·| runs over all channels: the colours share their edges.

Algorithm. Primal-dual hybrid gradient (Chambolle and Pock 2011, :mod:`restora.numerics.pdhg`) on (x, v), with dual p of
Dx − v, |p_i| <= α₁, and q of Ev, |q_i| <= α₀ (:mod:`restora.numerics.generalized_variation`). From x = Hᵀy, v = 0:
1. p ← P_{α₁}(p + σ(Dx̄ − v̄)),  q ← P_{α₀}(q + σEv̄).
2. x⁺ = x − τDᵀp, then its proximal step: towards y for H = Identity, argmin_u ½‖Hu − y‖² + ‖u − x⁺‖²/2τ for H with an
   exact one (circular Blur, BlurDecimate, Downsample, Mask, Mosaic). Any other H is dualised too, as in
   :mod:`restora.numerics.saddle`.  v⁺ = v + τ(p − Eᵀq).
3. x̄ = 2x⁺ − x, v̄ = 2v⁺ − v.
The relative change of x from one iteration to the next stops it. Steps: τσ = 1/12, as ‖(D −I; 0 E)‖² < 12;
τ = 0.02/α₁ where the data term is not dualised, 0.005/α₁ where it is.

Parameters. α₀ = 2α₁, as its authors take it; 1.5 to 3 times α₁ give the same PSNR within 0.03 dB. α₁ is the weight
λ(σ, H, channels) of total variation (:mod:`restora.numerics.variation_weight`): on ten training photographs (Train400)
0.8 and 0.9 times it are worse at every σ.

Cost. 100 to 300 iterations, each through memory about 30 images' worth; on a CPU, denoising does an iteration in two
passes. Memory: about 16 images.

Departures from the original. Differences across the border are left out of both terms, so that a ramp costs nothing
up to the border. The authors' tensor norm counts the mixed derivative twice, as here.

When not. Textures are flattened as by total variation; on scenes of flat pieces total variation is as good in a third
of the time.

References.
K. Bredies, K. Kunisch and T. Pock, "Total generalized variation", SIAM Journal on Imaging Sciences 3, 2010,
doi:10.1137/090769521.
F. Knoll, K. Bredies, T. Pock and R. Stollberger, "Second order total generalized variation (TGV) for MRI", Magnetic
Resonance in Medicine 65, 2011, doi:10.1002/mrm.22595 (the algorithm).
A. Chambolle and T. Pock, "A first-order primal-dual algorithm for convex problems with applications to imaging",
Journal of Mathematical Imaging and Vision 40, 2011, doi:10.1007/s10851-010-0251-1.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import counting, positive
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec
from restora.numerics import pdhg
from restora.numerics.generalized_variation import GeneralizedVariation
from restora.numerics.generalized_variation_cpu import denoising_step
from restora.numerics.iterate import Limits
from restora.numerics.saddle import LeastSquares, pose
from restora.numerics.total_variation import fuses
from restora.numerics.variation_weight import variation_weight, white_gain
from restora.operators.identity import Identity


@dataclass(frozen=True, slots=True)
class TotalGeneralizedVariation(Method):
    """TGV² for any H.

    Attributes:
        alpha1: α₁, weight of the slopes that v does not explain, > 0, for images on [0, 1]; the default suits denoising
            at σ = 25/255. Halved, noise remains; doubled, textures and small things go.
        alpha0: α₀, weight of the changes of slope, > 0. Large, the result is that of total variation with ramps of one
            slope; small, noise comes back as bent slopes.
        tolerance: relative change of x from one iteration to the next at which to stop, > 0.
        max_iterations: stop after so many in any case, >= 1.

    A row of ``stats`` every ten iterations: their number, the objective, and the error that is to fall.
    """

    spec: ClassVar[Spec] = Spec(
        name="tgv",
        tasks=("denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"),
        solves=(Operator,),
        colour="native",
        paper='K. Bredies, K. Kunisch and T. Pock, "Total generalized variation", 2010',
        doi="10.1137/090769521",
    )

    alpha1: Annotated[float, positive] = 0.07
    alpha0: Annotated[float, positive] = 0.14
    tolerance: Annotated[float, positive] = 1e-4
    max_iterations: Annotated[int, counting] = 500

    @classmethod
    def for_noise(cls, sigma: float, gain: float = 1.0, channels: int = 1) -> "TotalGeneralizedVariation":
        """α₁ and α₀ by the rule above; the arguments are those of :func:`variation_weight`."""
        alpha1 = variation_weight(sigma, gain, channels)
        return cls(alpha1, 2 * alpha1)

    @classmethod
    def for_problem(cls, problem: Problem) -> "TotalGeneralizedVariation":
        """α₁ and α₀ for the noise level and the H of the problem."""
        return cls.for_noise(problem.sigma, white_gain(problem), problem.channels)

    def solve(self, problem: Problem, context: Context) -> Result:
        y, H = problem.y, problem.H
        denoises = isinstance(H, Identity)
        if denoises and problem.noise.sigma == 0:
            return Result.left_alone(y, "there is no noise")
        limits = Limits(self.tolerance, self.max_iterations, progress=context.progress)
        regulariser = GeneralizedVariation(self.alpha1, self.alpha0)
        saddle, state = pose(
            regulariser, LeastSquares(y, H), H.adjoint(y), tau=0.02 / self.alpha1, tau_dualised=0.005 / self.alpha1
        )
        if not (denoises and fuses(y)):
            return pdhg.minimise(saddle, state, limits).result()
        state = replace(state, x_bar=state.x.clone())  # the fused step works in place
        return pdhg.minimise(saddle, state, limits, fused=partial(denoising_step, regulariser, y)).result()
