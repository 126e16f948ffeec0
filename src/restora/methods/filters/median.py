"""Median filter: each pixel becomes the median of its window.

Problem. y = x with some pixels replaced by white or black ones (impulses, salt and pepper); or y = x + n, white noise n
of standard deviation σ. Gray, or every channel by itself.

Model. The median minimises Σ_q |x̂(p) − y(q)| over the window: a few values that are far off do not move it, wherever
they lie. Straight edges stay, corners and lines thinner than half the window go.

Algorithm. x̂(p) is the median of the side² pixels of the window around p; beyond the border the image is its mirror
image (half-sample symmetric). On the CPU
1. sides of 3 and 5 have sorting networks: columns are sorted, then rows of them; what cannot be the median is left out;
2. for larger sides the pixels are sorted once, and their ranks counted in a window that slides along the rows, on three
   levels of coarseness, so that a median is found by short searches.

Parameters. The side, by least squared error on six photographs of Train400: for a share d of impulses 3, 5, 7, 9 up to
d = 0.22, 0.4, 0.55, 0.65, then 11; for white noise 3, 5 up to 255σ = 30, 45, then 7; below 12 the image is left alone.

Cost. 15 comparisons a pixel for side 3, 70 for side 5, O(side + N^⅓) for larger ones and N pixels.

Departures from the original. Tukey smoothed series; images came later. The rules for the side are ours.

When not. For white noise: the bilateral filter and non-local means leave less error. Above d = 0.3 a filter that only
replaces what is black or white keeps more detail.

References.
J. W. Tukey, "Exploratory Data Analysis", Addison-Wesley, 1977.
T. S. Huang, G. J. Yang, G. Y. Tang, "A fast two-dimensional median filtering algorithm", IEEE Transactions on
Acoustics, Speech, and Signal Processing 27(1), 1979, doi:10.1109/TASSP.1979.1163188.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import odd
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import up_to
from restora.core.spec import Spec
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.numerics.smoothing.median import median
from restora.operators.identity import Identity

_GAUSSIAN = {12.0: 1, 30.0: 3, 45.0: 5, math.inf: 7}  # up to 255σ: side
_IMPULSES = {0.0: 1, 0.22: 3, 0.40: 5, 0.55: 7, 0.65: 9, math.inf: 11}  # up to the share of impulses: side


@dataclass(frozen=True, slots=True)
class Median(Method):
    """The median of square windows.

    Args:
        side: of the window in pixels, odd, >= 1; 1 leaves the image alone. Larger windows remove more impulses, and
            whatever is thinner than half of them.
    """

    spec: ClassVar[Spec] = Spec(
        name="median",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper=(
            "T. S. Huang, G. J. Yang, G. Y. Tang, A fast two-dimensional median filtering algorithm, IEEE TASSP "
            "27(1), 1979"
        ),
        doi="10.1109/TASSP.1979.1163188",
        halo=lambda method: method.side // 2,
    )

    side: Annotated[int, odd] = 3

    @classmethod
    def for_noise(cls, sigma: float) -> "Median":
        """Side 1, 3, 5, 7 for white noise up to 255σ = 12, 30, 45 and above."""
        return cls(up_to(255 * sigma, _GAUSSIAN))

    @classmethod
    def for_impulses(cls, amount: float) -> "Median":
        """Side 3, 5, 7, 9, 11 for a share of impulses up to 0.22, 0.4, 0.55, 0.65 and above."""
        return cls(up_to(amount, _IMPULSES))

    @classmethod
    def for_problem(cls, problem: Problem) -> "Median":
        if isinstance(problem.noise, SaltAndPepper):
            return cls.for_impulses(problem.noise.amount)
        return cls.for_noise(problem.sigma)

    def solve(self, problem: Problem, context: Context) -> Result:
        if self.side == 1:
            return Result.left_alone(problem.y, "the noise is less than the loss")
        return Result(median(problem.y, self.side), Status.done(f"medians of {self.side}x{self.side} pixels"))
