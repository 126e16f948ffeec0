import math

import numpy as np
import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.filters.curvature_preserving import CurvaturePreservingDiffusion
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_where_the_image_is_flat_it_is_a_star_of_line_means():
    # a faint impulse does not tilt √T: from a pixel k·dl away on one of four axes it is weighed by ω_k/(4 Σω)
    y = torch.zeros(1, 1, 61, 61, dtype=torch.float64)
    y[..., 30, 30] = 1e-6
    method = CurvaturePreservingDiffusion(8.0, dl=1.0, directions=4)
    x = method.run(denoising(y)).x[0, 0] / 1e-6
    f = math.sqrt(16)
    arcs = np.arange(0, 2 * f)
    omega = np.exp(-(arcs**2) / (2 * f**2)) * np.clip(2 * f - arcs, 0, 1)
    expected = omega / omega.sum() / 4
    for k in range(1, 8):
        for place in ((30 + k, 30), (30 - k, 30), (30, 30 + k), (30, 30 - k)):
            assert float(x[place]) == pytest.approx(expected[k], rel=1e-3)
    assert float(x[30, 30]) == pytest.approx(4 * expected[0], rel=1e-3)
    assert float(x[33, 34]) == pytest.approx(0, abs=1e-3)


def test_a_circle_keeps_its_radius_where_noise_goes():
    y, x = torch.meshgrid(*(torch.arange(80.0) - 40,) * 2, indexing="ij")
    disk = torch.sigmoid(2 * (20 - torch.hypot(x, y)))[None, None]
    noise = torch.randn(disk.shape, generator=torch.Generator().manual_seed(0)) * 15 / 255
    found = CurvaturePreservingDiffusion.for_noise(15 / 255).run(denoising(disk + noise, 15 / 255)).x
    assert float(found.sum()) == pytest.approx(float(disk.sum()), rel=0.02)
    assert (found - disk).square().mean() < 0.15 * noise.square().mean()


def test_edges_are_not_crossed():
    y = torch.zeros(1, 3, 40, 40)
    y[..., 20:] = 0.8
    x = CurvaturePreservingDiffusion(iterations=3).run(denoising(y)).x
    assert (x[..., 22] - x[..., 17]).min() > 0.7


def test_the_mean_of_constants_in_every_direction_is_exact():
    y = torch.full((1, 3, 20, 30), 0.3, dtype=torch.float64)
    assert torch.allclose(CurvaturePreservingDiffusion().run(denoising(y)).x, y, rtol=1e-13)


def test_progress_counts_directions(cat):
    seen = []
    method = CurvaturePreservingDiffusion(directions=3, iterations=2)
    method.run(denoising(cat), progress=lambda done, total, note="": seen.append((done, total)))
    assert seen == [(k, 6) for k in range(1, 7)]


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        CurvaturePreservingDiffusion().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="anisotropy = 1"):
        CurvaturePreservingDiffusion(anisotropy=1.0)
    with pytest.raises(InvalidParameter, match="directions = 1"):
        CurvaturePreservingDiffusion(directions=1)
