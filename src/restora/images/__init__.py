"""Image files in and out: depth, alpha, orientation, colour profile and metadata survive; writes are atomic."""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
