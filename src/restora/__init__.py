"""restora recovers the latent image x from a degraded measurement y = Hx + n.

>>> import restora
>>> clean = restora.denoise(array, sigma=25 / 255)                      # doctest: +SKIP
>>> sharp = restora.deblur(array, psf, method="tv")                     # doctest: +SKIP
>>> result = restora.restore(restora.Problem(y, H, restora.Gaussian(0.1)))  # doctest: +SKIP

Public names are loaded when first used: importing restora imports neither torch nor any method.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from restora.core.errors import RestoraError as RestoraError
    from restora.core.problem import Problem as Problem
    from restora.core.result import Result as Result
    from restora.diagnosis.diagnose import diagnose as diagnose
    from restora.front.arrays import Execution as Execution
    from restora.front.arrays import deblur as deblur
    from restora.front.arrays import denoise as denoise
    from restora.front.arrays import inpaint as inpaint
    from restora.front.arrays import upscale as upscale
    from restora.front.plan import plan as plan
    from restora.front.restore import restore as restore
    from restora.noise.gaussian import Gaussian as Gaussian
    from restora.noise.jpeg import Jpeg as Jpeg
    from restora.noise.poisson import Poisson as Poisson
    from restora.noise.poisson_gaussian import PoissonGaussian as PoissonGaussian
    from restora.noise.salt_and_pepper import SaltAndPepper as SaltAndPepper
    from restora.noise.unknown import UnknownNoise as UnknownNoise
    from restora.operators.blur import Blur as Blur
    from restora.operators.decimate import BlurDecimate as BlurDecimate
    from restora.operators.downsample import Downsample as Downsample
    from restora.operators.identity import Identity as Identity
    from restora.operators.mask import Mask as Mask
    from restora.operators.mosaic import Mosaic as Mosaic
    from restora.operators.spatially_varying_blur import SpatiallyVaryingBlur as SpatiallyVaryingBlur
    from restora.operators.unknown import UnknownBlur as UnknownBlur
    from restora.operators.unknown import UnknownDegradation as UnknownDegradation

_PUBLIC = {
    "RestoraError": "restora.core.errors",
    "Problem": "restora.core.problem",
    "Result": "restora.core.result",
    "Execution": "restora.front.arrays",
    "deblur": "restora.front.arrays",
    "denoise": "restora.front.arrays",
    "inpaint": "restora.front.arrays",
    "upscale": "restora.front.arrays",
    "diagnose": "restora.diagnosis.diagnose",
    "plan": "restora.front.plan",
    "restore": "restora.front.restore",
    "Gaussian": "restora.noise.gaussian",
    "Jpeg": "restora.noise.jpeg",
    "Poisson": "restora.noise.poisson",
    "PoissonGaussian": "restora.noise.poisson_gaussian",
    "SaltAndPepper": "restora.noise.salt_and_pepper",
    "UnknownNoise": "restora.noise.unknown",
    "Blur": "restora.operators.blur",
    "BlurDecimate": "restora.operators.decimate",
    "Downsample": "restora.operators.downsample",
    "Identity": "restora.operators.identity",
    "Mask": "restora.operators.mask",
    "Mosaic": "restora.operators.mosaic",
    "SpatiallyVaryingBlur": "restora.operators.spatially_varying_blur",
    "UnknownBlur": "restora.operators.unknown",
    "UnknownDegradation": "restora.operators.unknown",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604  # the table is the list


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'restora' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
