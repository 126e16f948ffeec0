"""Examine: what the unknowns of a problem are, from its measurement, before a method is chosen."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.diagnosis.blur import estimate_blur
from restora.diagnosis.noise import estimate_noise
from restora.diagnosis.report import Diagnosis, diagnose, noise_of
from restora.noise.jpeg import Jpeg
from restora.noise.unknown import UnknownNoise
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.unknown import UnknownBlur, UnknownDegradation

FAINT = 2 / 255
"""σ up to which noise is left alone: nobody sees it, and fine texture looks the same to an estimator."""

TOO_NOISY_TO_SHARPEN = 12 / 255
"""σ from which a blur is left alone: what could be sharpened is below the noise, and is lost with it."""

SHARP = 0.9
"""Spread of a kernel in pixels up to which a blur is left alone: that of a good lens and a demosaicker."""

GOOD_JPEG = 75
"""JPEG quality from which compression is left alone: what is lost there is finer than any texture put back."""

NOTHING_SEEN = "no noise, blur or compression worth removing was seen"


@dataclass(frozen=True, eq=False, slots=True)
class Examined:
    """A problem whose unknowns are estimated.

    Attributes:
        problem: with known noise; H is known too unless the method is to find the blur itself.
        found: a sentence for each thing that was estimated or found wrong.
        is_clean: an unknown degradation was looked for, and nothing worth removing was found.
    """

    problem: Problem
    found: tuple[str, ...] = ()
    is_clean: bool = False


def examined(problem: Problem, *, blind: bool) -> Examined:
    """Estimate what the problem does not say.

    Args:
        problem: as given.
        blind: the method finds an unknown blur itself.
    """
    if isinstance(problem.H, UnknownDegradation):
        return from_diagnosis(problem, diagnose(problem.y), problem.H.jpeg_quality)
    found: list[str] = []
    if isinstance(problem.noise, UnknownNoise):
        noise = estimate_noise(problem.y)
        problem = replace(problem, noise=noise_of(noise))
        found.append(noise.sentence)
    if isinstance(problem.H, UnknownBlur) and not blind:
        # A Gaussian, a disk or a straight motion, and a delta where no blur is detected.
        blur = estimate_blur(problem.y)
        problem = replace(problem, H=Blur(blur.psf.to(problem.y), "replicate"))
        found.append(blur.sentence)
    return Examined(problem, tuple(found))


def from_diagnosis(problem: Problem, diagnosis: Diagnosis, jpeg_quality: int | None = None) -> Examined:
    """The H and the noise that a diagnosis speaks of.

    Args:
        problem: its measurement; a noise model that it gives is kept.
        diagnosis: what the estimators saw in it.
        jpeg_quality: from the file's own tables; None where the file is no JPEG, and then the estimate holds.
    """
    quality = jpeg_quality if jpeg_quality is not None else diagnosis.jpeg.quality
    found: list[str] = []
    H: Operator = Identity()
    estimated = isinstance(problem.noise, UnknownNoise)
    noise = noise_of(diagnosis.noise) if estimated else problem.noise
    sigma = diagnosis.noise.sigma if noise.sigma is None or estimated else noise.sigma
    if sigma < TOO_NOISY_TO_SHARPEN and _spread(diagnosis.blur.psf) > SHARP:
        H = Blur(diagnosis.blur.psf, "replicate")
        found.append(diagnosis.blur.sentence)
    if sigma > FAINT:
        found.append(diagnosis.noise.sentence if estimated else f"noise of σ = {255 * sigma:.3g} (of 255), as given")
    if quality is not None and quality < GOOD_JPEG:
        compressed = Jpeg(quality)
        if estimated and compressed.sigma > sigma:
            noise = compressed
        found.append(f"JPEG compression of quality {quality}")
    return Examined(replace(problem, H=H, noise=noise), tuple(found), is_clean=not found)


def _spread(psf: Float[Tensor, "kh kw"]) -> float:
    """Largest standard deviation of a kernel along an axis, in pixels."""
    k = psf.double()
    spreads = []
    for weight in (k.sum(1), k.sum(0)):
        at = torch.arange(len(weight), dtype=weight.dtype)
        spreads.append(float((weight * (at - (weight * at).sum()).square()).sum().clamp_min(0).sqrt()))
    return max(spreads)
