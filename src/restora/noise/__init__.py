"""n: the noise models."""
