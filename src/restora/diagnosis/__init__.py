"""What is wrong with a measurement y, seen from y alone: noise, blur, compression, enlargement."""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
