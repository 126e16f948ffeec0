"""Coherence-enhancing diffusion: lines grow together along their direction.

Problem. y = x + n where x consists of lines: fingerprints, fabric, wood, hair, brush strokes; interrupted by noise or
wear. Gray or colour, all channels at once.

Model. Weickert's anisotropic diffusion

    ∂u/∂t = div(D(J_ρ(∇u_ς)) ∇u),  u(0) = y,    u_ς = G_ς * u,    J_ρ = G_ρ * (∇u_ς ∇u_ςᵀ),

where D has the eigenvectors of the structure tensor J_ρ, whose eigenvalues are μ1 >= μ2, with the eigenvalues

    λ1 = α across,    λ2 = α + (1 − α) exp(−C/(μ1 − μ2)²) along the lines (α where μ1 = μ2).

(μ1 − μ2)² measures the coherence within ρ pixels: where there is a direction, the image flows along it, and hardly at
all elsewhere.

Algorithm. ``cycles`` times, from u = y:
1. u_ς; J by central differences, one-sided on the border; J_ρ; D from J_ρ.
2. With D frozen the time T/cycles is covered: by one explicit step if it is at most 1/4, else by fast explicit
   diffusion, whose n steps cover (n² + n)/12. Nothing flows through the border.

Parameters. α = 0.001, C = 1 on 0 … 255 (the fourth power of the field ``contrast``), ς = 0.5, ρ = 4, T = 20 are
customary for fingerprints: the defaults, not checked against the paper's text. ρ should be as large as the lines are
apart.

Cost. A cycle takes four Gaussian filters and two passes, a step one pass of nine neighbours.

Departures from the original. The method is meant to be looked at, not to lower an error, and with T = 20 it turns a
noisy photograph into brush strokes. :meth:`CoherenceEnhancingDiffusion.for_noise`, which the front door uses, therefore
asks for much less; its table has the least squared error on training photographs. Colour: J is the mean over the
channels. The stencil of central differences is preset, since D is far too anisotropic for the nonnegative one.

When not. It invents lines: in noise without any direction it finds some, the shorter ρ the more.

References.
J. Weickert, "Coherence-enhancing diffusion filtering", International Journal of Computer Vision 31, 1999,
doi:10.1023/A:1008009714131.
S. Grewenig, J. Weickert, A. Bruhn, "From box filtering to fast explicit diffusion", DAGM 2010, LNCS 6376,
doi:10.1007/978-3-642-15986-2_54.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import Interval, counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec
from restora.numerics.diffusion.evolution import DiffusionTensors, evolution_reach, evolve
from restora.numerics.diffusion.structure_tensor import CoherenceEnhancing
from restora.numerics.diffusion.tensor import DivergenceStencil
from restora.operators.identity import Identity

_TABLE = {15: (2, 0.75), 25: (2, 2), 50: (4, 8)}
"""ρ and T for each 255σ."""


@dataclass(frozen=True, slots=True)
class CoherenceEnhancingDiffusion(Method):
    """Diffusion along lines only.

    Args:
        time: T, > 0. Doubled, gaps twice as wide are closed.
        cycles: how often D is found, >= 1.
        pre_smoothing: ς, standard deviation in pixels of the Gaussian before the gradient, >= 0.
        rho: ρ, that of the Gaussian over the structure tensor, >= 0. Halved, lines bend and wriggle more.
        alpha: α, diffusion across the lines, in (0, 1).
        contrast: ⁴√C, the gradient in one direction from which on there is coherence, > 0.
        stencil: how div(D∇u) is discretised.
    """

    spec: ClassVar[Spec] = Spec(
        name="ced",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="J. Weickert, Coherence-enhancing diffusion filtering, IJCV 31, 1999",
        doi="10.1023/A:1008009714131",
        leaves_noiseless=True,
        halo=lambda method: evolution_reach(method.time, method.cycles, method.pre_smoothing, method.rho),
    )

    time: Annotated[float, positive] = 20.0
    cycles: Annotated[int, counting] = 20
    pre_smoothing: Annotated[float, nonnegative] = 0.5
    rho: Annotated[float, nonnegative] = 4.0
    alpha: Annotated[float, Interval(0, 1, has_low=False, has_high=False)] = 0.001
    contrast: Annotated[float, positive] = 1 / 255
    stencil: DivergenceStencil = "central"

    @classmethod
    def for_noise(cls, sigma: float) -> "CoherenceEnhancingDiffusion":
        """ρ = 2, 2, 4 and T = 0.75, 2, 8 for 255σ = 15, 25, 50, interpolated, held outside; a cycle a unit of time."""
        rho, time = interpolated(sigma, _TABLE)
        return cls(time, math.ceil(time), rho=rho)

    def solve(self, problem: Problem, context: Context) -> Result:
        tensors = DiffusionTensors(CoherenceEnhancing(self.alpha, self.contrast), self.pre_smoothing, self.rho)
        x = evolve(problem.y, tensors, self.time, self.cycles, self.stencil, progress=context.progress)
        sentence = f"diffused for a time of {self.time:.3g} in {self.cycles} cycles, ρ = {self.rho:.3g}"
        return Result(x, Status.done(sentence))
