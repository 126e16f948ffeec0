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

import math
from dataclasses import dataclass

import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Code, Result, Status
from restora.core.spec import Spec
from restora.operators.harmonic_fill import harmonic_fill
from restora.operators.mask import Mask

SPEC = Spec(
    name="harmonic",
    tasks=("inpaint",),
    solves=(Mask,),
    colour="native",
    paper='T. F. Chan and J. Shen, "Mathematical models for local nontexture inpaintings", 2002',
    doi="10.1137/S0036139900368844",
    needs_sigma=False,
)


@dataclass(frozen=True, slots=True)
class HarmonicInpainting:
    """Laplace's equation on the missing pixels.

    Attributes:
        tolerance: residual over right-hand side at which the solver stops, > 0.
        max_iterations: it stops after so many in any case, >= 1.
    """

    tolerance: float = 1e-6
    max_iterations: int = 100

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < math.inf:
            raise InvalidParameter.outside("tolerance", self.tolerance, "> 0")
        if self.max_iterations < 1:
            raise InvalidParameter.outside("max_iterations", self.max_iterations, ">= 1")

    @classmethod
    def for_problem(cls, problem: Problem) -> "HarmonicInpainting":
        """The defaults: there is nothing to choose."""
        return cls()

    def run(
        self, problem: Problem, *, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Result:
        """Fill the missing pixels. A channel without any known pixel becomes zero.

        Raises:
            CannotSolve: H is not a Mask.
        """
        H = problem.H
        if not isinstance(H, Mask):
            raise CannotSolve(f"harmonic inpainting fills the holes of a Mask; it does not solve {type(H).__name__}")
        y = problem.y if problem.y.dtype == torch.float64 else problem.y.float()
        fill = harmonic_fill(y, H.known.to(y), tolerance=self.tolerance, max_iterations=self.max_iterations)
        (progress or silent)(1, 1, f"{fill.iterations} iterations")
        if fill.iterations < self.max_iterations:
            status = Status(Code.CONVERGED, f"converged in {fill.iterations} iterations")
        else:
            status = Status(
                Code.ITERATION_LIMIT, f"stopped at a residual of {fill.residual:.1e}, short of {self.tolerance:.1e}"
            )
        return Result(fill.x.to(problem.y.dtype), status)
