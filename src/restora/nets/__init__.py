"""Plain networks, an architecture a file: no loading, no downloading, no task."""
