import math

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.deblurring.wiener import Wiener
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import disk_psf, gaussian_psf


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


def lopsided_psf():
    psf = torch.arange(1.0, 16, dtype=torch.float64).reshape(5, 3)
    return psf / psf.sum()


def as_matrix(linear, size):
    """The dense matrix of a linear map of (1, 1, h, w) images."""
    basis = torch.eye(size[0] * size[1], dtype=torch.float64).view(-1, 1, *size)
    return torch.stack([linear(e[None]).flatten() for e in basis], dim=1)


@pytest.mark.parametrize("prior", ["gradient", "white"])
def test_it_minimises_its_quadratic(prior, generator):
    size, b = (7, 8), 0.03
    y = torch.rand(1, 1, *size, generator=generator, dtype=torch.float64)
    H = Blur(lopsided_psf(), "circular")
    K = as_matrix(H, size)
    right, down = (as_matrix(lambda x, dim=dim: x.roll(-1, dim) - x, size) for dim in (-1, -2))
    penalty = right.T @ right + down.T @ down if prior == "gradient" else torch.eye(56, dtype=torch.float64)
    expected = torch.linalg.solve(K.T @ K + b * penalty, K.T @ y.flatten())
    found = Wiener(b=b, prior=prior).run(Problem(y, H, Gaussian(0.1))).x
    assert torch.allclose(found.flatten(), expected, rtol=1e-9)


def simulated(x, sigma, psf=None, boundary="circular"):
    return Problem.simulate(x, Blur(disk_psf(2.5) if psf is None else psf, boundary), Gaussian(sigma), seed=0)


@pytest.mark.parametrize("sigma", [2 / 255, 10 / 255])
def test_the_discrepancy_rule_explains_the_noise_and_no_more(sigma, camera):
    problem = simulated(camera.double(), sigma)
    residual = problem.H(Wiener(rule="discrepancy").run(problem).x) - problem.y
    assert float(residual.square().mean()) == pytest.approx(sigma**2, rel=0.06)


@pytest.mark.parametrize("sigma", [1 / 255, 20 / 255])
@pytest.mark.parametrize(("prior", "rule", "loss"), [("gradient", "risk", 0.1), ("white", "discrepancy", 0.5)])
def test_each_prior_has_a_rule_that_comes_near_the_best_b(sigma, prior, rule, loss, camera):
    x = camera.double()
    problem = simulated(x, sigma)
    best = max(psnr(Wiener(b=b, prior=prior).run(problem).x, x) for b in np.geomspace(1e-4, 3, 30).tolist())
    assert psnr(Wiener(prior=prior, rule=rule).run(problem).x, x) > best - loss


def test_b_does_not_depend_on_the_range(camera):
    problem = simulated(camera.double(), 4 / 255)
    scaled = Problem(255 * problem.y, problem.H, Gaussian(4.0))
    assert torch.allclose(Wiener().run(scaled).x, 255 * Wiener().run(problem).x, rtol=1e-9)


def test_without_noise_it_inverts_the_blur(camera):
    x = camera.double()
    assert psnr(Wiener().run(simulated(x, 0.0, gaussian_psf(0.6))).x, x) > 80


def test_each_image_and_channel_has_its_own_b(cat, camera):
    blank = torch.full((1, 3, 96, 112), 0.5)
    problem = simulated(torch.cat([cat, blank]), 5 / 255)
    together = Wiener().run(problem).x
    alone = Wiener().run(problem.with_y(problem.y[1:, 2:])).x
    assert torch.allclose(together[1:, 2:], alone, atol=1e-5)
    assert psnr(together[1:], blank) > psnr(problem.y[1:], blank) + 10


@pytest.mark.parametrize("boundary", ["reflect", "replicate", "valid"])
@pytest.mark.parametrize("closing", ["edgetaper", "liu-jia"])
def test_borders_are_closed_well(boundary, closing, camera):
    x = camera.double()
    problem = simulated(x, 1 / 255, disk_psf(3.0), boundary)
    result = Wiener(closing=closing).run(problem).x
    naive = Wiener().run(Problem(problem.y, Blur(problem.H.psf, "circular"), problem.noise)).x
    assert result.shape == x.shape
    inside = (..., slice(12, -12), slice(12, -12))
    offset = (128 - naive.shape[-1]) // 2
    naive = torch.nn.functional.pad(naive, (offset,) * 4)
    assert psnr(result[inside], x[inside]) > psnr(naive[inside], x[inside]) + 1


def test_a_wrong_operator_and_a_wrong_b_are_refused(camera):
    with pytest.raises(CannotSolve, match="Blur"):
        Wiener().run(Problem(camera, Identity(), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="b ="):
        Wiener(b=-1.0)


def scenarios():
    """The six of the BM3D deblurring papers: kernel, variance on 0..255; then PSNR of y, the best b, and its PSNR."""
    u = torch.arange(-7, 8, dtype=torch.float64)
    cauchy = 1 / (1 + u[:, None] ** 2 + u**2)
    binomial = torch.tensor([1, 4, 6, 4, 1], dtype=torch.float64)

    def gaussian(s):
        v = torch.arange(-12, 13, dtype=torch.float64)
        g = torch.exp(-(v**2) / (2 * s**2))
        return torch.outer(g, g)

    kernels = (cauchy, cauchy, torch.ones(9, 9).double(), torch.outer(binomial, binomial), gaussian(1.6), gaussian(0.4))
    variances = (2, 8, 0.308, 49, 4, 64)
    inputs, outputs = (22.23, 22.16, 20.77, 24.62, 23.36, 29.84), (27.60, 25.95, 26.92, 26.05, 25.85, 30.62)
    best = (2.0e-3, 6.3e-3, 3.2e-4, 4.0e-2, 3.2e-3, 1.0e-1)
    return list(zip((k / k.sum() for k in kernels), variances, inputs, best, outputs))


@pytest.mark.published
@pytest.mark.parametrize("index", range(6))
def test_cameraman_in_six_scenarios(data_dir, index):
    psf, variance, before, b, after = scenarios()[index]
    x = torch.from_numpy(np.asarray(Image.open(data_dir / "test/Set12/01.png"), dtype=np.float64) / 255)[None, None]
    H, sigma = Blur(psf, "circular"), math.sqrt(variance) / 255
    noise = torch.from_numpy(np.random.RandomState(0).randn(256, 256))
    problem = Problem(H(x) + sigma * noise, H, Gaussian(sigma))
    assert psnr(problem.y, x) == pytest.approx(before, abs=0.05)
    assert psnr(Wiener(b=b).run(problem).x, x) == pytest.approx(after, abs=0.03)
    assert psnr(Wiener().run(problem).x, x) > after - 0.06
