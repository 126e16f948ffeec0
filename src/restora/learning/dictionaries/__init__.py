"""Pairs of dictionaries for super-resolution: samples, joint and coupled training, and recipes."""
