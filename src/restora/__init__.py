"""restora recovers the latent image x from a degraded measurement y = Hx + n.

>>> import restora
>>> clean = restora.denoise(array, sigma=25 / 255)                      # doctest: +SKIP
>>> sharp = restora.deblur(array, psf, method="tv")                     # doctest: +SKIP
>>> result = restora.restore(restora.Problem(y, H, restora.Gaussian(0.1)))  # doctest: +SKIP

Public names are loaded when first used: importing restora imports neither torch nor any method.
"""

from restora.core.exports import exports

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = exports(__name__, __file__)
