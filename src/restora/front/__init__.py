"""The front door: diagnose, choose, adapt colour, tile, place on a device, run, report; for tensors and for arrays."""
