"""Diagnose: what is wrong with a measurement, seen from the measurement alone."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.noise import Noise
from restora.core.problem import Problem
from restora.noise.camera import CameraNoise
from restora.noise.estimate_blur import BlurEstimate, estimate_blur
from restora.noise.estimate_jpeg import JpegEstimate, estimate_jpeg_quality
from restora.noise.estimate_sigma import NoiseEstimate, estimate_noise
from restora.noise.estimate_upscaling import UpscalingEstimate, estimate_upscaling
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise
from restora.operators.blur import Blur
from restora.operators.unknown import UnknownBlur


@dataclass(frozen=True, eq=False, slots=True)
class Diagnosis:
    """What the estimators see in a picture."""

    noise: NoiseEstimate
    jpeg: JpegEstimate
    blur: BlurEstimate
    upscaling: UpscalingEstimate

    @property
    def sentences(self) -> tuple[str, ...]:
        """A sentence from each estimator."""
        return (self.noise.sentence, self.jpeg.sentence, self.blur.sentence, self.upscaling.sentence)


def diagnose(y: Float[Tensor, "b c h w"]) -> Diagnosis:
    """Run every estimator on y."""
    return Diagnosis(estimate_noise(y), estimate_jpeg_quality(y), estimate_blur(y), estimate_upscaling(y))


def noise_of(estimate: NoiseEstimate) -> Noise:
    """The noise model that an estimate describes."""
    if estimate.signal_dependent:
        return CameraNoise(estimate.shot, estimate.read)
    return Gaussian(estimate.sigma)


def with_noise(problem: Problem) -> tuple[Problem, tuple[str, ...]]:
    """The problem with an unknown noise level estimated from y, and a sentence if it was."""
    if not isinstance(problem.noise, UnknownNoise):
        return problem, ()
    estimate = estimate_noise(problem.y)
    return Problem(problem.y, problem.H, noise_of(estimate), problem.frames), (estimate.sentence,)


def with_blur(problem: Problem) -> tuple[Problem, tuple[str, ...]]:
    """The problem with an unknown blur estimated from y, and a sentence if it was.

    The estimate is a parametric kernel (Gaussian, disk or straight motion); a delta where no blur is seen. Methods that
    are blind themselves find better ones.
    """
    if not isinstance(problem.H, UnknownBlur):
        return problem, ()
    estimate = estimate_blur(problem.y)
    H = Blur(estimate.psf.to(problem.y), "replicate")
    return Problem(problem.y, H, problem.noise, problem.frames), (estimate.sentence,)
