"""The methods, a file each, in the chapters of the field."""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
