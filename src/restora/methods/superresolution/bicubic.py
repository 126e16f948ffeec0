"""Bicubic interpolation as MATLAB's imresize does it: the floor under every super-resolution table.

Problem. y = Hx, an image made smaller by the factor s; no noise.

Model. None of x but smoothness: through the samples of y runs the piecewise cubic of Keys with a = −1/2, which
reproduces quadratics. With u = (i + 1/2)/s − 1/2 the place of pixel i of x on the grid of y,

    x[i] = Σ_j k(u − j) y[j],   k(t) = 1.5|t|³ − 2.5|t|² + 1 for |t| <= 1,  −0.5|t|³ + 2.5|t|² − 4|t| + 2 for |t| <= 2,

and zero beyond; rows and columns alike.

Algorithm. ``imresize(y, s)``, borders half-sample symmetric; rows and columns beyond the size of x are cut off (they
appear where it was no multiple of s).

Cost. Four multiplications for each pixel along each axis.

Departures from the original. None. OpenCV's bicubic has a = −3/4 and does not antialias when it makes images smaller;
figures obtained with it are not comparable.

References.
R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE Transactions on Acoustics, Speech, and
Signal Processing 29(6), 1981, doi:10.1109/TASSP.1981.1163711.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, bicubic_protocols
from restora.operators.downsample import Downsample


@dataclass(frozen=True, slots=True)
class Bicubic(Method):
    """Bicubic interpolation; it has no parameters."""

    spec: ClassVar[Spec] = Spec(
        name="bicubic",
        tasks=("super-resolve",),
        solves=(Downsample,),
        colour="native",
        paper='R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 29(6), 1981',
        doi="10.1109/TASSP.1981.1163711",
        needs_sigma=False,
        halo=lambda method: 3,
        published=bicubic_protocols("set5", "set14"),
    )

    def solve(self, problem: Problem, context: Context) -> Result:
        height, width = problem.size
        return Result(problem.H.first_guess(problem.y), Status.done(f"interpolated to {width}x{height}"))
