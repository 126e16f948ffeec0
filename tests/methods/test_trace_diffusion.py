import numpy as np
import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.filters.trace_diffusion import TraceDiffusion
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def by_eigenvectors(y, p_along, p_across, dt, iterations):
    """One colour image (c, h, w), ρ = 0, with numpy's eigenvectors and whole-image second differences."""
    I = y.copy()
    for _ in range(iterations):
        gy, gx = np.gradient(I, axis=(-2, -1))
        G = np.stack([gx * gx, gx * gy, gx * gy, gy * gy], -1).mean(0).reshape(*y.shape[1:], 2, 2)
        mu, v = np.linalg.eigh(255**2 * G)
        s = 1 + mu.sum(-1)
        f = np.stack([s**-p_along, s**-p_across], -1)
        T = v @ (f[..., None] * np.swapaxes(v, -1, -2))
        P = np.pad(I, ((0, 0), (1, 1), (1, 1)), mode="symmetric")
        xx = P[:, 1:-1, 2:] - 2 * I + P[:, 1:-1, :-2]
        yy = P[:, 2:, 1:-1] - 2 * I + P[:, :-2, 1:-1]
        xy = (P[:, 2:, 2:] + P[:, :-2, :-2] - P[:, 2:, :-2] - P[:, :-2, 2:]) / 4
        beta = T[..., 0, 0] * xx + 2 * T[..., 0, 1] * xy + T[..., 1, 1] * yy
        I = np.clip(I + min(dt / np.abs(beta).max(), 0.5 / s.min() ** -p_along) * beta, y.min(), y.max())
    return I


def test_it_is_algorithm_a_in_numpy(cat):
    y = cat.double() + 0.05 * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0))
    found = TraceDiffusion(0.4, 0.8, 10 / 255, rho=0.0, iterations=3).run(denoising(y))
    expected = by_eigenvectors(y[0].numpy(), 0.4, 0.8, 10 / 255, 3)
    assert np.allclose(found.x[0].numpy(), expected, rtol=0, atol=1e-9)
    assert len(found.stats) == 3


def test_no_value_moves_farther_than_dt_nor_leaves_the_range(cat):
    y = cat + 0.1 * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0))
    once = TraceDiffusion(dt=0.05, iterations=1).run(denoising(y)).x
    assert float((once - y).abs().max()) == pytest.approx(0.05, rel=1e-4)
    x = TraceDiffusion(dt=0.5, iterations=30).run(denoising(y)).x
    assert y.min() <= x.min()
    assert x.max() <= y.max()


def test_a_smooth_image_stays_stable():
    # max|β| is tiny here: with τ = dt/max|β| alone this explodes to the clamp
    x = torch.linspace(0, 1, 40).square().expand(1, 1, 30, 40)
    found = TraceDiffusion(iterations=50).run(denoising(x)).x
    assert (found - x).abs().max() < 0.05
    assert (found.diff(dim=-1) >= -1e-6).all()


def test_the_colours_share_one_tensor():
    edge = (torch.arange(40) >= 20).float().expand(40, 40)
    noise = torch.randn(3, 40, 40, generator=torch.Generator().manual_seed(0)) / 20
    y = torch.stack([edge, 0.5 + 0 * edge, 0.5 + 0 * edge])
    together = TraceDiffusion(iterations=20).run(denoising((y + noise)[None])).x[0]
    alone = TraceDiffusion(iterations=20).run(denoising((y + noise)[None, 1:2])).x[0, 0]
    near = (slice(None), slice(18, 22))
    assert together[1][near].std() > 1.2 * alone[near].std()  # the edge of red holds back the others


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        TraceDiffusion().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match=r"p_across = 0\.4"):
        TraceDiffusion(p_across=0.4)
