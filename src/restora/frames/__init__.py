"""Frames and bases: analysis, synthesis, norms."""
