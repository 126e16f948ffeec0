"""TV-L1: the image of least variation that differs from the measurement in few pixels.

Problem. y = Hx with some pixels replaced by anything at all: salt-and-pepper noise, dead and hot pixels, dust; any
linear H.

Model. Least absolute deviations with total variation (Nikolova; Chan and Esedoḡlu):

    minimise  TV(x) + μ‖Hx − y‖₁,    TV(x) = Σ_i |(Dx)_i|,

D being the forward differences with the ``reflect`` border, |·| over the two differences of all channels. A pixel that
is wrong costs its distance only, not the square of it, so that outliers are given up and the other pixels are met
exactly. It keeps contrast: for H = Identity a disc of radius r stays as it is while μ > 2/r, and is gone below.

Algorithm. Chambolle and Pock's Algorithm 1 (:mod:`restora.numerics.pdhg`) from x = Hᵀy; p is the dual image of Dx:
1. p ← the projection of p + σDx̄ on |p_i| <= 1.
2. H = Identity or Mask: v = x + τ div p, and x⁺ = v moved towards y by τμ at most. Any other H: q ← q + σ_q(Hx̄ − y)
   cut to [−μ, μ], x⁺ = x + τ(div p − Hᵀq).
3. x̄ = 2x⁺ − x.
The relative change of x from one iteration to the next stops it. τ = 0.03, or 0.01 where q is there; τσ‖D‖² = 1, and
else D has a tenth and H nine tenths of the dual step.

Parameters. μ in units of 1/pixel. For salt-and-pepper noise of amount d: μ = 0.93 √C d^(−0.29), C the number of
channels, within 0.15 dB of the best on ten training photographs (Train400) for d from 0.05 to 0.5. For Gaussian noise,
which the model is not made for, μ is 1.2 times that whose fidelity is as steep as that of total variation's weight λ(σ,
H, C) (:mod:`restora.numerics.variation_weight`) one mean deviation √(2/π)σ away: μ = 1.2 √(2/π)σ/λ, found likewise.

Cost. 100 to 400 iterations, each through memory about ten times.

Departures from the original. None in the model; Chan and Esedoḡlu descend a smoothed energy.

When not. For Gaussian noise total variation is better by one to two decibels and converges faster. The minimiser need
not be unique: textures of the size of 1/μ may stay or go.

References.
M. Nikolova, "A variational approach to remove outliers and impulse noise", Journal of Mathematical Imaging and Vision
20, 2004, doi:10.1023/B:JMIV.0000011326.88682.e5.
T. F. Chan and S. Esedoḡlu, "Aspects of total variation regularized L1 function approximation", SIAM Journal on Applied
Mathematics 65, 2005, doi:10.1137/040604297.
A. Chambolle and T. Pock, "A first-order primal-dual algorithm for convex problems with applications to imaging",
Journal of Mathematical Imaging and Vision 40, 2011, doi:10.1007/s10851-010-0251-1.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import Interval, check_number, counting, positive
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.numerics import pdhg
from restora.numerics.iterate import Limits
from restora.numerics.saddle import LeastDeviations, pose
from restora.numerics.total_variation import VariationRegulariser
from restora.numerics.variation_weight import FINEST_SIGMA, variation_weight, white_gain


@dataclass(frozen=True, slots=True)
class TVL1(Method):
    """Total variation with least absolute deviations, for any H.

    Attributes:
        mu: μ, weight of the deviations, > 0. Halved, details of twice the size go; doubled, outliers that touch each
            other stay.
        tolerance: relative change of x from one iteration to the next at which to stop, > 0.
        max_iterations: stop after so many in any case, >= 1.

    A row of ``stats`` every ten iterations: their number, the objective, and the error that is to fall.
    """

    spec: ClassVar[Spec] = Spec(
        name="tv-l1",
        tasks=("denoise", "deblur", "super-resolve", "inpaint"),
        solves=(Operator,),
        colour="native",
        paper='T. F. Chan and S. Esedoglu, "Aspects of total variation regularized L1 function approximation", 2005',
        doi="10.1137/040604297",
    )

    mu: Annotated[float, positive] = 1.2
    tolerance: Annotated[float, positive] = 1e-4
    max_iterations: Annotated[int, counting] = 500

    @classmethod
    def for_noise(cls, sigma: float, gain: float = 1.0, channels: int = 1) -> "TVL1":
        """μ by the rule above for Gaussian noise; the arguments are those of :func:`variation_weight`."""
        return cls(1.2 * math.sqrt(2 / math.pi) * max(sigma, FINEST_SIGMA) / variation_weight(sigma, gain, channels))

    @classmethod
    def for_impulses(cls, amount: float, channels: int = 1) -> "TVL1":
        """μ by the rule above for a share ``amount`` in [0, 1] of pixels replaced."""
        check_number("amount", amount, Interval(0, 1))
        return cls(0.93 * math.sqrt(channels) * max(amount, 1e-3) ** -0.29)

    @classmethod
    def for_problem(cls, problem: Problem) -> "TVL1":
        """μ for the noise and the H of the problem."""
        if isinstance(problem.noise, SaltAndPepper):
            return cls.for_impulses(problem.noise.amount, problem.channels)
        return cls.for_noise(problem.sigma, white_gain(problem), problem.channels)

    def solve(self, problem: Problem, context: Context) -> Result:
        fidelity, start = LeastDeviations(problem.y, problem.H, self.mu), problem.H.adjoint(problem.y)
        saddle, state = pose(VariationRegulariser(1.0), fidelity, start, tau=0.03, tau_dualised=0.01)
        limits = Limits(self.tolerance, self.max_iterations, progress=context.progress)
        return pdhg.minimise(saddle, state, limits).result()
