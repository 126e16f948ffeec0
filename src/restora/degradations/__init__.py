"""y from x: what is done to an image, in one vocabulary for recipes, suites and the command line."""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
