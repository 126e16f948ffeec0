import math

import numpy as np
import pytest
import torch

from contracts.cases import CASES, naive
from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.front.denoisers import MethodDenoiser
from restora.methods.deblurring.wiener import Wiener
from restora.methods.plug_and_play.pnp_admm import PnPADMM
from restora.methods.variational.total_variation import TotalVariation
from restora.noise.gaussian import Gaussian
from restora.numerics import rof
from restora.numerics.convolution import convolve_separable
from restora.numerics.iterate import Limits
from restora.operators.blur import Blur
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur

KERNEL = torch.tensor([0.2, 0.6, 0.2], dtype=torch.float64)


def smooth(x, sigma):
    """A linear, symmetric, invertible denoiser of eigenvalues in (0, 1]."""
    return convolve_separable(x, KERNEL, "reflect")


def dense(f, size):
    basis = torch.eye(size[0] * size[1], dtype=torch.float64).reshape(-1, 1, *size)
    return f(basis).flatten(1).T.numpy()


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


def test_the_fixed_point_of_a_linear_denoiser(generator):
    """(HᵀH + ρ(W⁻¹ − I))x = Hᵀy."""
    size, H = (6, 7), Blur(gaussian_psf(1.0), "replicate")
    y = torch.rand(1, 1, *size, generator=generator, dtype=torch.float64)
    sigma, level, lam = 0.1, 0.2, 2.0
    A, W = dense(H, size), dense(lambda x: smooth(x, level), size)
    rho = lam * sigma**2 / level**2
    prior = rho * (np.linalg.inv(W) - np.eye(len(W)))
    x = np.linalg.solve(A.T @ A + prior, A.T @ y.flatten().numpy())
    found = PnPADMM(smooth, K=100, sigma_1=level, lam=lam).run(Problem(y, H, Gaussian(sigma)))
    assert np.allclose(found.x.flatten().numpy(), x, atol=1e-4)
    assert found.stats[-1]["split"] < 1e-5


def test_with_the_proximal_map_of_total_variation_it_minimises_total_variation(camera):
    x = camera[..., 20:36, 30:50].double()
    problem = Problem.simulate(x, Blur(gaussian_psf(1.0), "circular"), Gaussian(0.05), 0)
    weight = 0.01

    def proximal(x, sigma):
        return rof.minimise(x, sigma**2, "pdhg", Limits(1e-6, 500)).x

    expected = TotalVariation(weight, tolerance=1e-7, max_iterations=2000).run(problem).x
    method = PnPADMM(proximal, K=40, sigma_1=0.3, lam=weight / 0.05**2)
    found = method.run(problem).x
    assert torch.allclose(found, expected, atol=2e-3)
    assert psnr(found, expected) > 65


def test_rho_grows_by_gamma_and_the_level_falls(camera):
    problem = Problem(camera, Blur(gaussian_psf(1.0), "circular"), Gaussian(0.02))
    stats = PnPADMM(smooth, K=3, sigma_1=0.1, gamma=4.0).run(problem).stats
    assert [row["sigma"] for row in stats] == pytest.approx([0.1, 0.05, 0.025])
    assert [row["rho"] for row in stats] == pytest.approx([0.04, 0.16, 0.64])


def test_bm3d_as_a_prior_beats_wiener(camera):
    x = camera[..., 20:68, 30:78]
    problem = Problem.simulate(x, Blur(gaussian_psf(1.6), "circular"), Gaussian(2 / 255), 0)
    found = PnPADMM(MethodDenoiser("bm3d")).run(problem).x
    assert psnr(found, x) > psnr(Wiener().run(problem).x, x) + 0.5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_H_is_solved(case, camera, cat):
    x = (cat if case.colour_only else camera)[..., :32, :32]
    problem = case.problem(x)
    found = PnPADMM(MethodDenoiser("tv")).run(problem).x
    assert found.shape == x.shape
    assert psnr(found, x) > psnr(naive(problem), x)


def test_refusals(camera):
    with pytest.raises(CannotSolve, match="needs to know H"):
        PnPADMM(smooth).run(Problem(camera, UnknownBlur(9), Gaussian(0.1)))
    for name, value in (("K", 0), ("lam", 0.0), ("sigma_1", math.nan), ("gamma", 0.5)):
        with pytest.raises(InvalidParameter, match=name):
            PnPADMM(smooth, **{name: value})
