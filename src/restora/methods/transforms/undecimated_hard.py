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

import math
from dataclasses import dataclass

import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Code, Result, Status
from restora.core.spec import Spec
from restora.frames.undecimated_wavelet import UndecimatedWavelet
from restora.frames.wavelet_filters import WaveletName
from restora.operators.boundaries import extend
from restora.operators.identity import Identity

SPEC = Spec(
    name="swt-hard",
    tasks=("denoise",),
    solves=(Identity,),
    colour="per-channel",
    paper=(
        "G. P. Nason, B. W. Silverman, The stationary wavelet transform and some statistical applications, "
        "Lecture Notes in Statistics 103, 1995"
    ),
    doi="10.1007/978-1-4612-2544-7_17",
    halo=lambda method: UndecimatedWavelet(method.wavelet, method.levels).reach,
    published=(
        "set12-gray-awgn-s15-noclip-seed0",
        "set12-gray-awgn-s25-noclip-seed0",
        "set12-gray-awgn-s50-noclip-seed0",
    ),
)

_MOST_LEVELS = 12


@dataclass(frozen=True, slots=True)
class UndecimatedHard:
    """Hard thresholds kσ/2^l on all shifts of a wavelet transform.

    Args:
        k: threshold in standard deviations of the noise, >= 0. Halved it leaves noise, doubled it blurs.
        wavelet: name of an orthonormal bank. Longer ones than Haar's ring less at smooth edges and more at sharp ones.
        levels: J, 1 … 12. Too few leave noise of low frequency; each further one doubles the reach.

    Raises:
        InvalidParameter: a parameter is outside its range.
        UnknownName: there is no such wavelet.
    """

    k: float = 3.0
    wavelet: WaveletName = "haar"
    levels: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.k < math.inf:
            raise InvalidParameter.outside("k", self.k, ">= 0 and finite")
        if not 1 <= self.levels <= _MOST_LEVELS:
            raise InvalidParameter.outside("levels", self.levels, f"1 … {_MOST_LEVELS}")
        UndecimatedWavelet(self.wavelet, self.levels)

    @classmethod
    def for_problem(cls, problem: Problem) -> "UndecimatedHard":
        return cls()

    def run(
        self, problem: Problem, *, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Result:
        if not isinstance(problem.H, Identity):
            raise CannotSolve(f"UndecimatedHard removes noise only: H must be Identity, not {type(problem.H).__name__}")
        y, sigma = problem.y, problem.sigma
        if sigma == 0:
            return Result(y.clone(), Status(Code.LEFT_ALONE, "left alone: there is no noise"))
        h, w = y.shape[-2:]
        frame = UndecimatedWavelet(self.wavelet, self.levels)
        (top, bottom), (left, right) = (_margins(n, frame.reach) for n in (h, w))
        extended = extend(y, (top, left), (bottom, right), "reflect")
        t = tuple(self.k * sigma * norms for norms in frame.norms((extended.shape[-2], extended.shape[-1]))[1:])
        x = frame.shrunk(extended, t, "hard")[..., top : top + h, left : left + w]
        sentence = f"{self.levels} levels of {self.wavelet}, all shifts, thresholds of {self.k:g} sigma"
        return Result(x.to(y.dtype), Status.done(sentence))


def _margins(n: int, reach: int) -> tuple[int, int]:
    """Samples to add before and after n, so that what the kernels reach is its mirror image though they wrap around.

    Signal and mirror image make a whole period: no more than n is ever needed.
    """
    return (reach, reach) if 2 * reach <= n else (0, n)
