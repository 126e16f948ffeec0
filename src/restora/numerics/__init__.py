"""Shared numerics: Fourier, MATLAB-true resampling and colour, differences, proximal maps, solvers."""
