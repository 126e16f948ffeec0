"""Bilateral filter: each pixel becomes the mean of those that are near it and like it.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once.

Model. A mean over neighbours whose weights fall with the distance in the plane and with the difference in value:

    x̂(p) = Σ_q w(p, q) y(q) / Σ_q w(p, q),    w(p, q) = exp(−|p − q|²/2σ_s² − |g(p) − g(q)|²/2σ_r²).

Across an edge the difference is large and the weight small, so edges stay. g is the image y itself, or a guide (the
joint or cross form). It is one step of a robust estimate of x(p) with Welsch's error function.

Algorithm. For each offset δ in the window of radius R = ⌈truncate·σ_s⌉:
1. w = exp(−|δ|²/2σ_s² − |g − g(· + δ)|²/2σ_r²), the norm over the channels.
2. w·y(· + δ) is added to the numerator, w to the denominator.
Their quotient is x̂.

Parameters. σ_s = 1.25, 1.3, 1.7 pixels and σ_r = 2.5σ, 2.9σ, 4σ for 255σ = 15, 25, 50, interpolated: the stronger the
noise, the more a pixel's own noise spoils its comparisons. They were found on 40 images of Train400
(``benchmarks/tune_filters.py``).

Cost. O(N·R²) for N pixels; on the CPU the weight of two pixels is computed once. From σ_s = 4 on the bilateral grid is
faster.

Departures from the original. The paper measures colour differences in CIELab, here it is the Euclidean distance of the
channels as they are. The rule for σ is not in the paper.

When not. Above 255σ = 25, where the pixel in the centre is itself an outlier: non-local means compares patches.
Impulses stay: the median removes them.

References.
C. Tomasi, R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998, doi:10.1109/ICCV.1998.710815.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.smoothing.bilateral import Window, bilateral
from restora.numerics.smoothing.guide import guide_for
from restora.operators.identity import Identity

_TABLE = {15: (1.25, 2.5), 25: (1.3, 2.9), 50: (1.7, 4.0)}
"""255σ -> σ_s and σ_r/σ."""


@dataclass(frozen=True, eq=False, slots=True)
class Bilateral(Method):
    """The bilateral filter, exact.

    Args:
        sigma_s: σ_s in pixels, > 0. Doubled it smooths flat parts more and takes four times as long.
        sigma_r: σ_r on [0, 1], >= 0; 0 leaves the image alone. Halved it leaves noise, doubled it blurs edges.
        truncate: the window is cut at this many σ_s, > 0.
        window: ``disc`` or ``square``.
        guide: the image that the weights are found from, (1 or b, d, h, w), for the joint form; None is y itself.
    """

    spec: ClassVar[Spec] = Spec(
        name="bilateral",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="C. Tomasi, R. Manduchi, Bilateral filtering for gray and color images, ICCV 1998",
        doi="10.1109/ICCV.1998.710815",
        # None with a guide, which cannot be cut into tiles.
        halo=lambda method: method.radius if method.guide is None else None,
        published=awgn_protocols("set12-gray", "bsd68-gray"),
    )

    sigma_s: Annotated[float, positive] = 1.4
    sigma_r: Annotated[float, nonnegative] = 0.25
    truncate: Annotated[float, positive] = 3.0
    window: Window = "disc"
    guide: Tensor | None = None

    @property
    def radius(self) -> int:
        """R, of the window, in pixels."""
        return math.ceil(self.truncate * self.sigma_s)

    @classmethod
    def for_noise(cls, sigma: float) -> "Bilateral":
        """σ_s = 1.25, 1.3, 1.7 and σ_r = 2.5σ, 2.9σ, 4σ for 255σ = 15, 25, 50; interpolated, held outside."""
        sigma_s, times = interpolated(sigma, _TABLE)
        return cls(sigma_s=sigma_s, sigma_r=times * sigma)

    def solve(self, problem: Problem, context: Context) -> Result:
        y = problem.y
        guide = guide_for(y, self.guide)
        if self.sigma_r == 0:
            return Result.left_alone(y, "no other pixel is like enough")
        x = bilateral(y, guide, sigma_s=self.sigma_s, sigma_r=self.sigma_r, radius=self.radius, window=self.window)
        of = "" if self.guide is None else " of the guide"
        return Result(x, Status.done(f"averaged within {self.radius} pixels and about {self.sigma_r:.3g} in value{of}"))
