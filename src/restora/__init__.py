"""restora recovers the latent image x from a degraded measurement y = Hx + n."""
