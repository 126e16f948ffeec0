"""Diffusion of images: structure tensors, stencils, and the time steps that make them fast."""
