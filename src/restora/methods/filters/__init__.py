"""Filtering in the pixel domain: local averages and self-similarity."""
