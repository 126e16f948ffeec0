"""Wavelet shrinkage: what all methods share that make the details of a wavelet transform smaller by some rule."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, final

from jaxtyping import Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import counting
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.frames.cycle_spinning import cycle_spun
from restora.frames.wavelet import WaveletBoundary, WaveletTransform, fitting_levels
from restora.frames.wavelet_filters import WaveletName

Details = Float[Tensor, "b c 3 h w"]


@dataclass(frozen=True, slots=True)
class WaveletShrinkage(Method):
    """x̂ = W⁻¹ T(W y): details go through the rule T of a paper, the approximation is kept.

    An odd side is made even by repeating its last pixel. An image one pixel wide, or without noise, is left alone.

    Args:
        wavelet: name of the filter bank.
        levels: J, >= 1; lowered to the number of times that the shorter side can be halved.
        spins: cycle spinning over the spins² shifts {0 … spins − 1}², >= 1; 1 is one transform.
        boundary: ``periodic`` keeps the transform orthonormal, ``reflect`` avoids the jump at the border.
    """

    wavelet: WaveletName = "sym8"
    levels: Annotated[int, counting] = 4
    spins: Annotated[int, counting] = 1
    boundary: WaveletBoundary = "periodic"

    @abstractmethod
    def shrunk(self, theta: Details, noise: Float[Tensor, "3 #h #w"], pixels: int) -> Details:
        """T: what is kept of the details of a level.

        Args:
            theta: θ, the details.
            noise: standard deviation of the noise in them.
            pixels: N, of the image.
        """

    @final
    def solve(self, problem: Problem, context: Context) -> Result:
        y, sigma = problem.y, problem.sigma
        h, w = y.shape[-2:]
        frame = WaveletTransform(self.wavelet, fitting_levels(self.levels, (h, w)), self.boundary)
        if frame.levels == 0:
            return Result.left_alone(y, "it is one pixel wide")

        def restored(y: Tensor) -> Tensor:
            size = (y.shape[-2], y.shape[-1])
            approximation, *details = frame.analysis(y)
            noise = (sigma * norms.to(approximation) for norms in frame.norms(size)[1:])
            kept = (self.shrunk(theta, deviation, h * w) for theta, deviation in zip(details, noise, strict=True))
            return frame.synthesis((approximation, *kept), size)

        sentence = f"{frame.levels} levels of {self.wavelet} shrunk"
        if self.spins == 1:
            return Result(restored(y), Status.done(sentence))
        x = cycle_spun(y, restored, self.spins, self.boundary, context.progress)
        return Result(x, Status.done(f"{sentence}, mean over {self.spins**2} shifts"))
