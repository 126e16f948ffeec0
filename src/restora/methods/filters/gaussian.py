"""Gaussian filter: the image convolved with a Gaussian, its width matched to the noise.

Problem. y = x + n, white noise n of standard deviation σ; any number of channels, the same kernel for each.

Model. x̂ = G_s * y with

    G_s(u) = exp(−|u|²/2s²)/(2πs²).

It is the solution of the heat equation ∂u/∂t = Δu, u(0) = y, at the time t = s²/2. Edges are smoothed as much as noise:
it is the baseline of all other methods.

Algorithm.
1. The one-dimensional kernel is sampled at the pixel centres −R … R, R = truncate·s rounded half up, and divided by its
   sum.
2. The columns, then the rows are convolved with it. Beyond its border the image is its mirror image (half-sample
   symmetric).
From s = 8 on, the two passes are done on the CPU by a recursion instead, whose cost does not depend on s (Deriche
1993).

Cost. O(N·R) for N pixels: 2(R + 1) multiplications a pixel. The recursion: about 60 a pixel.

Departures from the original. The recursion has a fitted kernel: the sum of its deviations from the Gaussian is 5.4e-4,
and so is, at worst, the change of an image in [0, 1]; on a noisy photograph it is 2e-4 at most and 2e-5 in the mean.
``form="direct"`` avoids it. For s < 0.5 the sampled kernel is not the discrete scale-space kernel. The rule
s(σ) comes from no paper: it is a fit to the scales of least squared error on twelve photographs.

References.
J. J. Koenderink, "The structure of images", Biological Cybernetics 50, 1984, doi:10.1007/BF00336961.
R. Deriche, "Recursively implementing the Gaussian and its derivatives", INRIA research report 1893, 1993.
A. P. Witkin, "Scale-space filtering", International Joint Conference on Artificial Intelligence, 1983.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from restora.core.backend import runs_on_cpu_kernels
from restora.core.errors import InvalidParameter
from restora.core.method import Context, Method
from restora.core.parameters import check_parameters, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.convolution import convolve_separable, gaussian_kernel, gaussian_radius
from restora.numerics.smoothing.recursive_gaussian import recursive_gaussian
from restora.operators.identity import Identity

Form = Literal["auto", "direct", "recursive"]

_RECURSIVE_FROM = 8.0  # pixels: from here the recursion is the faster one, whatever the image
_RECURSIVE_REACH = 7.0  # in s


@dataclass(frozen=True, slots=True)
class GaussianFilter(Method):
    """Convolution with a Gaussian of standard deviation ``s`` pixels.

    Args:
        s: standard deviation of the kernel in pixels, >= 0; 0 leaves the image alone. Halved it leaves noise, doubled
            it blurs.
        truncate: the kernel of the direct form is cut at this many s, > 0.
        form: ``direct`` sums, ``recursive`` recurs (on the CPU, without gradients, s >= 1), ``auto`` takes the faster.
    """

    spec: ClassVar[Spec] = Spec(
        name="gaussian",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="J. J. Koenderink, The structure of images, Biological Cybernetics 50, 1984",
        doi="10.1007/BF00336961",
        halo=lambda method: method.reach,
        published=awgn_protocols("set12-gray"),
    )

    s: Annotated[float, nonnegative] = 0.8
    truncate: Annotated[float, positive] = 4.0
    form: Form = "auto"

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.form == "recursive" and self.s < 1:
            raise InvalidParameter.outside("s", self.s, ">= 1 in the recursive form")

    @property
    def recurs(self) -> bool:
        """Whether the recursion is taken, where it can be."""
        return self.form == "recursive" or (self.form == "auto" and self.s >= _RECURSIVE_FROM)

    @property
    def reach(self) -> int:
        """Radius in pixels: of the direct kernel, or where that of the recursion has fallen to a sum of 5e-6."""
        return gaussian_radius(self.s, _RECURSIVE_REACH if self.recurs else self.truncate)

    @classmethod
    def for_noise(cls, sigma: float) -> "GaussianFilter":
        """s = 0.105·(255σ)^0.64: 0.59, 0.82, 1.28 pixels for 255σ = 15, 25, 50."""
        return cls(s=0.105 * (255 * sigma) ** 0.64)

    def solve(self, problem: Problem, context: Context) -> Result:
        y = problem.y
        if self.recurs and runs_on_cpu_kernels(y):
            x = recursive_gaussian(y, self.s)
        else:
            x = convolve_separable(y, gaussian_kernel(self.s, self.truncate), "reflect")
        return Result(x, Status.done(f"filtered with a Gaussian of {self.s:.3g} pixels"))
