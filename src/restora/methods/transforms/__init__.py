"""Shrinkage of transform coefficients."""
