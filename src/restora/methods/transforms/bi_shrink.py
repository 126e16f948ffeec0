"""BiShrink: wavelet coefficients shrunk by what they and their parents are together.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself.

Model. A coefficient w₁ and its parent w₂, at the same place of the next coarser scale, are uncorrelated but not
independent: where one is large, so is the other. With

    p(w₁, w₂) ∝ exp(−(√3/σ_x)·√(w₁² + w₂²))

and noise of σ in both, the most probable w₁ is

    ŵ₁ = y₁·max(r − √3σ²/σ_x, 0)/r,    r = √(y₁² + y₂²).

Algorithm.
1. y₁, y₂ = W y in six levels, divided by the norms of the rows of W, so that noise has its σ in each.
2. σ_x² = max(mean of y₁² over a window of 7 x 7 − σ², 0), at every place of every subband.
3. A parent stands for four children. All levels but the coarsest are shrunk, ŵ₁ as above.
4. x̂ = W⁻¹ŵ.
With the dual-tree transform coefficients are complex: |y₁| and |y₂| enter r, half of |y₁|² the mean (the variance of
one component), and the complex coefficient is shrunk, its phase kept.

Cost. O(N·(L + window)) for N pixels and filters of L taps: about 20 ms for 512 x 512.

Departures from the original. The dual-tree transform extends the image by reflection without limit, the orthonormal one
is periodic; a window at the border of a band sees its mirror image, where the authors' code sees zeros. The norms are
exact, also at the border, where the authors measure them once on noise. σ_x comes from both components of a complex
coefficient, there from the real one alone.

When not. It is tied to the grid of its coarsest level, so it is not run in tiles. Regular texture fares better with
methods that match patches.

References.
L. Şendur, I. W. Selesnick, "Bivariate shrinkage functions for wavelet-based denoising exploiting interscale
dependency", IEEE Transactions on Signal Processing 50(11), 2002, doi:10.1109/TSP.2002.804091.
L. Şendur, I. W. Selesnick, "Bivariate shrinkage with local variance estimation", IEEE Signal Processing Letters 9(12),
2002, doi:10.1109/LSP.2002.806054.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import at_least, odd
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.frames.dual_tree import DualTree
from restora.frames.frame import Frame
from restora.frames.wavelet import WaveletTransform, fitting_levels
from restora.numerics.bivariate_shrinkage import bivariate_shrinkage, energy
from restora.operators.identity import Identity


@dataclass(frozen=True, slots=True)
class BiShrink(Method):
    """Bivariate shrinkage with local variances.

    Args:
        transform: ``dual-tree`` complex wavelets, or ``wavelet`` for orthonormal ones (sym8): four times fewer
            coefficients, 1 dB less.
        levels: of the transform, >= 2, since the coarsest has no parents and is kept. On small images the orthonormal
            transform has fewer.
        window: side, in coefficients, of the square over which σ_x is measured, odd, >= 1. Smaller is noisier, larger
            blurs the map of where there is something.
    """

    spec: ClassVar[Spec] = Spec(
        name="bi-shrink",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper=(
            "L. Şendur, I. W. Selesnick, Bivariate shrinkage functions for wavelet-based denoising exploiting "
            "interscale dependency, IEEE TSP 50(11), 2002"
        ),
        doi="10.1109/TSP.2002.804091",
        leaves_noiseless=True,
        published=awgn_protocols("set12-gray"),
    )

    transform: Literal["dual-tree", "wavelet"] = "dual-tree"
    levels: Annotated[int, at_least(2)] = 6
    window: Annotated[int, odd] = 7

    def solve(self, problem: Problem, context: Context) -> Result:
        y, sigma = problem.y, problem.sigma
        is_dual, size = self.transform == "dual-tree", (y.shape[-2], y.shape[-1])
        levels = self.levels if is_dual else fitting_levels(self.levels, size)
        if levels < 2:
            return Result.left_alone(y, "it is too small to have two levels")
        x = _shrunk(y, sigma, DualTree(levels) if is_dual else WaveletTransform("sym8", levels), self.window)
        return Result(x, Status.done(f"{levels} levels of the {self.transform} transform shrunk with their parents"))


def _shrunk(y: Float[Tensor, "b c h w"], sigma: float, frame: Frame, window: int) -> Float[Tensor, "b c h w"]:
    size = (y.shape[-2], y.shape[-1])
    low, *details = frame.analysis(y)
    norms = [norm.to(low) for norm in frame.norms(size)[1:]]
    if details[0].ndim == 6:
        return frame.synthesis((low, *_level_by_level(details, norms, sigma, window)), size)
    # A real coefficient is one component, which gets an axis of its own.
    details, norms = ([band[..., None] for band in bands] for bands in (details, norms))
    shrunk = _level_by_level(details, norms, sigma, window)
    return frame.synthesis((low, *(band[..., 0] for band in shrunk)), size)


def _level_by_level(details: list[Tensor], norms: list[Tensor], sigma: float, window: int) -> list[Tensor]:
    """From the coarsest level, which is kept, each with the energies of the one before.

    Both lists are used up: the finest level is three quarters of all, so what a level no longer needs is let go.
    """
    shrunk = [details.pop(0)]
    parent = energy(shrunk[0], norms.pop(0))
    while details:
        theta, parent = bivariate_shrinkage(details.pop(0), norms.pop(0), parent, sigma, window)
        shrunk.append(theta)
    return shrunk
