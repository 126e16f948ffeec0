import math
from pathlib import Path

import numpy as np
import pytest
import torch

from contracts.cases import CASES, naive
from restora.core.errors import CannotSolve, InvalidParameter, MissingWeights
from restora.core.problem import Problem
from restora.front.denoisers import MethodDenoiser
from restora.methods.deblurring.wiener import Wiener
from restora.methods.plug_and_play.pnp_hqs import PnPHQS
from restora.noise.gaussian import Gaussian
from restora.numerics.convolution import convolve_separable
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur

KERNEL = torch.tensor([0.2, 0.6, 0.2], dtype=torch.float64)


def smooth(x, sigma):
    """A linear, symmetric, invertible denoiser of eigenvalues in (0, 1]."""
    return convolve_separable(x, KERNEL, "reflect")


def dense(f, size):
    """The matrix of a linear map of images of that size."""
    basis = torch.eye(size[0] * size[1], dtype=torch.float64).reshape(-1, 1, *size)
    return f(basis).flatten(1).T.numpy()


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


@pytest.mark.parametrize("H", [Blur(gaussian_psf(1.0), "circular"), Blur(gaussian_psf(1.0), "replicate")])
def test_the_fixed_point_of_a_linear_denoiser(H, generator):
    """z = Wx, (HᵀH + ρ(I − W))x = Hᵀy."""
    size = (6, 7)
    y = torch.rand(1, 1, *size, generator=generator, dtype=torch.float64)
    sigma, level, lam = 0.1, 0.2, 2.0
    A, W = dense(H, size), dense(lambda x: smooth(x, level), size)
    rho = lam * sigma**2 / level**2
    x = np.linalg.solve(A.T @ A + rho * (np.eye(len(W)) - W), A.T @ y.flatten().numpy())
    method = PnPHQS(smooth, K=60, sigma_1=level, sigma_K=level, lam=lam)
    found = method.run(Problem(y, H, Gaussian(sigma)))
    assert np.allclose(found.x.flatten().numpy(), W @ x, atol=1e-5)


def test_the_schedule_is_geometric_and_rho_follows_it():
    levels = []

    def keep(x, sigma):
        levels.append(sigma)
        return x

    problem = Problem(torch.rand(1, 1, 4, 4), Identity(), Gaussian(4 / 255))
    stats = PnPHQS(keep, K=3).run(problem).stats
    assert [255 * level for level in levels] == pytest.approx([49, 14, 4])
    assert [row["rho"] for row in stats] == pytest.approx([0.23 * (4 / 49) ** 2, 0.23 * (4 / 14) ** 2, 0.23])
    levels.clear()
    PnPHQS(keep, K=1, sigma_K=0.1).run(problem)
    assert levels == [0.1]


def test_bm3d_as_a_prior_beats_wiener(camera):
    x = camera[..., 20:68, 30:78]
    problem = Problem.simulate(x, Blur(gaussian_psf(1.6), "circular"), Gaussian(2 / 255), 0)
    found = PnPHQS(MethodDenoiser("bm3d")).run(problem).x
    assert psnr(found, x) > psnr(Wiener().run(problem).x, x) + 0.5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_H_is_solved(case, camera, cat):
    x = (cat if case.colour_only else camera)[..., :32, :32]
    problem = case.problem(x)
    found = PnPHQS(MethodDenoiser("gaussian")).run(problem).x
    assert found.shape == x.shape
    assert psnr(found, x) > psnr(naive(problem), x)


def test_the_first_guess_after_blur_and_decimation_is_not_displaced(camera):
    """A shift by half a block would cost more than a decibel."""
    for scale in (2, 3, 4):
        x = camera[..., :96, :96]
        guess = BlurDecimate(gaussian_psf(0.3), scale).first_guess(x[..., ::scale, ::scale])
        scores = [
            psnr(guess.roll((i, j), (-2, -1))[..., 8:-8, 8:-8], x[..., 8:-8, 8:-8])
            for i in range(-2, 3)
            for j in (-1, 0, 1)
        ]
        assert int(np.argmax(scores)) == 2 * 3 + 1


def test_where_nothing_is_measured_the_guess_comes_from_around():
    known = torch.ones(8, 40)
    known[:, 10:30] = 0
    H = Mask(known) @ Blur(gaussian_psf(0.5), "reflect")
    guess = H.first_guess(H(torch.full((1, 1, 8, 40), 0.6)))
    assert torch.allclose(guess, torch.tensor(0.6), atol=1e-3)


def test_for_problem_takes_the_network_for_the_channels(camera, cat, tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    monkeypatch.setattr("restora.weights.store.shipped_folder", lambda: Path(tmp_path))
    for x, weights in ((camera, "ffdnet-gray"), (cat, "ffdnet-colour")):
        method = PnPHQS.for_problem(Problem(x, Identity(), Gaussian(0.1)))
        assert str(method.denoiser) == weights
        with pytest.raises(MissingWeights, match=weights):
            method.run(Problem(x, Identity(), Gaussian(0.1)))


def test_refusals(camera):
    with pytest.raises(CannotSolve, match="needs to know H"):
        PnPHQS(smooth).run(Problem(camera, UnknownBlur(9), Gaussian(0.1)))
    for name, value in (("K", 0), ("lam", 0.0), ("sigma_1", math.nan), ("sigma_K", -1.0)):
        with pytest.raises(InvalidParameter, match=name):
            PnPHQS(smooth, **{name: value})
