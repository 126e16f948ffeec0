"""What is wrong with a measurement, from the measurement alone."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.noise import Noise
from restora.diagnosis.estimate_blur import BlurEstimate, estimate_blur
from restora.diagnosis.estimate_jpeg import JpegEstimate, estimate_jpeg_quality
from restora.diagnosis.estimate_sigma import NoiseEstimate, estimate_noise
from restora.diagnosis.estimate_upscaling import UpscalingEstimate, estimate_upscaling
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian


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
