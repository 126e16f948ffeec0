"""n: the noise models, and estimators of what is unknown in a measurement."""
