"""H: the linear measurement operators, a file each."""
