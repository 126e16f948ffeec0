"""A photograph of which nothing is known: look at it, say what is wrong, mend that, and leave a clean picture alone."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Code, Result, Status
from restora.front.diagnose import Diagnosis, diagnose, noise_of
from restora.front.restore import restore
from restora.noise.jpeg import Jpeg
from restora.operators.blur import Blur
from restora.operators.identity import Identity

FAINT = 2 / 255
"""σ up to which noise is not worth mending: nobody sees it, and fine texture looks the same to an estimator."""

GOOD_JPEG = 75
"""JPEG quality from which compression is not worth mending: what is lost there is finer than any texture put back."""


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
    if diagnosis.blur.kind != "none":
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
        sentence = "nothing wrong was seen: no noise, blur or compression worth mending; the picture is left alone"
        return Result(y, Status(Code.LEFT_ALONE, sentence))
    problem = Problem(y, found.H, found.noise)
    result = restore(problem, device=device, tile=tile, seed=seed, progress=progress)
    sentence = "; ".join([*found.reasons, result.status.sentence])
    return Result(result.x, Status(result.status.code, sentence), result.kernel, result.parts, result.stats)
