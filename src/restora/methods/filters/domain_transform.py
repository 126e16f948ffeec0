"""Domain transform: rows and columns are stretched where there are edges, filtered linearly, and shrunk again.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once. Also: smooth an image
of any size in a fixed time a pixel, with or without a guide g.

Model. A row of the image is a curve (u, g(u)). Along it, distances are measured by

    ct(u) = Σ_{v <= u} d(v),    d(v) = 1 + σ_s/σ_r Σ_channels |g(v) − g(v − 1)|.

A filter of fixed width σ_s in ct reaches far where g is flat and stops where it jumps. Two dimensions are done one
after the other, with widths that fall, so that stripes of one pass are smoothed by the next.

Algorithm. d is found along rows and columns, from g = y or the guide, once. Then for i = 1 … N:
1. σ_Hi = σ_s √3 2^{N−i}/√(4^N − 1); these add up to σ_s².
2. The rows, then the columns are filtered. In the form
   - RF, recursive filter: a = exp(−√2/σ_Hi); to the right x(u) ← x(u) + a^{d(u)}(x(u − 1) − x(u)), back to the left
     x(u) ← x(u) + a^{d(u+1)}(x(u + 1) − x(u));
   - NC, normalized convolution: the mean of the samples with |ct − ct(u)| <= r, r = √3 σ_Hi;
   - IC, interpolated convolution: the mean over that interval of the straight lines between the samples.

Parameters. σ_s = 2.6, 2.8, 2.9 pixels and σ_r = 4.3σ, 5σ, 9σ for 255σ = 15, 25, 50, interpolated between. They were
found for the form RF on 40 images of Train400 (``benchmarks/tune_filters.py``). To smooth: the paper's σ_s = 60, σ_r =
0.4.

Cost. O(N) for each pixel, whatever σ_s: RF two multiplications and additions a pass, NC and IC a merge of the samples
with the ends of their windows.

Departures from the original. None in the filter. The rule for σ is not in the paper.

When not. As a denoiser: the noise of y is taken for edges, and so much of it stays. A smoothed guide gains 1.3 dB: see
``domain-transform-joint``. NC and IC leave stripes along the axes where N is small.

References.
E. S. L. Gastal, M. M. Oliveira, "Domain transform for edge-aware image and video processing", ACM Transactions on
Graphics 30(4), 2011, doi:10.1145/2010324.1964964.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.smoothing.domain_transform import Form, domain_transform, reach
from restora.numerics.smoothing.guide import guide_for
from restora.operators.identity import Identity

_TABLE = {15: (2.6, 4.3), 25: (2.8, 5), 50: (2.9, 9)}
"""σ_s and σ_r/σ for each 255σ."""


@dataclass(frozen=True, eq=False, slots=True)
class DomainTransform(Method):
    """Edge-aware filtering in stretched coordinates.

    Args:
        sigma_s: σ_s in pixels, > 0. Doubled it smooths farther, in the same time.
        sigma_r: σ_r on [0, 1], >= 0; 0 leaves the image alone. Halved it leaves noise, doubled it blurs edges.
        iterations: N, >= 1. Fewer leave stripes; more than 3 change little.
        form: ``RF`` is the fastest; ``NC`` and ``IC`` have windows with ends, and want other σ_s, σ_r than the rule's.
        guide: the image that edges are taken from, (1 or b, d, h, w); None is y itself.
    """

    spec: ClassVar[Spec] = Spec(
        name="domain-transform",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper=(
            "E. S. L. Gastal, M. M. Oliveira, Domain transform for edge-aware image and video processing, ACM TOG "
            "30(4), 2011"
        ),
        doi="10.1145/2010324.1964964",
        # None with a guide, which cannot be cut into tiles.
        halo=lambda method: reach(method.form, method.sigma_s, method.iterations) if method.guide is None else None,
        published=awgn_protocols("set12-gray"),
    )

    sigma_s: Annotated[float, positive] = 2.0
    sigma_r: Annotated[float, nonnegative] = 0.6
    iterations: Annotated[int, counting] = 3
    form: Form = "RF"
    guide: Tensor | None = None

    @classmethod
    def for_noise(cls, sigma: float) -> "DomainTransform":
        """σ_s = 2.6, 2.8, 2.9 and σ_r = 4.3σ, 5σ, 9σ for 255σ = 15, 25, 50; interpolated, held outside."""
        sigma_s, times = interpolated(sigma, _TABLE)
        return cls(sigma_s, times * sigma)

    def solve(self, problem: Problem, context: Context) -> Result:
        y = problem.y
        guide = guide_for(y, self.guide)
        if self.sigma_r == 0:
            return Result.left_alone(y, "every difference is an edge")
        x = domain_transform(y, guide, self.sigma_s, self.sigma_r, self.iterations, self.form)
        return Result(x, Status.done(f"rows and columns filtered {self.iterations} times ({self.form})"))
