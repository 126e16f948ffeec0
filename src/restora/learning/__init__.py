"""The training engine: recipes, data, losses, schedules, checkpoints."""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
