"""BM3D: similar blocks are stacked, and noise is removed where the stack is sparse.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself. Colour: ``cbm3d``.

Model. Blocks of a photograph repeat. Stacked, similar blocks are sparse in a three-dimensional transform: along the
blocks by the smoothness of the image, across the stack by their likeness. White noise stays white under an orthonormal
transform; so coefficients that stand out of the noise are signal, of all blocks of the stack at once.

Algorithm.
1. Basic estimate. For each block of N1 x N1 pixels on a grid of ``step`` pixels: its group are the N2 blocks of least
   mean squared difference d in an NS x NS window, as far as d < tau, cut to a power of two. The stack is transformed
   (T_2D on the blocks, Haar's transform across), coefficients below λ_3D·σ are set to zero, and the blocks come back
   with the weight 1/(σ²·number of coefficients kept) times a Kaiser window.
2. Final estimate. Groups are matched anew in the basic estimate. Both stacks, noisy and basic, are transformed, and
   with b a coefficient of the basic one the noisy one is multiplied by g = b²/(b² + σ²); the weight is 1/(σ²·Σ g²).

Parameters. Up to σ = 40/255 the Normal Profile of the paper, above it that of Hou et al. for strong noise (the default
of the authors' program since 2011); both stages can be changed field by field.

Cost. O(N·NS²/step) for matching, O(N·N2·N1³/step²) for filtering, N pixels: about 2·10⁴ operations a pixel. Memory:
six images, and 4·N2/step² bytes a pixel for the groups.

Departures from the original. tau is the 3000 of the authors' program, where the paper has 2500. The paper's own profile
for σ > 40/255, which matches blocks after thresholding their transforms, is not offered: that of Hou et al. leaves less
error. In flat areas the program enlarges its step; we do not.

References.
K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative filtering",
IEEE Transactions on Image Processing 16(8), 2007, doi:10.1109/TIP.2007.901238.
Y. Hou, C. Zhao, D. Yang, Y. Cheng, "Comments on 'Image denoising by sparse 3-D transform-domain collaborative
filtering'", IEEE Transactions on Image Processing 20(1), 2011, doi:10.1109/TIP.2010.2052281.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.operators.identity import Identity
from restora.patches.collaborative_stage import NORMAL, Profile, Stage, profile_for


@dataclass(frozen=True, slots=True)
class BM3D(Method):
    """Block matching and 3-D filtering.

    Args:
        basic: the stage of hard thresholding, whose estimate is the part ``basic`` of the result.
        final: the stage of Wiener filtering.
    """

    spec: ClassVar[Spec] = Spec(
        name="bm3d",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper=(
            "K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, Image denoising by sparse 3-D transform-domain "
            "collaborative filtering, IEEE TIP 16(8), 2007"
        ),
        doi="10.1109/TIP.2007.901238",
        leaves_noiseless=True,
        min_size=11,
        continuous=False,
        published=awgn_protocols("set12-gray", "bsd68-gray"),
    )

    basic: Stage = NORMAL.basic
    final: Stage = NORMAL.final

    @classmethod
    def for_noise(cls, sigma: float) -> "BM3D":
        """The Normal Profile up to 255σ = 40, that for very noisy images above."""
        profile = profile_for(sigma)
        return cls(profile.basic, profile.final)

    def solve(self, problem: Problem, context: Context) -> Result:
        y = problem.y.flatten(0, 1)[:, None]
        pilot, x = Profile(self.basic, self.final).estimates(y, [problem.sigma], lambda z: z, context.progress)
        x, pilot = (z.reshape(problem.y.shape) for z in (x, pilot))
        return Result(x, Status.done(self.final.sentence), parts={"basic": pilot})
