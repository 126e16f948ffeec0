"""Total variation: the image of least variation among those that explain the measurement, for any H.

Problem. y = Hx + n with any linear H and white noise n: denoising, deblurring (also where the blur varies over the
image), super-resolution, demosaicking, inpainting, and their compositions.

Model. Rudin, Osher and Fatemi's, with H:

    minimise  ½‖Hx − y‖² + λ TV(x),    TV(x) = Σ_i |(Dx)_i|,

D being the forward differences with the ``reflect`` border. |·| is the Euclidean norm over the two differences of *all*
channels: the colours share their edges (vectorial TV), without which edges get coloured fringes.

Algorithm. ``solver`` names it; all find the same image. p is a dual image of Dx with |p_i| <= λ; div = −Dᵀ.
1. H = Identity (:mod:`restora.numerics.rof`): ``pdhg``, Chambolle and Pock's Algorithm 2; ``fista``, Beck and
   Teboulle's fast gradient projection on the dual; or ``chambolle``, his semi-implicit scheme of 2004. The duality gap,
   relative to the objective, stops each of them.
2. ``pdhg``, H with an exact proximal map (circular Blur, BlurDecimate, Downsample, Mask, Mosaic). Algorithm 1:
   p ← P_λ(p + σD x̄), x ← argmin_x ½‖Hx − y‖² + ‖x − (x_n + τ div p)‖²/2τ.
3. ``pdhg``, any other H. Algorithm 1 with the data term dualised too: q ← (q + σ_q(Hx̄ − y))/(1 + σ_q),
   x ← x + τ(div p − Hᵀq). So each iteration costs one H and one Hᵀ, with no inner solver.
4. ``fista``, any H: x ← the minimiser of ½‖u − v‖² + (λ/L)TV(u), v = z − Hᵀ(Hz − y)/L, L = ‖H‖², by ten steps of 1.
   that start from the p of the iteration before; then z is x moved on as FISTA does, without momentum where it points
   uphill.
In 2 to 4 the relative change of x from one iteration to the next stops it. Steps: in units of the problem divided by
λ, so that they hold for every λ: τ = 0.1/λ in 1, 0.01/λ in 2 and 0.003/λ in 3, where Hx gets 9/10 of the dual step.

Parameters. λ follows from σ, which counts as at least that of rounding to 8 bits, 1/(255√12), and from what H lets
through, g = E‖Hz‖²/E‖z‖² for white z (1 for denoising, Σ psf² for a blur, the known share for a mask), and from the
number C of channels, whose edges coincide, so that TV grows as √C while the data term grows as C:

    λ = σ² · (√C · 7.1 (σ/s)^(−2/3))^g · 8^(1−g),    s = 25/255.

For denoising it is 0.7σ(σ/s)^(1/3), that is 0.6σ, 0.7σ and 0.9σ at σ = 15, 25 and 50 of 255, the weights of least error
on Set12 (a published measurement). Behind a strong blur 8σ² is near the best at every σ, on the six scenarios of the
deblurring literature. On training photographs (Train400, BSDS500 *train*) the rule is within 0.2 dB of the best λ.

Cost. On a CPU, denoising runs each iteration in one pass over memory. At σ = 25/255, to a gap of 1e-4: 90 iterations
of ``pdhg``, 130 of ``fista``, 430 to 620 of ``chambolle``; the more the stronger the noise. Else an iteration goes
through memory about ten times, and applies H's proximal map, or H and Hᵀ: 20 to 130 for blur, super-resolution and
demosaicking, 150 to 400 for missing pixels without noise, 100 to 150 for case 3, which must also find ‖H‖, as case 4.

Departures from the original. Rudin, Osher and Fatemi evolve a PDE to its steady state under a constraint on the
residual; here the equivalent penalised problem is solved to a known accuracy. Their constraint ‖Hx − y‖² = Nσ²
smooths more than the weight of least error that is used here.

When not. Textures are flattened, ramps become stairs, and contrast is lost by about λ times perimeter over area.

References.
L. I. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 60, 1992,
doi:10.1016/0167-2789(92)90242-F.
A. Chambolle and T. Pock, "A first-order primal-dual algorithm for convex problems with applications to imaging",
Journal of Mathematical Imaging and Vision 40, 2011, doi:10.1007/s10851-010-0251-1.
A. Chambolle, "An algorithm for total variation minimization and applications", Journal of Mathematical Imaging and
Vision 20, 2004, doi:10.1023/B:JMIV.0000011325.36760.1e.
A. Beck and M. Teboulle, "Fast gradient-based algorithms for constrained total variation image denoising and deblurring
problems", IEEE Transactions on Image Processing 18, 2009, doi:10.1109/TIP.2009.2028250.
P. Blomgren and T. F. Chan, "Color TV: total variation methods for restoration of vector-valued images", IEEE
Transactions on Image Processing 7, 1998, doi:10.1109/83.661180.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import Tensor

from restora.core.errors import CannotSolve
from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import counting, positive
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec, awgn_protocols
from restora.numerics import pdhg, rof
from restora.numerics.iterate import Limits, Solution
from restora.numerics.saddle import LeastSquares, pose
from restora.numerics.sparse import ista
from restora.numerics.total_variation import VariationRegulariser, total_variation
from restora.numerics.variation_weight import variation_weight, white_gain
from restora.operators.identity import Identity

_INNER_ITERATIONS = 10
"""Steps towards the proximal map of TV in each step of FISTA."""


@dataclass(frozen=True, slots=True)
class TotalVariation(Method):
    """Rudin, Osher and Fatemi's model for any H.

    Attributes:
        lam: λ, weight of the total variation, > 0, for images on [0, 1]; the default suits denoising at σ = 25/255.
            Halved, noise remains; doubled, textures and small things go.
        tolerance: where to stop, > 0: the duality gap over the objective for H = Identity, else the relative change of
            x from one iteration to the next.
        max_iterations: stop after so many in any case, >= 1.
        solver: how to find the minimiser; ``chambolle`` is for H = Identity only.

    A row of ``stats`` every ten iterations: their number, the objective, and the error that is to fall.
    """

    spec: ClassVar[Spec] = Spec(
        name="tv",
        tasks=("denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"),
        solves=(Operator,),
        colour="native",
        paper='L. I. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms", 1992',
        doi="10.1016/0167-2789(92)90242-F",
        published=awgn_protocols("set12-gray"),
    )

    lam: Annotated[float, positive] = 0.07
    tolerance: Annotated[float, positive] = 1e-4
    max_iterations: Annotated[int, counting] = 500
    solver: rof.RofSolver = "pdhg"

    @classmethod
    def for_noise(cls, sigma: float, gain: float = 1.0, channels: int = 1) -> "TotalVariation":
        """λ by the rule above; the arguments are those of :func:`variation_weight`."""
        return cls(lam=variation_weight(sigma, gain, channels))

    @classmethod
    def for_problem(cls, problem: Problem) -> "TotalVariation":
        """λ for the noise level and the H of the problem."""
        return cls.for_noise(problem.sigma, white_gain(problem), problem.channels)

    def solve(self, problem: Problem, context: Context) -> Result:
        y, H = problem.y, problem.H
        limits = Limits(self.tolerance, self.max_iterations, progress=context.progress)
        if isinstance(H, Identity):
            return rof.minimise(y, self.lam, self.solver, limits).result()
        if self.solver == "chambolle":
            raise CannotSolve(
                f"Chambolle's scheme removes noise only; for {type(H).__name__} take solver pdhg or fista"
            )
        return (_by_pdhg if self.solver == "pdhg" else _by_fista)(y, H, self.lam, limits).result()


def _by_pdhg(y: Tensor, H: Operator, lam: float, limits: Limits) -> Solution:
    regulariser, fidelity = VariationRegulariser(lam), LeastSquares(y, H)
    saddle, state = pose(regulariser, fidelity, H.adjoint(y), tau=0.01 / lam, tau_dualised=0.003 / lam)
    return pdhg.minimise(saddle, state, limits)


def _by_fista(y: Tensor, H: Operator, lam: float, limits: Limits) -> Solution:
    x = H.adjoint(y)
    A = ista.LinearMap(H, H.adjoint, H.norm_bound((x.shape[-2], x.shape[-1]), x.shape[1]))
    penalty = _WarmVariation(lam, x.new_zeros(x.shape[0], 2, *x.shape[1:]))
    return ista.minimise(A, y, x, penalty, limits=limits)


@dataclass(eq=False, slots=True)
class _WarmVariation:
    """λTV as a penalty; its proximal map goes on from the p where the last one ended."""

    lam: float
    p: Tensor

    def prox(self, v: Tensor, tau: float) -> Tensor:
        u, self.p = rof.prox(v, tau * self.lam, self.p, _INNER_ITERATIONS)
        return u

    def value(self, x: Tensor) -> Tensor:
        return self.lam * total_variation(x)
