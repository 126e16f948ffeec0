"""Harmonic inpainting: the smoothest image that agrees with the known pixels.

Problem. y = known ⊙ x: some pixels are missing. Small gaps, scratches, scattered missing samples; the known pixels are
kept as they are, noise and all.

Model. u = y on the known pixels Ω, and on the missing ones Laplace's equation with the Neumann border:

    minimise  ‖Du‖²  with u = y on Ω,    that is  Σ_{j~i} (u_i − u_j) = 0  for i ∉ Ω,

so that each missing pixel is the mean of its two to four neighbours in the image, and no value appears outside the
range of the known ones. Channels do not act on each other.

Algorithm (:mod:`restora.operators.grid_laplacian`).
1. u = mean of the known pixels on the missing ones.
2. Conjugate gradients on the missing pixels, preconditioned by a multigrid V-cycle (2 × 2 blocks, two damped Jacobi
   sweeps before and after), until the residual is ``tolerance`` of the right-hand side.

Cost. O(N) an iteration, 4 to 10 iterations to 1e-5 whatever the size of the image and of the holes.

Departures from the original. None in the model; the means of computing are newer.

When not. Edges are blurred in a hole, and single samples stand out as spikes, since in two dimensions Laplace's
equation hardly feels points. On pictures with clean edges total variation is nearer to the truth while half of the
pixels are known.

References.
T. F. Chan and J. Shen, "Mathematical models for local nontexture inpaintings", SIAM Journal on Applied Mathematics
62, 2002, doi:10.1137/S0036139900368844 (harmonic inpainting and its error analysis).
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, cast

from restora.core.method import Context, Method
from restora.core.parameters import counting, positive
from restora.core.problem import Problem
from restora.core.result import Code, Result, Status
from restora.core.spec import Spec
from restora.operators.harmonic_fill import harmonic_fill
from restora.operators.mask import Mask


@dataclass(frozen=True, slots=True)
class HarmonicInpainting(Method):
    """Laplace's equation on the missing pixels.

    Attributes:
        tolerance: residual over right-hand side at which the solver stops, > 0.
        max_iterations: it stops after so many in any case, >= 1.
    """

    spec: ClassVar[Spec] = Spec(
        name="harmonic",
        tasks=("inpaint",),
        solves=(Mask,),
        colour="native",
        paper='T. F. Chan and J. Shen, "Mathematical models for local nontexture inpaintings", 2002',
        doi="10.1137/S0036139900368844",
        needs_sigma=False,
    )

    tolerance: Annotated[float, positive] = 1e-6
    max_iterations: Annotated[int, counting] = 100

    def solve(self, problem: Problem, context: Context) -> Result:
        """Fill the missing pixels. A channel without any known pixel becomes zero."""
        y, known = problem.y, cast(Mask, problem.H).known.to(problem.y)
        fill = harmonic_fill(y, known, tolerance=self.tolerance, max_iterations=self.max_iterations)
        context.progress(1, 1, f"{fill.iterations} iterations")
        if fill.iterations < self.max_iterations:
            status = Status(Code.CONVERGED, f"converged in {fill.iterations} iterations")
        else:
            status = Status(
                Code.ITERATION_LIMIT, f"stopped at a residual of {fill.residual:.1e}, short of {self.tolerance:.1e}"
            )
        return Result(fill.x, status)
