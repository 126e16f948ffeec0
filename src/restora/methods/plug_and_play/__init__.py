"""Methods that take any denoiser for their prior."""
