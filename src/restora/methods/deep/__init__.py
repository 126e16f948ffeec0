"""Methods that are networks."""
