"""Non-local means: every patch becomes the mean of the patches that resemble it.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once.

Model. Patches repeat. Let d²(P, Q) be the mean of (P − Q)² over the pixels and channels of two patches; noise adds 2σ²
to its expectation. So with

    w(P, Q) = exp(−max(d²(P, Q) − 2σ², 0)/h²)

patches that differ by noise only weigh about 1, others little, and a mean with these weights averages noise without
mixing what differs.

Algorithm (the patchwise one of the 2011 article). For each patch P of side ``patch``:
1. w(P, Q) is found for all other patches Q with centres in the ``window`` around that of P.
2. The patch itself gets the largest of these weights: w(P, P) = max w(P, Q).
3. P̂ = C⁻¹ Σ w(P, Q) Q, C = Σ w(P, Q), both over all Q and P itself.
A pixel of x̂ is the mean of the patch² estimates P̂ that cover it. The pixelwise algorithm of 2005 (``kind``) keeps only
the centre of each P̂: it is twice as fast, and 0.2 to 0.5 dB worse.

Cost. O(N·window²·patch) for N pixels: 441 or 1225 weights a pixel, of which the pixelwise kind finds half, as they are
symmetric. Beside the images, memory for one row of weights a thread; pixelwise, for two or three images.

Departures from the original. The article shrinks patches at the border of the image; here the image is extended by its
mirror image (half-sample symmetric) instead, so that all patches are alike and tiles equal the whole. Set12 gains 0.01
to 0.05 dB by it. Beyond 255σ = 100 the last row of its tables holds.

References.
A. Buades, B. Coll, J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005, doi:10.1109/CVPR.2005.38.
A. Buades, B. Coll, J.-M. Morel, "Non-local means denoising", Image Processing On Line 1, 2011,
doi:10.5201/ipol.2011.bcm_nlm.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from restora.core.method import Context, Method
from restora.core.parameters import odd, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import up_to
from restora.core.spec import Spec, awgn_protocols
from restora.operators.identity import Identity
from restora.patches import nonlocal_means as patchwise
from restora.patches import pixelwise_means as pixelwise

# Up to 255σ: (patch, window, h/σ), the tables of the IPOL article.
_GRAY = {15: (3, 21, 0.40), 30: (5, 21, 0.40), 45: (7, 35, 0.35), 75: (9, 35, 0.35), math.inf: (11, 35, 0.30)}
_COLOUR = {25: (3, 21, 0.55), 55: (5, 35, 0.40), math.inf: (7, 35, 0.35)}

Kind = Literal["patchwise", "pixelwise"]
"""``patchwise`` keeps whole estimated patches and averages them where they overlap; ``pixelwise`` their centres."""


@dataclass(frozen=True, slots=True)
class NonLocalMeans(Method):
    """Non-local means.

    Args:
        patch: side of a patch in pixels, odd, >= 1. Larger patches find fewer but surer matches.
        window: side of the search window in pixels, odd, >= 1; the time grows with its square.
        h_over_sigma: h/σ, the decay of the weights, > 0. Halved it leaves noise, doubled it blurs.
        kind: what is kept of an estimated patch. The pixelwise kind is best with an h/σ of about 0.6.
    """

    spec: ClassVar[Spec] = Spec(
        name="nlm",
        tasks=("denoise", "deblock"),
        solves=(Identity,),
        colour="native",
        paper="A. Buades, B. Coll, J.-M. Morel, Non-local means denoising, Image Processing On Line 1, 2011",
        doi="10.5201/ipol.2011.bcm_nlm",
        leaves_noiseless=True,
        halo=lambda method: (patchwise if method.kind == "patchwise" else pixelwise).reach(method.patch, method.window),
        published=awgn_protocols("set12-gray"),
    )

    patch: Annotated[int, odd] = 5
    window: Annotated[int, odd] = 21
    h_over_sigma: Annotated[float, positive] = 0.40
    kind: Kind = "patchwise"

    @classmethod
    def for_noise(cls, sigma: float, channels: int = 1) -> "NonLocalMeans":
        """The tables of the IPOL article for gray (one channel) and colour images."""
        return cls(*up_to(round(255 * sigma, 6), _GRAY if channels == 1 else _COLOUR))

    @classmethod
    def for_problem(cls, problem: Problem) -> "NonLocalMeans":
        return cls.for_noise(problem.sigma, problem.y.shape[1])

    def solve(self, problem: Problem, context: Context) -> Result:
        means = patchwise.nonlocal_means if self.kind == "patchwise" else pixelwise.pixelwise_means
        h = self.h_over_sigma * problem.sigma
        x = means(problem.y, sigma=problem.sigma, h=h, patch=self.patch, window=self.window)
        sentence = f"patches of {self.patch}x{self.patch} averaged within {self.window}x{self.window} pixels"
        return Result(x, Status.done(sentence))
