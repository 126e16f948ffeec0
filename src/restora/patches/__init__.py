"""Patches: compare, extract, aggregate; behind each function a Numba kernel for the CPU and a Torch one for CUDA."""
