"""Local Wiener filter: every pixel is drawn to the mean of its window, but for what the window varies beyond noise.

Problem. y = x + n, white noise n of standard deviation σ; any number of channels, each by itself.

Model. In a window around a pixel x has the mean μ and the variance v − σ², where v is the variance of y. The linear
estimate of least squared error is then

    x̂ = μ + max(v − σ², 0)/max(v, σ²)·(y − μ).

Algorithm.
1. μ and v: mean and variance of y over the window around each pixel.
2. x̂ as above.

Parameters. ``window``: 5 is right for 255σ up to about 30; larger ones remove more noise and leave a wider seam of it
along edges.

Cost. O(N·window) for N pixels, one sweep.

When not. It leaves noise along edges, where v is large: 1 to 2 dB below what comes after it.

Departures from the original. Beyond its border the image is its mirror image (half-sample symmetric); SciPy's
``signal.wiener`` takes zeros, which darkens the border.

References.
J.-S. Lee, "Digital image enhancement and noise filtering by use of local statistics", IEEE Transactions on Pattern
Analysis and Machine Intelligence 2(2), 1980, doi:10.1109/TPAMI.1980.4766994.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import Interval
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.smoothing.local_wiener import local_wiener
from restora.operators.identity import Identity


@dataclass(frozen=True, slots=True)
class LocalWiener(Method):
    """Lee's local linear filter.

    Args:
        window: side of the window in pixels, odd, >= 3. Larger ones smooth more, and blur fine texture.

    Raises:
        InvalidParameter: the side is even or below 3.
    """

    spec: ClassVar[Spec] = Spec(
        name="local-wiener",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper=(
            "J.-S. Lee, Digital image enhancement and noise filtering by use of local statistics, IEEE TPAMI 2(2), 1980"
        ),
        doi="10.1109/TPAMI.1980.4766994",
        leaves_noiseless=True,
        halo=lambda method: method.window // 2,
        published=awgn_protocols("set12-gray"),
    )

    window: Annotated[int, Interval(3, odd=True)] = 5

    def solve(self, problem: Problem, context: Context) -> Result:
        y, sigma = problem.y, problem.sigma
        x = local_wiener(y, sigma=sigma, window=self.window)
        return Result(x, Status.done(f"drawn to the means of windows of {self.window}x{self.window}"))
