import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from contracts.cases import CASES, naive
from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.front.denoisers import MethodDenoiser
from restora.methods.deblurring.wiener import Wiener
from restora.methods.plug_and_play.red import RED
from restora.noise.gaussian import Gaussian
from restora.numerics.convolution import convolve_separable
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur

KERNEL = torch.tensor([0.2, 0.6, 0.2], dtype=torch.float64)


def smooth(x, sigma):
    """A linear, symmetric denoiser: here RED is what it claims to be."""
    return convolve_separable(x, KERNEL, "reflect")


def dense(f, size):
    basis = torch.eye(size[0] * size[1], dtype=torch.float64).reshape(-1, 1, *size)
    return f(basis).flatten(1).T.numpy()


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


@pytest.mark.parametrize(("form", "N"), [("fixed-point", 60), ("gradient-descent", 300)])
def test_both_forms_minimise_the_energy_of_a_linear_denoiser(form, N, generator):
    """(HᵀH/σ² + λ(I − W))x = Hᵀy/σ²."""
    size, H = (6, 7), Blur(gaussian_psf(0.7), "replicate")
    y = torch.rand(1, 1, *size, generator=generator, dtype=torch.float64)
    sigma, lam = 0.1, 30.0
    A, W = dense(H, size), dense(lambda x: smooth(x, 0.1), size)
    x = np.linalg.solve(A.T @ A / sigma**2 + lam * (np.eye(len(W)) - W), A.T @ y.flatten().numpy() / sigma**2)
    found = RED(smooth, lam=lam, N=N, form=form).run(Problem(y, H, Gaussian(sigma)))
    assert np.allclose(found.x.flatten().numpy(), x, atol=1e-4)
    assert found.stats[-1]["change"] < 1e-5


def test_the_denoiser_is_asked_for_its_one_level(camera):
    levels = set()

    def keep(x, sigma):
        levels.add(sigma)
        return x

    RED(keep, N=3).run(Problem(camera, Blur(gaussian_psf(1.0), "circular"), Gaussian(0.02)))
    assert levels == {3.25 / 255}


def test_the_rule_for_a_problem(camera):
    """Pure noise has g = 1, a mask that knows a half g = 1/2; without noise σ_f is the paper's."""
    noisy = RED.for_problem(Problem(camera, Identity(), Gaussian(0.1)))
    assert (noisy.sigma_f, noisy.lam) == pytest.approx((0.23, 5 / 0.23**2))
    half = Mask(torch.arange(128.0).remainder(2).expand(128, 128))
    holes = RED.for_problem(Problem(camera, half, Gaussian(0.0)))
    assert (holes.sigma_f, holes.lam * holes.sigma_f**2) == pytest.approx((3.25 / 255, (0.69 * 5) ** 0.5), rel=0.05)


def test_bm3d_as_a_prior_beats_wiener(camera):
    x = camera[..., 20:84, 30:94]
    problem = Problem.simulate(x, Blur(gaussian_psf(1.6), "circular"), Gaussian(2 / 255), 0)
    found = replace(RED.for_problem(problem), denoiser=MethodDenoiser("bm3d")).run(problem).x
    assert psnr(found, x) > psnr(Wiener().run(problem).x, x) + 0.5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_H_is_solved(case, camera, cat):
    x = (cat if case.colour_only else camera)[..., :32, :32]
    problem = case.problem(x)
    found = replace(RED.for_problem(problem), denoiser=MethodDenoiser("tv"), N=10).run(problem).x
    assert found.shape == x.shape
    assert psnr(found, x) > psnr(naive(problem), x)


def test_refusals(camera):
    with pytest.raises(CannotSolve, match="needs to know H"):
        RED(smooth).run(Problem(camera, UnknownBlur(9), Gaussian(0.1)))
    for name, value in (("N", 0), ("lam", 0.0), ("sigma_f", math.nan)):
        with pytest.raises(InvalidParameter, match=name):
            RED(smooth, **{name: value})
