"""Minimisers of an energy: a data term and a regulariser."""
