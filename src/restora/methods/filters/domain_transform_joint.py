"""Joint domain transform: the domain transform of the noisy image, guided by that image smoothed by a Gaussian.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once.

Model. The domain transform filters the rows and columns of y linearly in the coordinate

    ct(u) = Σ_{v <= u} d(v),    d(v) = 1 + σ_s/σ_r Σ_channels |g(v) − g(v − 1)|.

With g = y the noise itself stretches the coordinate, and so much that little is averaged. A Gaussian filter lowers the
noise of g to a fraction and leaves strong edges in their places:

    g = G_ς * y.

Algorithm.
1. g by convolution with a Gaussian of ς pixels, half-sample symmetric border.
2. y by the domain transform with the guide g: N iterations over rows and columns, recursive filters of the widths
   σ_Hi = σ_s √3 2^{N−i}/√(4^N − 1).

Parameters. (σ_s, σ_r, ς) = (5.1, 1.2σ, 0.7), (8.5, σ, 0.8), (16, 0.6σ, 1.2) for 255σ = 15, 25, 50, interpolated
between. They were found on 40 images of Train400 (``benchmarks/tune_filters.py``).

Cost. O(N) for each pixel, whatever σ_s, and a small convolution.

Departures from the original. The paper filters jointly with a guide, for photographs with and without flash; to make
the guide of the noisy image itself is a step of its own, and so is the rule for σ. It gains 0.8, 1.3 and 1.3 dB on
Set12.

References.
E. S. L. Gastal, M. M. Oliveira, "Domain transform for edge-aware image and video processing", ACM Transactions on
Graphics 30(4), 2011, doi:10.1145/2010324.1964964.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.convolution import convolve_separable, gaussian_kernel, gaussian_radius
from restora.numerics.smoothing.domain_transform import Form, domain_transform, reach
from restora.operators.identity import Identity

_TABLE = {15: (5.1, 1.2, 0.7), 25: (8.5, 1, 0.8), 50: (16, 0.6, 1.2)}
"""σ_s, σ_r/σ and ς for each 255σ."""


@dataclass(frozen=True, slots=True)
class JointDomainTransform(Method):
    """The domain transform guided by the smoothed image.

    Args:
        sigma_s: σ_s in pixels, > 0. Doubled it smooths farther, in the same time.
        sigma_r: σ_r on [0, 1], >= 0; 0 leaves the image alone. Halved it leaves noise, doubled it blurs edges.
        presmoothing: ς in pixels, >= 0; 0 is the self-guided filter. Too large a one blurs fine lines.
        iterations: N, >= 1.
        form: the linear filter, as in the paper.
    """

    spec: ClassVar[Spec] = Spec(
        name="domain-transform-joint",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper=(
            "E. S. L. Gastal, M. M. Oliveira, Domain transform for edge-aware image and video processing, ACM TOG "
            "30(4), 2011"
        ),
        doi="10.1145/2010324.1964964",
        halo=lambda method: (
            reach(method.form, method.sigma_s, method.iterations) + gaussian_radius(method.presmoothing)
        ),
        published=awgn_protocols("set12-gray"),
    )

    sigma_s: Annotated[float, positive] = 8.0
    sigma_r: Annotated[float, nonnegative] = 0.1
    presmoothing: Annotated[float, nonnegative] = 0.8
    iterations: Annotated[int, counting] = 3
    form: Form = "RF"

    @classmethod
    def for_noise(cls, sigma: float) -> "JointDomainTransform":
        """(σ_s, σ_r, ς) = (5.1, 1.2σ, 0.7), (8.5, σ, 0.8), (16, 0.6σ, 1.2) for 255σ = 15, 25, 50; interpolated."""
        sigma_s, times, presmoothing = interpolated(sigma, _TABLE)
        return cls(sigma_s, times * sigma, presmoothing)

    def solve(self, problem: Problem, context: Context) -> Result:
        y = problem.y
        if self.sigma_r == 0:
            return Result.left_alone(y, "every difference is an edge")
        guide = convolve_separable(y, gaussian_kernel(self.presmoothing), "reflect")
        x = domain_transform(y, guide, self.sigma_s, self.sigma_r, self.iterations, self.form)
        sentence = f"rows and columns filtered {self.iterations} times, guided by a Gaussian filter's result"
        return Result(x, Status.done(sentence))
