"""Curvelet shrinkage: hard thresholds on the coefficients of a tight frame of needles.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself.

Model. Where a picture is smooth but for edges along curves, the m largest curvelet coefficients leave an error of about
m⁻², against m⁻¹ for wavelets: a needle as long as the square root of its width follows an edge where wavelets must cut
it into squares. White noise spreads over all coefficients, with a standard deviation of σ times the norm of the
curvelet.

Algorithm.
1. c = W y, the discrete curvelet transform by wrapping, of J scales.
2. Real and imaginary parts of a coefficient each become 0 where they are at most kσ times the norm of their row of W.
   The coarsest scale is kept.
3. x̂ = Wᵀc.
With ``spins`` > 1 the mean of this over the spins² shifts {0 … spins − 1}² is taken (cycle spinning).

Parameters. k = 3. ``angles`` of 16 suits textures of long parallel lines, 8 photographs. ``finest="wavelets"`` needs
fewer coefficients, and loses about 1 dB: edges live at the finest scale.

Cost. O(N log N), two Fourier transforms of the image and about 40 small ones each way.

Departures from the original. The image is extended by 16 pixels or more of its mirror image (half-sample symmetric), as
the transform is periodic; this gains 0.15 to 0.35 dB. The article (2002) uses the first curvelet transform, ridgelets
of bands; this is the second (2006). It raises k to 4 at the finest scale; here k is the same at all. J is at most log₂
of the shorter side of the extended image, minus 1.

When not. Textures without direction, and pictures whose edges are all horizontal or vertical, are served as well by
wavelets. At sharp isolated points thresholded needles leave faint streaks.

References.
J.-L. Starck, E. J. Candès, D. L. Donoho, "The curvelet transform for image denoising", IEEE Transactions on Image
Processing 11(6), 2002, doi:10.1109/TIP.2002.1014998.
E. J. Candès, L. Demanet, D. L. Donoho, L. Ying, "Fast discrete curvelet transforms", Multiscale Modeling and Simulation
5(3), 2006, doi:10.1137/05064182X.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from jaxtyping import Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import at_least, check_parameters, counting, nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.frames.curvelet import CurveletTransform
from restora.frames.curvelet_windows import Finest
from restora.frames.cycle_spinning import cycle_spun
from restora.operators.boundaries import extend
from restora.operators.fourier import fast_length
from restora.operators.identity import Identity

_MARGIN = 16


@dataclass(frozen=True, slots=True)
class CurveletShrinkage(Method):
    """Hard thresholds of k standard deviations of the noise on curvelet coefficients.

    Args:
        k: threshold over the standard deviation of the noise in a coefficient, >= 0. Halved it leaves noise, doubled
            it removes faint edges.
        scales: J, >= 2; fewer are taken on small images.
        angles: wedges of the coarsest scale that has any, a multiple of 4, >= 8.
        finest: what the finest scale is made of, ``curvelets`` or ``wavelets``.
        spins: cycle spinning over spins² shifts, >= 1; 1 is the paper's method.
    """

    spec: ClassVar[Spec] = Spec(
        name="curvelets",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper=(
            "J.-L. Starck, E. J. Candès, D. L. Donoho, The curvelet transform for image denoising, IEEE TIP 11(6), 2002"
        ),
        doi="10.1109/TIP.2002.1014998",
        leaves_noiseless=True,
        published=awgn_protocols("set12-gray"),
    )

    k: Annotated[float, nonnegative] = 3.0
    scales: Annotated[int, at_least(2)] = 5
    angles: Annotated[int, at_least(8)] = 8
    finest: Finest = "curvelets"
    spins: Annotated[int, counting] = 1

    def __post_init__(self) -> None:
        check_parameters(self)
        CurveletTransform(self.scales, self.angles, self.finest)

    def solve(self, problem: Problem, context: Context) -> Result:
        y, sigma = problem.y, problem.sigma
        h, w = y.shape[-2:]
        # Where sides are odd all curvelets of a window have the same norm.
        beyond = _after(h), _after(w)
        extended = extend(y, (_MARGIN, _MARGIN), beyond, "reflect")
        scales = min(self.scales, min(extended.shape[-2:]).bit_length() - 2)
        frame = CurveletTransform(scales, self.angles, self.finest)

        def shrunk(y: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
            return frame.thresholded(y, self.k * sigma)

        x = cycle_spun(extended, shrunk, self.spins, "periodic", context.progress)
        x = x[..., _MARGIN : _MARGIN + h, _MARGIN : _MARGIN + w]
        return Result(x, Status.done(f"{scales} scales of curvelets thresholded"))


def _after(n: int) -> int:
    """Pixels beyond the end of a side of n, at least the margin, for an odd length with a fast Fourier transform."""
    return fast_length(n + 2 * _MARGIN, (3, 5, 7, 11, 13)) - n - _MARGIN
