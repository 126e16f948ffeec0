"""What is wrong with a measurement, from the measurement alone."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.noise import Noise
from restora.diagnosis.blur import BlurEstimate, estimate_blur
from restora.diagnosis.jpeg import JpegEstimate, estimate_jpeg_quality
from restora.diagnosis.noise import NoiseEstimate, estimate_noise
from restora.diagnosis.upscaling import UpscalingEstimate, estimate_upscaling
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian


@dataclass(frozen=True, eq=False, slots=True)
class Diagnosis:
    """The results of all estimators on a picture."""

    noise: NoiseEstimate
    jpeg: JpegEstimate
    blur: BlurEstimate
    upscaling: UpscalingEstimate

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence from each estimator."""
        return (self.noise.sentence, self.jpeg.sentence, self.blur.sentence, self.upscaling.sentence)


def diagnose(y: Float[Tensor, "b c h w"]) -> Diagnosis:
    """Run every estimator on y, (b, c, h, w) in [0, 1]; the images of the batch share one diagnosis."""
    return Diagnosis(estimate_noise(y), estimate_jpeg_quality(y), estimate_blur(y), estimate_upscaling(y))


def noise_of(estimate: NoiseEstimate) -> Noise:
    """Return the noise model that an estimate describes."""
    if estimate.signal_dependent:
        return CameraNoise(estimate.shot, estimate.read)
    return Gaussian(estimate.sigma)
