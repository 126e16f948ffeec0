"""Edge-aware and linear smoothing: a Numba kernel for the CPU and a Torch one for the rest, behind one function."""
