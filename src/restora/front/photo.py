"""A photograph of which nothing is known: look at it, say what is wrong, mend that, and leave a clean picture alone."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Code, Result, Status
from restora.diagnosis.diagnose import Diagnosis, diagnose, noise_of
from restora.front.restore import restore
from restora.noise.jpeg import Jpeg
from restora.operators.blur import Blur
from restora.operators.identity import Identity

FAINT = 2 / 255
"""σ up to which noise is not worth mending: nobody sees it, and fine texture looks the same to an estimator."""

LOUD = 12 / 255
"""σ from which a blur is left alone: what could be sharpened is below the noise, and is lost with it."""

SHARP = 0.9
"""Spread of a kernel in pixels up to which a blur is left alone: that of a good lens and a demosaicker."""

GOOD_JPEG = 75
"""JPEG quality from which compression is not worth mending: what is lost there is finer than any texture put back."""

CLEAN = Status(Code.LEFT_ALONE, "no noise, blur or compression worth mending was seen: the picture is left alone")
"""How a restoration ends in which there was nothing to do."""


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """What is wrong with a photograph, as the equation says it; no problem where nothing is."""

    H: Operator
    noise: Noise
    reasons: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Nothing is worth mending."""
        return not self.reasons


def plan(diagnosis: Diagnosis, jpeg_quality: int | None = None) -> Plan:
    """The H and the noise that a diagnosis speaks of.

    Args:
        diagnosis: what the estimators saw.
        jpeg_quality: from the file's own tables; None where the file is no JPEG, and then the estimate holds.
    """
    quality = jpeg_quality if jpeg_quality is not None else diagnosis.jpeg.quality
    reasons: list[str] = []
    H: Operator = Identity()
    noise = noise_of(diagnosis.noise)
    if diagnosis.noise.sigma < LOUD and _spread(diagnosis.blur.psf) > SHARP:
        H = Blur(diagnosis.blur.psf, "replicate")
        reasons.append(diagnosis.blur.sentence)
    if diagnosis.noise.sigma > FAINT:
        reasons.append(diagnosis.noise.sentence)
    if quality is not None and quality < GOOD_JPEG:
        compressed = Jpeg(quality)
        if compressed.sigma > diagnosis.noise.sigma:
            noise = compressed
        reasons.append(f"JPEG compression of quality {quality}")
    return Plan(H, noise, tuple(reasons))


def _spread(psf: Float[Tensor, "kh kw"]) -> float:
    """Largest standard deviation of a kernel along an axis, in pixels."""
    k = psf.double()
    spreads = []
    for weight in (k.sum(1), k.sum(0)):
        at = torch.arange(len(weight), dtype=weight.dtype)
        spreads.append(float((weight * (at - (weight * at).sum()).square()).sum().clamp_min(0).sqrt()))
    return max(spreads)


def restore_photo(
    y: Float[Tensor, "b c h w"],
    *,
    jpeg_quality: int | None = None,
    device: str | None = None,
    tile: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Result:
    """Restore a photograph of which nothing is known.

    Args:
        y: the photograph, in [0, 1].
        jpeg_quality: from the tables of its file, where it is a JPEG.
        device: where to compute; None is where y lies.
        tile: side of the tiles; None decides by itself.
        seed: of all randomness.
        progress: called as the work goes on.

    Returns:
        The result; its status says what was wrong and what was done. A clean picture comes back as it was, with
        ``Code.LEFT_ALONE``.
    """
    found = plan(diagnose(y), jpeg_quality)
    if found.is_clean:
        return Result(y, CLEAN)
    problem = Problem(y, found.H, found.noise)
    result = restore(problem, device=device, tile=tile, seed=seed, progress=progress)
    sentence = "; ".join([*found.reasons, result.status.sentence])
    return Result(result.x, Status(result.status.code, sentence), result.kernel, result.parts, result.stats)
