"""Edge-enhancing diffusion: noise at an edge is smoothed along it, not across.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once.

Model. Weickert's anisotropic diffusion with a tensor,

    ∂u/∂t = div(D(∇u_ς) ∇u),  u(0) = y,    u_ς = G_ς * u,

where D has the eigenvector v1 ∥ ∇u_ς with λ1 = g(|∇u_ς|) and v2 ⊥ ∇u_ς with λ2 = 1,

    g(s) = 1 for s = 0, else 1 − exp(−C/(s/λ)⁸),  C = 3.31488,

so that the flux across grows up to s = λ and falls beyond. Scalar diffusion leaves the noise on an edge; this does not.

Algorithm. ``cycles`` times, from u = y:
1. u_ς, its structure tensor J = ∇u_ς ∇u_ςᵀ (central differences, one-sided on the border), D from J.
2. With D frozen the time T/cycles is covered: by one explicit step if it is at most 1/4, else by fast explicit
   diffusion, whose n steps cover (n² + n)/12. Nothing flows through the border.

Parameters. λ is the contrast, after smoothing by ς, of the faintest edge to keep.

Cost. A cycle takes a Gaussian filter and two passes, a step one pass of nine neighbours.

Departures from the original. Colour: J is the mean over the channels, the paper's later sum divided by their number.
The stencil of central differences is preset, that of the published figures; it may overshoot a little, where the
paper's nonnegative one (stencil="nonnegative") does so less. The paper has no rule for noise: the table of
:meth:`EdgeEnhancingDiffusion.for_noise` was found on 40 images of Train400 (``benchmarks/tune_filters.py``).

When not. Texture finer than ς is taken for noise.

References.
J. Weickert, "Theoretical foundations of anisotropic diffusion in image processing", Computing, Supplement 11, 1996,
doi:10.1007/978-3-7091-6586-7_13.
J. Weickert, "Anisotropic Diffusion in Image Processing", Teubner, 1998.
S. Grewenig, J. Weickert, A. Bruhn, "From box filtering to fast explicit diffusion", DAGM 2010, LNCS 6376,
doi:10.1007/978-3-642-15986-2_54.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.diffusion.evolution import DiffusionTensors, evolution_reach, evolve
from restora.numerics.diffusion.structure_tensor import EdgeEnhancing
from restora.numerics.diffusion.tensor import DivergenceStencil
from restora.operators.identity import Identity

_TABLE = {15: (13, 3, 0.25), 25: (16, 5, 0.42), 50: (12, 15, 1.0)}
"""255λ, cycles of 0.2 of time, and ς for each 255σ."""


@dataclass(frozen=True, slots=True)
class EdgeEnhancingDiffusion(Method):
    """Diffusion along the edges, and everywhere where there are none.

    Args:
        contrast: λ of the model, > 0. Halved it leaves noise, doubled it blurs edges.
        pre_smoothing: ς, standard deviation in pixels of the Gaussian before the gradient, >= 0.
        time: T, > 0.
        cycles: how often D is found, >= 1.
        stencil: how div(D∇u) is discretised.
    """

    spec: ClassVar[Spec] = Spec(
        name="eed",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper=(
            "J. Weickert, Theoretical foundations of anisotropic diffusion in image processing, Computing, Supplement "
            "11, 1996"
        ),
        doi="10.1007/978-3-7091-6586-7_13",
        leaves_noiseless=True,
        halo=lambda method: evolution_reach(method.time, method.cycles, method.pre_smoothing),
        published=awgn_protocols("set12-gray"),
    )

    contrast: Annotated[float, positive] = 12 / 255
    pre_smoothing: Annotated[float, nonnegative] = 1.0
    time: Annotated[float, positive] = 0.6
    cycles: Annotated[int, counting] = 3
    stencil: DivergenceStencil = "central"

    @classmethod
    def for_noise(cls, sigma: float) -> "EdgeEnhancingDiffusion":
        """255λ = 13, 16, 12, ς = 0.25, 0.42, 1, and 3, 5, 15 cycles of 0.2 for 255σ = 15, 25, 50; interpolated."""
        contrast, cycles, pre_smoothing = interpolated(sigma, _TABLE)
        return cls(contrast / 255, pre_smoothing, 0.2 * round(cycles), round(cycles))

    def solve(self, problem: Problem, context: Context) -> Result:
        tensors = DiffusionTensors(EdgeEnhancing(self.contrast), self.pre_smoothing)
        x = evolve(problem.y, tensors, self.time, self.cycles, self.stencil, progress=context.progress)
        sentence = f"diffused for a time of {self.time:.3g} in {self.cycles} cycles, λ = {self.contrast:.3g}"
        return Result(x, Status.done(sentence))
