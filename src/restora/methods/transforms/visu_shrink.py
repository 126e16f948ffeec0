"""VisuShrink: wavelet coefficients shrunk by one soft threshold that hardly any noise exceeds.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself.

Model. In an orthonormal wavelet basis an image of N pixels is sparse, and its noise is N independent numbers of
standard deviation σ. The largest of them stays, with a probability that tends to one, below

    t = σ√(2 ln N),

the universal threshold. Whatever is softened by it is, with that probability, nowhere rougher than the image itself.

Algorithm.
1. θ = W y, a separable transform of J levels.
2. θ̂ = sign(θ)·max(|θ| − t, 0) in all details. The approximation is kept.
3. x̂ = W⁻¹θ̂.
With ``spins`` > 1 this is averaged over shifts of the image (cycle spinning, Coifman and Donoho 1995).

Parameters. The coarse scales, where an image is not sparse, are left alone: J = 4, or on images below 256 pixels what
leaves an approximation of 16 or more to the shorter side.

Cost. O(spins²·N·L) for N pixels and kernels of L taps.

When not. It promises the removal of noise, not a small error: 3 to 5 dB below SureShrink and BayesShrink, and on an
image full of detail even the noisy one may be nearer. It is kept as a point of reference.

Departures from the original. An odd side is made even by repeating its last pixel, and J is lowered to the number of
times that the shorter side can be halved. Spinning is not in the paper, and off unless asked for. There, and with a
biorthogonal bank or boundary="reflect", the noise of a coefficient is σ times the norm of its row in W.

References.
D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81(3), 1994,
doi:10.1093/biomet/81.3.425.
R. R. Coifman, D. L. Donoho, "Translation-invariant de-noising", Lecture Notes in Statistics 103, 1995,
doi:10.1007/978-1-4612-2544-7_9.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from restora.core.problem import Problem
from restora.core.spec import Spec, awgn_protocols
from restora.frames.wavelet_shrinkage import WaveletShrinkage
from restora.operators.identity import Identity


@dataclass(frozen=True, slots=True)
class VisuShrink(WaveletShrinkage):
    """Soft wavelet thresholds, σ√(2 ln N) everywhere.

    Args:
        wavelet: name of the filter bank.
        levels: J, >= 1; fewer are taken on small images. Each further one smooths twice as far.
        spins: cycle spinning over the spins² shifts {0 … spins − 1}², >= 1; 1 is the paper's method.
        boundary: ``periodic`` keeps the transform orthonormal, ``reflect`` avoids the jump at the border.
    """

    spec: ClassVar[Spec] = Spec(
        name="visu-shrink",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper="D. L. Donoho, I. M. Johnstone, Ideal spatial adaptation by wavelet shrinkage, Biometrika 81(3), 1994",
        doi="10.1093/biomet/81.3.425",
        leaves_noiseless=True,
        published=awgn_protocols("set12-gray"),
    )

    @classmethod
    def for_problem(cls, problem: Problem) -> "VisuShrink":
        """J = 4, or what leaves an approximation of 16 or more to the shorter side."""
        side = min(problem.y.shape[-2:])
        return cls(levels=min(max(side.bit_length() - 5, 1), 4))

    def shrunk(self, theta: Tensor, noise: Tensor, pixels: int) -> Tensor:
        t = math.sqrt(2 * math.log(pixels)) * noise
        return theta - theta.clamp(-t, t)
