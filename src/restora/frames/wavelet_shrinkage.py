"""Wavelet shrinkage: what all methods share that make the details of a wavelet transform smaller by some rule."""

from collections.abc import Callable
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Code, Result, Status
from restora.frames.cycle_spinning import cycle_spun
from restora.frames.wavelet import WaveletTransform, fitting_levels

Details = Float[Tensor, "b c 3 h w"]
Rule = Callable[[Details, Float[Tensor, "3 #h #w"]], Details]
"""From the details θ of a level and the standard deviation of the noise in them to what is kept of them."""


def shrink_wavelets(
    problem: Problem, frame: WaveletTransform, rule: Rule, spins: int, progress: Progress | None
) -> Result:
    """x̂ = W⁻¹ T(W y): details through the rule, the approximation as it is; cycle-spun where ``spins`` > 1.

    Levels are lowered to the number of times that the shorter side can be halved. An image one pixel wide, or without
    noise, is left alone.
    """
    y, sigma = problem.y, problem.sigma
    frame = replace(frame, levels=fitting_levels(frame.levels, (y.shape[-2], y.shape[-1])))
    if sigma == 0 or frame.levels == 0:
        reason = "there is no noise" if sigma == 0 else "it is one pixel wide"
        return Result(y.clone(), Status(Code.LEFT_ALONE, f"left alone: {reason}"))

    def shrunk(y: Tensor) -> Tensor:
        size = (y.shape[-2], y.shape[-1])
        approximation, *details = frame.analysis(y)
        noise = (sigma * norms.to(approximation) for norms in frame.norms(size)[1:])
        return frame.synthesis((approximation, *map(rule, details, noise)), size)

    sentence = f"{frame.levels} levels of {frame.wavelet} shrunk"
    if spins == 1:
        return Result(shrunk(y).to(y.dtype), Status.done(sentence))
    x = cycle_spun(y, shrunk, spins, frame.boundary, progress or silent)
    return Result(x, Status.done(f"{sentence}, mean over {spins**2} shifts"))
