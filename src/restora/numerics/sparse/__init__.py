"""Sparse coding: pursuit and shrinkage iterations over matrices and operators, for batches of signals."""
