"""The unknowns of a problem, estimated from its measurement."""

from restora.core.problem import Problem
from restora.diagnosis.diagnose import noise_of
from restora.diagnosis.estimate_blur import estimate_blur
from restora.diagnosis.estimate_sigma import estimate_noise
from restora.noise.unknown import UnknownNoise
from restora.operators.blur import Blur
from restora.operators.unknown import UnknownBlur


def with_noise(problem: Problem) -> tuple[Problem, tuple[str, ...]]:
    """Estimate an unknown noise level from y; return the problem with it, and a sentence where it was estimated."""
    if not isinstance(problem.noise, UnknownNoise):
        return problem, ()
    estimate = estimate_noise(problem.y)
    return Problem(problem.y, problem.H, noise_of(estimate), problem.frames), (estimate.sentence,)


def with_blur(problem: Problem) -> tuple[Problem, tuple[str, ...]]:
    """Estimate an unknown blur from y; return the problem with it, and a sentence where it was estimated.

    The estimate is a Gaussian, a disk or a straight motion, and a delta where no blur is detected. Blind methods find
    better kernels.
    """
    if not isinstance(problem.H, UnknownBlur):
        return problem, ()
    estimate = estimate_blur(problem.y)
    H = Blur(estimate.psf.to(problem.y), "replicate")
    return Problem(problem.y, H, problem.noise, problem.frames), (estimate.sentence,)
