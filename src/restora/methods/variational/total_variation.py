"""Total variation: the image of least variation among those that explain the measurement, for any H.

Problem. y = Hx + n with any linear H and white noise n: denoising, deblurring (also where the blur varies over the
image), super-resolution, demosaicking, inpainting, and their compositions.

Model. Rudin, Osher and Fatemi's, with H:

    minimise  ½‖Hx − y‖² + λ TV(x),    TV(x) = Σ_i |(Dx)_i|,

D being the forward differences with the ``reflect`` border. |·| is the Euclidean norm over the two differences of *all*
channels: the colours share their edges (vectorial TV), without which edges get coloured fringes.

Algorithm. Primal-dual hybrid gradient (Chambolle and Pock 2011, :mod:`restora.numerics.pdhg`). p is the dual image of
Dx, projected on |p_i| <= λ; div = −Dᵀ. Which form it takes depends on H:
1. H = Identity. Algorithm 2 with γ = 1, as the data term is strongly convex: p ← P_λ(p + σD x̄),
   x ← (x + τ div p + τy)/(1 + τ). Returned is y + div p, which is nearer to the minimiser than x; with P and D the
   primal and the dual objective, ½‖x − x*‖² + ½‖y + div p − x*‖² <= P(x) − D(p). This duality gap, relative to P,
   stops it.
2. H with an exact proximal map (circular Blur, BlurDecimate, Downsample, Mask, Mosaic). Algorithm 1:
   x ← argmin_x ½‖Hx − y‖² + ‖x − (x_n + τ div p)‖²/2τ.
3. Any other H. Algorithm 1 with the data term dualised too: q ← (q + σ_q(Hx̄ − y))/(1 + σ_q),
   x ← x + τ(div p − Hᵀq). So each iteration costs one H and one Hᵀ, with no inner solver.
In 2 and 3 the relative change of x from one iteration to the next stops it. Steps: in units of the problem divided by
λ, so that they hold for every λ: τ = 0.1/λ in 1, 0.01/λ in 2 and 0.003/λ in 3, where Hx gets 9/10 of the dual step.

Parameters. λ follows from σ, which counts as at least that of rounding to 8 bits, 1/(255√12), and from what H lets
through, g = E‖Hz‖²/E‖z‖² for white z (1 for denoising, Σ psf² for a blur, the known share for a mask), and from the
number C of channels, whose edges coincide, so that TV grows as √C while the data term grows as C:

    λ = σ² · (√C · 7.1 (σ/s)^(−2/3))^g · 8^(1−g),    s = 25/255.

For denoising it is 0.7σ(σ/s)^(1/3), that is 0.6σ, 0.7σ and 0.9σ at σ = 15, 25 and 50 of 255, the weights of least error
on Set12 (a published measurement). Behind a strong blur 8σ² is near the best at every σ, on the six scenarios of the
deblurring literature. On training photographs (Train400, BSDS500 *train*) the rule is within 0.2 dB of the best λ.

Cost. Each iteration goes through memory about ten times, and applies H's proximal map, or H and Hᵀ. 50 to 130
iterations for denoising (the more the stronger the noise), 20 to 130 for blur, super-resolution and demosaicking, 150
to 400 for missing pixels without noise, 100 to 150 for case 3, which must also find ‖H‖. On a CPU, denoising runs
each iteration in one pass over memory.

Departures from the original. Rudin, Osher and Fatemi evolve a PDE to its steady state under a constraint on the
residual; here the equivalent penalised problem is solved to a known accuracy. Their constraint ‖Hx − y‖² = Nσ²
smooths more than the weight of least error that is used here.

When not. Textures are flattened, ramps become stairs, and contrast is lost by about λ times perimeter over area.

References.
L. I. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 60, 1992,
doi:10.1016/0167-2789(92)90242-F.
A. Chambolle and T. Pock, "A first-order primal-dual algorithm for convex problems with applications to imaging",
Journal of Mathematical Imaging and Vision 40, 2011, doi:10.1007/s10851-010-0251-1.
P. Blomgren and T. F. Chan, "Color TV: total variation methods for restoration of vector-valued images", IEEE
Transactions on Image Processing 7, 1998, doi:10.1109/83.661180.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.operator import Composition, Operator
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Result
from restora.core.spec import Spec
from restora.numerics import pdhg
from restora.numerics.total_variation import ascend, descend, fuses, rof_step, total_variation
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic
from restora.operators.unknown import UnknownBlur

SPEC = Spec(
    name="tv",
    tasks=("denoise", "deblur", "super-resolve", "inpaint", "deblock", "demosaick"),
    solves=(Operator,),
    colour="native",
    paper='L. I. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms", 1992',
    doi="10.1016/0167-2789(92)90242-F",
    published=(
        "set12-gray-awgn-s15-noclip-seed0",
        "set12-gray-awgn-s25-noclip-seed0",
        "set12-gray-awgn-s50-noclip-seed0",
    ),
)

_GRADIENT_NORM = math.sqrt(8)
"""A bound on ‖D‖ for images of any size."""

_DUAL_SHARES = (0.1, 0.9)
"""What D and H get of the dual step in case 3."""

_FINEST_SIGMA = 1 / (255 * math.sqrt(12))
"""σ of rounding to 8 bits: less noise than that is not believed."""


@dataclass(frozen=True, slots=True)
class TotalVariation:
    """Rudin, Osher and Fatemi's model for any H, solved by Chambolle and Pock's method.

    Attributes:
        lam: λ, weight of the total variation, > 0, for images on [0, 1]; the default suits denoising at σ = 25/255.
            Halved, noise remains; doubled, textures and small things go.
        tolerance: where to stop, > 0: the duality gap over the objective for H = Identity, else the relative change of
            x from one iteration to the next.
        max_iterations: stop after so many in any case, >= 1.
    """

    lam: float = 0.07
    tolerance: float = 1e-4
    max_iterations: int = 500

    def __post_init__(self) -> None:
        if not 0 < self.lam < math.inf:
            raise InvalidParameter.outside("lam", self.lam, "> 0")
        if not 0 < self.tolerance < math.inf:
            raise InvalidParameter.outside("tolerance", self.tolerance, "> 0")
        if self.max_iterations < 1:
            raise InvalidParameter.outside("max_iterations", self.max_iterations, ">= 1")

    @classmethod
    def for_noise(cls, sigma: float, gain: float = 1.0, channels: int = 1) -> "TotalVariation":
        """λ by the rule above.

        Args:
            sigma: standard deviation of the noise on [0, 1], >= 0.
            gain: g, the share of a white image's energy that H lets through, > 0; above 1 it counts as 1.
            channels: C, of the image.
        """
        if not 0 <= sigma < math.inf:
            raise InvalidParameter.outside("sigma", sigma, ">= 0")
        if not gain > 0:
            raise InvalidParameter.outside("gain", gain, "> 0")
        sigma, gain = max(sigma, _FINEST_SIGMA), min(gain, 1.0)
        seen = 7.1 * (sigma / (25 / 255)) ** (-2 / 3)
        return cls(lam=sigma**2 * (math.sqrt(channels) * seen) ** gain * 8 ** (1 - gain))

    @classmethod
    def for_problem(cls, problem: Problem) -> "TotalVariation":
        """λ for the noise level and the H of the problem."""
        _require_known(problem.H)
        return cls.for_noise(problem.sigma, _gain(problem), problem.H.input_channels(problem.y.shape[1]))

    def run(
        self, problem: Problem, *, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Result:
        """Minimise.

        A row of ``stats`` every ten iterations: their number, the objective, and the error that is to fall.

        Raises:
            CannotSolve: the blur is unknown.
        """
        y, H = problem.y, problem.H
        _require_known(H)
        y = y if y.dtype in (torch.float32, torch.float64) else y.float()
        saddle, state = self._posed(y, H)
        solution = pdhg.minimise(
            saddle,
            state,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            fused=saddle.fused_step if isinstance(saddle, _Denoising) and fuses(y) else None,
            progress=progress,
        )
        return Result(solution.x.to(problem.y.dtype), solution.status, stats=solution.stats)

    def _posed(self, y: Tensor, H: Operator) -> tuple[pdhg.Saddle, pdhg.State]:
        """The problem in the form for this H, and where to start."""
        x = y if isinstance(H, Identity) else H.adjoint(y)
        p = x.new_zeros(x.shape[0], 2, *x.shape[1:])
        if isinstance(H, Identity):
            tau = 0.1 / self.lam
            start = pdhg.start(x.clone(), (p,), tau, pdhg.steps(tau, (_GRADIENT_NORM,), (1.0,)))
            return _Denoising(y, self.lam), replace(start, x_bar=x.clone())
        if _has_exact_prox(H):
            tau = 0.01 / self.lam
            return _Proximal(y, H, self.lam), pdhg.start(x, (p,), tau, pdhg.steps(tau, (_GRADIENT_NORM,), (1.0,)))
        tau = 0.003 / self.lam
        norms = (_GRADIENT_NORM, _norm_bound(H, x))
        return _Dualised(y, H, self.lam), pdhg.start(
            x, (p, torch.zeros_like(y)), tau, pdhg.steps(tau, norms, _DUAL_SHARES)
        )


@dataclass(frozen=True, eq=False, slots=True)
class _Denoising:
    """Case 1: F = λ|·|, K = D, G(x) = ½‖x − y‖²."""

    y: Tensor
    lam: float
    gamma: float = 1.0

    def ascend(self, p: pdhg.Dual, x: Tensor, sigma: pdhg.Steps) -> pdhg.Dual:
        return (ascend(p[0], x, sigma[0], self.lam),)

    def descend(self, x: Tensor, p: pdhg.Dual, tau: float) -> Tensor:
        return torch.lerp(descend(x, p[0], tau), self.y, tau / (1 + tau))

    def measure(self, before: pdhg.State, after: pdhg.State) -> pdhg.Measure:
        """The gap P(x) − D(p) = ½‖x − u‖² + ⟨x, u − y⟩ + λ TV(x) with u = y + div p, over P(x)."""
        x, u = after.x, self.solution(after)
        variation = self.lam * total_variation(x)
        objective = 0.5 * _squared(x - self.y) + variation
        gap = 0.5 * _squared(x - u) + (x * (u - self.y)).sum(dim=(1, 2, 3), dtype=torch.float64) + variation
        return pdhg.Measure(objective, gap / objective.clamp_min(torch.finfo(x.dtype).tiny))

    def solution(self, state: pdhg.State) -> Tensor:
        return descend(self.y, state.p[0], 1.0)

    def fused_step(self, state: pdhg.State) -> pdhg.State:
        """:func:`restora.numerics.pdhg.step` for this problem, in the memory of the state."""
        (p,), (sigma,), tau = state.p, state.sigma, state.tau
        theta = 1 / math.sqrt(1 + 2 * self.gamma * tau)
        rof_step(p, state.x, state.x_bar, self.y, sigma=sigma, tau=tau, theta=theta, radius=self.lam)
        return replace(state, tau=theta * tau, sigma=(sigma / theta,))


@dataclass(frozen=True, eq=False, slots=True)
class _Proximal:
    """Case 2: F = λ|·|, K = D, G(x) = ½‖Hx − y‖²."""

    y: Tensor
    H: Operator
    lam: float
    gamma: float = 0.0

    def ascend(self, p: pdhg.Dual, x: Tensor, sigma: pdhg.Steps) -> pdhg.Dual:
        return (ascend(p[0], x, sigma[0], self.lam),)

    def descend(self, x: Tensor, p: pdhg.Dual, tau: float) -> Tensor:
        return self.H.prox(descend(x, p[0], tau), self.y, 1 / tau)

    def measure(self, before: pdhg.State, after: pdhg.State) -> pdhg.Measure:
        return pdhg.Measure(_objective(after.x, self.y, self.H, self.lam), _change(before.x, after.x))

    def solution(self, state: pdhg.State) -> Tensor:
        return state.x


@dataclass(frozen=True, eq=False, slots=True)
class _Dualised:
    """Case 3: F(d, z) = λ|d| + ½‖z − y‖², K = (D, H), G = 0. The dual is (p, q)."""

    y: Tensor
    H: Operator
    lam: float
    gamma: float = 0.0

    def ascend(self, p: pdhg.Dual, x: Tensor, sigma: pdhg.Steps) -> pdhg.Dual:
        q = (p[1] + sigma[1] * (self.H(x) - self.y)) / (1 + sigma[1])
        return (ascend(p[0], x, sigma[0], self.lam), q)

    def descend(self, x: Tensor, p: pdhg.Dual, tau: float) -> Tensor:
        return descend(x, p[0], tau) - tau * self.H.adjoint(p[1])

    def measure(self, before: pdhg.State, after: pdhg.State) -> pdhg.Measure:
        return pdhg.Measure(_objective(after.x, self.y, self.H, self.lam), _change(before.x, after.x))

    def solution(self, state: pdhg.State) -> Tensor:
        return state.x


def _require_known(H: Operator) -> None:
    if isinstance(H, UnknownBlur):
        raise CannotSolve("total variation needs to know H: estimate the blur first, or use a blind method")


def _has_exact_prox(H: Operator) -> bool:
    if isinstance(H, Blur):
        return H.boundary == "circular"
    return isinstance(H, BlurDecimate | Downsample | Mask | Mosaic)


def _norm_bound(H: Operator, x: Tensor) -> float:
    """‖H‖ or a little more; for a composition the product of the norms, which spares power iterations on the whole."""
    if isinstance(H, Composition):
        return _norm_bound(H.outer, H.inner(x)) * _norm_bound(H.inner, x)
    return 1.001 * H.norm((x.shape[-2], x.shape[-1]), x.shape[1])


def _gain(problem: Problem) -> float:
    """g = E‖Hz‖²/E‖z‖² for white z, from one draw."""
    H, y = problem.H, problem.y
    if isinstance(H, Identity):
        return 1.0
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1, H.input_channels(y.shape[1]), *problem.size, generator=generator).to(y)
    return float(H(z).square().sum() / z.square().sum())


def _objective(x: Tensor, y: Tensor, H: Operator, lam: float) -> Float[Tensor, " b"]:
    return 0.5 * _squared(H(x) - y) + lam * total_variation(x)


def _change(before: Tensor, after: Tensor) -> Float[Tensor, " b"]:
    """‖after − before‖/‖after‖ of each image."""
    size = _squared(after).clamp_min(torch.finfo(after.dtype).tiny)
    return (_squared(after - before) / size).sqrt()


def _squared(x: Tensor) -> Float[Tensor, " b"]:
    """‖x‖² of each image, summed in float64."""
    return x.square().sum(dim=(1, 2, 3), dtype=torch.float64)
