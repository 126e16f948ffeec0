"""Iterative back-projection: enlarge, measure what is still wrong at low resolution, put it back, repeat.

Problem. y = Hx, an image made smaller by the factor s; no noise.

Model. No prior: minimise ‖Hx − y‖² from x = bicubic(y). What H cannot see stays as bicubic interpolation left it, and
stopping early holds back what it hardly sees.

Algorithm. x = imresize(y, s); then, for t = 1 … T,
1. l = Hx;
2. e = y − l;
3. E = imresize(e, s), bicubic;
4. x ← x + E * p, with p = g²/Σg², g a 5×5 Gaussian of standard deviation 1, zeros beyond the border.

Cost. Two resizings and a 5×5 convolution of x in each of T steps.

Departures from the original. Irani and Peleg register several frames and choose p for their blur; this is the
single-image form with the kernel p that the sparse-coding literature runs after its methods (Yang et al. 2010). The
enlargement of step 3 is not the adjoint of H, so the residual need not fall in every step, though in practice it does.

References.
M. Irani and S. Peleg, "Improving resolution by image registration", CVGIP: Graphical Models and Image Processing 53(3),
1991, doi:10.1016/1049-9652(91)90045-L.
J. Yang, J. Wright, T. S. Huang and Y. Ma, "Image super-resolution via sparse representation", IEEE Transactions on
Image Processing 19(11), 2010, doi:10.1109/TIP.2010.2050625.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, bicubic_protocols
from restora.numerics.back_projection import back_projected
from restora.numerics.iterate import root_mean_square
from restora.operators.downsample import Downsample


@dataclass(frozen=True, slots=True)
class BackProjection(Method):
    """Iterative back-projection from bicubic interpolation.

    Attributes:
        T: steps, >= 0; 0 is bicubic interpolation.
    """

    spec: ClassVar[Spec] = Spec(
        name="back-projection",
        tasks=("super-resolve",),
        solves=(Downsample,),
        colour="native",
        paper='M. Irani and S. Peleg, "Improving resolution by image registration", CVGIP 53(3), 1991',
        doi="10.1016/1049-9652(91)90045-L",
        needs_sigma=False,
        # A step looks 2 pixels of y up, 2 down, and 2 of x, which are fewer than 2 of y, sideways.
        halo=lambda method: 3 + 6 * method.T,
        published=bicubic_protocols("set5", "set14"),
    )

    T: Annotated[int, nonnegative] = 20

    def solve(self, problem: Problem, context: Context) -> Result:
        """Enlarge y to the size of x. A row of ``stats`` a step: the root mean square of e before it."""
        H, y = problem.H, problem.y
        x, stats = H.first_guess(y), []
        for t in range(1, self.T + 1):
            x, e = back_projected(x, y, H)
            stats.append({"residual": root_mean_square(e)})
            context.progress(t, self.T, f"residual {stats[-1]['residual']:.2e}")
        return Result(x, Status.done(f"{self.T} steps"), stats=tuple(stats))
