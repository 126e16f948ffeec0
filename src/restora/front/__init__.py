"""The front door for tensors, arrays and pictures: diagnose, choose, adapt colour, tile, run on a device, report.

The room is not called ``restore``: importing a module of that name would hide the function ``restora.restore``.
"""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
