import numpy as np
import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.filters.coherence_enhancing import CoherenceEnhancingDiffusion
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def stripes(angle, size=64, period=12.0):
    y, x = np.mgrid[:size, :size]
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / period)
    return torch.from_numpy(wave)[None, None]


@pytest.mark.parametrize("angle", [0.0, 0.6, 2.2])
def test_interrupted_lines_grow_together(angle):
    x = stripes(angle)
    y = x.clone()
    y[..., 30:34, 28:36] = 0.5
    hole = (slice(None), slice(None), slice(30, 34), slice(28, 36))
    found = CoherenceEnhancingDiffusion().run(denoising(y)).x
    assert (found - x)[hole].abs().mean() < 0.35 * (y - x)[hole].abs().mean()
    calm = (slice(None), slice(None), slice(44, 60), slice(4, 60))
    assert (found - x)[calm].abs().mean() < 0.04  # lines themselves stay


def test_across_lines_nearly_nothing_flows():
    profile = torch.from_numpy(np.random.default_rng(0).random(50))
    y = profile.expand(1, 1, 40, 50)
    found = CoherenceEnhancingDiffusion(alpha=1e-6).run(denoising(y)).x
    assert torch.allclose(found, y, atol=1e-3)


def test_without_coherence_it_is_slow_heat_flow():
    # contrast so high that λ1 = λ2 = α everywhere
    y = torch.from_numpy(np.random.default_rng(0).random((1, 1, 16, 16)))
    method = CoherenceEnhancingDiffusion(time=10.0, cycles=40, alpha=0.02, contrast=1e3)
    k = torch.arange(16, dtype=torch.float64)
    basis = torch.cos(torch.pi * (k[:, None] + 0.5) * k / 16)
    basis = basis / basis.norm(dim=0)
    fading = torch.exp(-10 * 0.02 * (2 - 2 * torch.cos(torch.pi * k / 16)))
    flow = basis @ torch.diag(fading) @ basis.T
    assert torch.allclose(method.run(denoising(y)).x[0, 0], flow @ y[0, 0] @ flow, atol=0.01)


def test_the_table_is_interpolated():
    middle = CoherenceEnhancingDiffusion.for_noise(37.5 / 255)
    assert (middle.rho, middle.time, middle.cycles) == (3.0, 5.0, 5)
    assert CoherenceEnhancingDiffusion.for_noise(1.0).time == 8.0


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        CoherenceEnhancingDiffusion().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="alpha = 1"):
        CoherenceEnhancingDiffusion(alpha=1.0)
