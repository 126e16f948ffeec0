"""The contracts: problem, operator, noise, method, result, spec, errors, progress."""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
