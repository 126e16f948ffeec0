import math

import cv2
import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.variational.tv_l1 import TVL1
from restora.noise.gaussian import Gaussian
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.numerics.total_variation import total_variation
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur


def psnr(u, x):
    return -10 * math.log10(float((u.clamp(0, 1) - x).square().mean()))


@pytest.mark.parametrize(("mu", "stays"), [(0.5, False), (0.9, True)])
def test_a_square_stays_whole_or_goes_whole(mu, stays):
    """A square of side a has TV = 4a − 2 + √2 here (one corner pixel counts once), and goes where μa² is less."""
    y = torch.zeros(1, 1, 17, 17, dtype=torch.float64)
    y[..., 5:10, 5:10] = 1  # 25 pixels, TV 19.4: the border of μ is 0.78, less what rounding the corners saves
    x = TVL1(mu, 1e-8, 6000).run(Problem(y, Identity(), SaltAndPepper(0.1))).x
    assert float(x[..., 7, 7]) == pytest.approx(float(stays), abs=1e-3)


def test_one_row_is_a_linear_programme():
    y = torch.rand(1, 1, 1, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = TVL1(0.6, 1e-10, 20000).run(Problem(y, Identity(), SaltAndPepper(0.1))).x[0, 0, 0].numpy()
    n, y0 = 12, y[0, 0, 0].numpy()
    D, one, zero = np.diff(np.eye(n), axis=0), np.eye(n), np.zeros((n, n - 1))
    cost = np.r_[np.zeros(n), np.ones(n - 1), 0.6 * np.ones(n)]
    A = np.block(
        [
            [D, -np.eye(n - 1), np.zeros((n - 1, n))],
            [-D, -np.eye(n - 1), np.zeros((n - 1, n))],
            [one, zero, -one],
            [-one, zero, -one],
        ]
    )
    least = linprog(cost, A, np.r_[np.zeros(2 * n - 2), y0, -y0], bounds=[(None, None)] * n + [(0, None)] * (2 * n - 1))
    assert np.abs(np.diff(x)).sum() + 0.6 * np.abs(x - y0).sum() == pytest.approx(least.fun, rel=1e-6)


def test_impulses_go_and_it_is_no_worse_than_opencv(camera):
    problem = Problem.simulate(camera, Identity(), SaltAndPepper(0.2), seed=0)
    method = TVL1.for_problem(problem)
    restored = method.run(problem).x
    levels = (problem.y[0, 0].numpy() * 255).round().astype(np.uint8)
    peer = np.empty_like(levels)
    cv2.denoise_TVL1([levels], peer, method.mu, 100)
    assert psnr(restored, camera) > psnr(problem.y, camera) + 10
    assert psnr(restored, camera) > psnr(torch.from_numpy(peer / 255)[None, None], camera) - 0.1


@pytest.mark.parametrize("H", [Blur(gaussian_psf(0.8), "replicate"), Mask(torch.ones(24, 24))], ids=["dual", "mask"])
def test_no_image_near_the_solution_is_better(H, camera):
    x = camera[..., :24, :24].double()
    problem = Problem.simulate(x, H, SaltAndPepper(0.1), seed=0)
    result = TVL1(1.5, 1e-7, 4000).run(problem)
    least = result.stats[-1]["objective"]
    generator = torch.Generator().manual_seed(0)
    for scale in (1e-2, 1e-3):
        other = result.x + scale * torch.randn(x.shape, generator=generator, dtype=torch.float64)
        measured = 1.5 * (H(other) - problem.y).abs().sum()
        assert float(measured + total_variation(other).sum()) > least


def test_the_weight_follows_the_noise():
    y = torch.zeros(1, 3, 8, 8)
    impulses = TVL1.for_problem(Problem(y, Identity(), SaltAndPepper(0.3)))
    assert impulses.mu == pytest.approx(math.sqrt(3) * 0.93 * 0.3**-0.29)
    assert TVL1.for_problem(Problem(y, Identity(), Gaussian(0.1))) == TVL1.for_noise(0.1, channels=3)


def test_what_it_cannot_do_is_refused():
    with pytest.raises(CannotSolve, match="estimate the blur"):
        TVL1().run(Problem(torch.zeros(1, 1, 8, 8), UnknownBlur(5), Gaussian(0.1)))
    for call in (lambda: TVL1.for_noise(-1.0), lambda: TVL1.for_noise(0.1, 0.0), lambda: TVL1.for_impulses(2.0)):
        with pytest.raises(InvalidParameter):
            call()
