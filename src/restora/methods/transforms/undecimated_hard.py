"""Hard thresholding of the undecimated wavelet transform: the same for every place of the grid.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself.

Model. The undecimated ("à trous") transform F holds the wavelet coefficients of all shifts of the image; scaled to
FᵀF = I it is a tight frame in which an image is sparse, and the noise of level l = 1, 2 … has the standard deviation
σ/2^l. To threshold it and come back by Fᵀ is cycle spinning over all shifts.

Algorithm.
1. y is extended by its mirror image (half-sample symmetric), as far as the kernels reach, or to one period of it.
2. θ = F y, J levels.
3. Details with |θ| <= kσ/2^l become zero. The approximation is kept.
4. x̂ = Fᵀθ, cropped.

Cost. O(N·L·J) for N pixels and kernels of L taps: 3J + 1 bands as large as the image. They never live at once: on the
CPU each level is made, shrunk and taken back row by row, beside J + 2 images.

Departures from the original. Nason and Silverman, and Coifman and Donoho, take the inverse that averages over shifts,
which is Fᵀ here, and the universal threshold, √(2 ln N)σ, about 4.7σ; k = 3 has the lower error on photographs, and so
has Haar's wavelet. They take the image as periodic.

References.
G. P. Nason, B. W. Silverman, "The stationary wavelet transform and some statistical applications", Lecture Notes in
Statistics 103, 1995, doi:10.1007/978-1-4612-2544-7_17.
R. R. Coifman, D. L. Donoho, "Translation-invariant de-noising", ibid., doi:10.1007/978-1-4612-2544-7_9.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import Interval, check_parameters, nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.frames.undecimated_wavelet import UndecimatedWavelet
from restora.frames.wavelet_filters import WaveletName
from restora.operators.boundaries import extend
from restora.operators.identity import Identity

_MOST_LEVELS = 12


@dataclass(frozen=True, slots=True)
class UndecimatedHard(Method):
    """Hard thresholds kσ/2^l on all shifts of a wavelet transform.

    Args:
        k: threshold in standard deviations of the noise, >= 0. Halved it leaves noise, doubled it blurs.
        wavelet: name of an orthonormal bank. Longer ones than Haar's ring less at smooth edges and more at sharp ones.
        levels: J, 1 … 12. Too few leave noise of low frequency; each further one doubles the reach.
    """

    spec: ClassVar[Spec] = Spec(
        name="swt-hard",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper=(
            "G. P. Nason, B. W. Silverman, The stationary wavelet transform and some statistical applications, LNS "
            "103, 1995"
        ),
        doi="10.1007/978-1-4612-2544-7_17",
        leaves_noiseless=True,
        halo=lambda method: UndecimatedWavelet(method.wavelet, method.levels).reach,
        published=awgn_protocols("set12-gray"),
    )

    k: Annotated[float, nonnegative] = 3.0
    wavelet: WaveletName = "haar"
    levels: Annotated[int, Interval(1, _MOST_LEVELS)] = 4

    def __post_init__(self) -> None:
        check_parameters(self)
        UndecimatedWavelet(self.wavelet, self.levels)

    def solve(self, problem: Problem, context: Context) -> Result:
        y, sigma = problem.y, problem.sigma
        h, w = y.shape[-2:]
        frame = UndecimatedWavelet(self.wavelet, self.levels)
        (top, bottom), (left, right) = (_margins(n, frame.reach) for n in (h, w))
        extended = extend(y, (top, left), (bottom, right), "reflect")
        t = tuple(self.k * sigma * norms for norms in frame.norms((extended.shape[-2], extended.shape[-1]))[1:])
        x = frame.shrunk(extended, t, "hard")[..., top : top + h, left : left + w]
        sentence = f"{self.levels} levels of {self.wavelet}, all shifts, thresholds of {self.k:g} sigma"
        return Result(x, Status.done(sentence))


def _margins(n: int, reach: int) -> tuple[int, int]:
    """Samples to add before and after n, so that what the kernels reach is its mirror image though they wrap around.

    Signal and mirror image make a whole period: no more than n is ever needed.
    """
    return (reach, reach) if 2 * reach <= n else (0, n)
