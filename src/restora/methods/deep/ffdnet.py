"""FFDNet – a fast network on the half grid, told the noise level.

Problem. y = x + n, n ~ N(0, σ²), σ ≤ 75/255 known.

Model. x̂ = F(y, σ): one network for all noise levels, learnt by least squares. σ enters as an image of its own, so that
what is smoothed away and what is kept is decided by it alone.

Algorithm.
1. An odd side of y is made even by repeating its last line.
2. The pixels of each block of 2×2 become four channels; a channel with the value σ is put behind them.
3. D convolutions 3×3 with ReLUs between: D = 15 of 64 channels (gray), D = 12 of 96 (colour); zeros beyond the border.
4. The 4 (or 12) channels that leave become blocks of 2×2 again.

Cost. 7.9 (gray) or 13.9 (colour) thousand million multiplications for 256×256, a quarter of DnCNN's. A pixel depends on
those within 2D + 1 of it.

When not. The noise is not white. Where σ is given too small, noise is left; where it is too large, texture is lost.

Departures from the original. The weights that come with restora are of its own recipes, with fewer images and hours
than the authors'. σ is one number for the image; the network could take one for each pixel. The variants for clipped
noise and for noise of any covariance over the colours (18 channels enter) are not here.

References.
K. Zhang, W. Zuo and L. Zhang, "FFDNet: toward a fast and flexible solution for CNN-based image denoising", IEEE
Transactions on Image Processing 27(9), 2018, doi:10.1109/TIP.2018.2839891.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.errors import CannotSolve
from restora.core.method import Context
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec, awgn_protocols
from restora.operators.identity import Identity
from restora.weights.network_method import NetworkMethod, reach_of

LARGEST_SIGMA = 75 / 255
"""The strongest noise in the training of the network."""


@dataclass(frozen=True, slots=True)
class FFDNet(NetworkMethod):
    """FFDNet with given weights; σ is that of the problem.

    Attributes:
        weights: a name of the store or the path of a file.
        precision: of the computation; ``auto`` is bfloat16 from σ = 25/255 on.
    """

    spec: ClassVar[Spec] = Spec(
        name="ffdnet",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper='K. Zhang, W. Zuo, L. Zhang, "FFDNet", IEEE TIP 27(9), 2018',
        doi="10.1109/TIP.2018.2839891",
        halo=reach_of,
        multiple_of=2,
        keeps_constants=False,
        weights=("ffdnet-gray", "ffdnet-colour"),
        published=awgn_protocols("set12-gray", "bsd68-gray", "cbsd68-rgb"),
    )
    architectures: ClassVar[tuple[str, ...]] = ("ffdnet",)

    weights: str = "ffdnet-gray"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The network for colour images where there are three channels, else the one for gray images."""
        return "ffdnet-colour" if problem.y.shape[1] == 3 else "ffdnet-gray"

    def solve(self, problem: Problem, context: Context) -> Result:
        """Denoise y, whose noise must be within what the network was trained for."""
        if problem.sigma > LARGEST_SIGMA + 1e-9:
            sigma = 255 * problem.sigma
            raise CannotSolve(f"ffdnet is made for sigma up to 75/255, not {sigma:.1f}/255: `bm3d` takes any")
        return NetworkMethod.solve(self, problem, context)
