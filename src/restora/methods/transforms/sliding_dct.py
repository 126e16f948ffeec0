"""Sliding DCT: noise removed in the cosine transform of every patch; twice, the second time by Wiener's rule.

Problem. y = x + n, white noise n of standard deviation σ; gray, or colour.

Model. A patch of a photograph has few cosine coefficients θ of weight, and noise has σ in each. What stands out of the
noise is kept. Every pixel lies in n² patches, whose estimates are averaged: so blocks leave no seams, and errors
cancel.

Algorithm.
1. Each patch of n x n pixels: θ = its orthonormal DCT-II; θ̂ = θ where |θ| >= λσ, else 0; the mean is kept. A pixel
   becomes the mean of all patches over it, with the weight 1/(number of coefficients kept).
2. With p the coefficients of this estimate, θ̂ = θ·p²/(p² + σ²) = gθ, with the weight 1/Σ g² (``wiener``).
Three channels are first taken to the orthonormal cosine transform across the colours (luminance, and two of
chrominance), in which noise is as white as before.

Parameters. λ = 3 and n = 8; n = 16 is better for strong texture.

Cost. 4n³ multiplications a pixel for the first pass, 6n³ for the second. Memory: five images.

Departures from the original. Weights: the article's are all equal, which is 0.1 dB less. The second pass and the
extension of the image by reflection (half-sample symmetric) are not in it.

References.
L. P. Yaroslavsky, K. O. Egiazarian, J. T. Astola, "Transform domain image restoration methods: review, comparison, and
interpretation", Proc. SPIE 4304, 2001, doi:10.1117/12.424970.
G. Yu, G. Sapiro, "DCT image denoising: a simple and effective image denoising algorithm", Image Processing On Line 1,
2011, doi:10.5201/ipol.2011.ys-dct.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import at_least, nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.colour import recombined
from restora.operators.identity import Identity
from restora.patches.block_transforms import block_transform
from restora.patches.sliding_dct import sliding_dct


@dataclass(frozen=True, slots=True)
class SlidingDCT(Method):
    """Shrinkage in the cosine transforms of all patches.

    Args:
        n: side of a patch in pixels, >= 2; the time grows with its cube.
        lam: λ, the threshold in σ, >= 0. Halved it leaves noise, doubled it blurs.
        wiener: whether to pass a second time, with the first estimate as pilot; it gains 0.4 dB.
    """

    spec: ClassVar[Spec] = Spec(
        name="sliding-dct",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="G. Yu, G. Sapiro, DCT image denoising: a simple and effective image denoising algorithm, IPOL 1, 2011",
        doi="10.5201/ipol.2011.ys-dct",
        leaves_noiseless=True,
        halo=lambda method: (2 if method.wiener else 1) * (method.n - 1),
        continuous=False,
        published=awgn_protocols("set12-gray", "bsd68-gray"),
    )

    n: Annotated[int, at_least(2)] = 8
    lam: Annotated[float, nonnegative] = 3.0
    wiener: bool = True

    def solve(self, problem: Problem, context: Context) -> Result:
        colours = block_transform("dct", 3).forward
        x = y = recombined(problem.y, colours)
        passes = 2 if self.wiener else 1
        context.progress(0, passes, "passes")
        for done in range(passes):
            x = sliding_dct(y, side=self.n, sigma=problem.sigma, threshold=self.lam, pilot=x if done else None)
            context.progress(done + 1, passes, "passes")
        sentence = f"cosine transforms of all patches of {self.n}x{self.n} pixels shrunk, in {passes} passes"
        return Result(recombined(x, colours.T), Status.done(sentence))
