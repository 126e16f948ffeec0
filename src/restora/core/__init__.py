"""The contracts: problem, operator, noise, method, result, spec, errors, progress."""
