"""The front door: diagnose, choose, adapt colour, tile, place on a device, run, report; for tensors, arrays and pictures.

The room is not called ``restore``: importing a module of that name would hide the function ``restora.restore``.
"""
