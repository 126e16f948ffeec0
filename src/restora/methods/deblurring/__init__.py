"""Deconvolution: the blur is known (non-blind) or sought (blind)."""
