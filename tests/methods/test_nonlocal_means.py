import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.restoration import denoise_nl_means

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.filters.nonlocal_means import NonLocalMeans
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf
from restora.patches.pixelwise_means import pixelwise_means


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def psnr(x, reference):
    return float(-10 * np.log10(np.mean((np.clip(x, 0, 1) - reference) ** 2)))


@pytest.mark.parametrize(
    ("level", "gray", "colour"),
    [
        (15, (3, 21, 0.40), (3, 21, 0.55)),
        (25, (5, 21, 0.40), (3, 21, 0.55)),
        (30, (5, 21, 0.40), (5, 35, 0.40)),
        (45, (7, 35, 0.35), (5, 35, 0.40)),
        (55, (9, 35, 0.35), (5, 35, 0.40)),
        (75, (9, 35, 0.35), (7, 35, 0.35)),
        (100, (11, 35, 0.30), (7, 35, 0.35)),
        (140, (11, 35, 0.30), (7, 35, 0.35)),
    ],
)
def test_the_tables_of_the_article(level, gray, colour):
    assert NonLocalMeans.for_noise(level / 255) == NonLocalMeans(*gray)
    assert NonLocalMeans.for_noise(level / 255, channels=3) == NonLocalMeans(*colour)


def test_two_values_on_a_chessboard_by_hand():
    # A pixel (patch 1) of value v sees four of its like and four of the others at squared distance 1 in a 3x3 window;
    # with σ → 0 and h = 1 these weigh exp(−1), and it weighs as much as the best of the others, 1.
    board = (torch.arange(12)[:, None] + torch.arange(12)[None]).remainder(2).double()[None, None]
    x = NonLocalMeans(patch=1, window=3, h_over_sigma=1e6).run(denoising(board, 1e-6)).x
    share = 4 * math.exp(-1) / (5 + 4 * math.exp(-1))
    assert torch.allclose(x[..., 1:-1, 1:-1], (board + (1 - 2 * board) * share)[..., 1:-1, 1:-1], atol=1e-9)


def test_what_repeats_25_times_loses_most_of_its_noise():
    pattern = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1)).repeat(1, 1, 12, 12)
    noisy = pattern + 0.02 * torch.randn(pattern.shape, generator=torch.Generator().manual_seed(2))
    x = NonLocalMeans(patch=3, window=21).run(denoising(noisy, 0.02)).x
    assert psnr(x.numpy(), pattern.numpy()) > psnr(noisy.numpy(), pattern.numpy()) + 9


def test_it_is_better_than_the_pixelwise_one_of_scikit_image(camera):
    noise = np.random.default_rng(0).normal(0, 25 / 255, camera.shape[-2:])
    clean = camera[0, 0].double().numpy()
    theirs = denoise_nl_means(clean + noise, 5, 10, h=0.6 * 25 / 255, sigma=25 / 255, fast_mode=True)
    problem = denoising(torch.from_numpy(clean + noise)[None, None])
    ours = NonLocalMeans.for_problem(problem).run(problem).x[0, 0].numpy()
    assert psnr(ours, clean) > psnr(theirs, clean)


def test_without_noise_the_image_is_left_alone(cat):
    result = NonLocalMeans.for_problem(denoising(cat, 0.0)).run(denoising(cat, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, cat)
    assert result.x is not cat


def test_the_halo_is_all_it_looks_at(camera):
    method = NonLocalMeans(patch=5, window=11)
    halo = NonLocalMeans.spec.halo(method)
    assert halo == 9
    whole = method.run(denoising(camera)).x
    part = method.run(denoising(camera[..., : 30 + halo, : 20 + halo])).x
    assert torch.allclose(part[..., :30, :20], whole[..., :30, :20], atol=1e-6)


def test_the_figures_of_set12(data_dir):
    # The article's algorithm with shrunken border patches, σ = 25, y = x + RandomState(0).normal(0, 25/255, x.shape).
    expected = [28.98, 31.24, 29.03, 27.43, 28.27, 27.85, 28.32]
    for number, value in enumerate(expected, start=1):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        problem = denoising(torch.from_numpy(y).float()[None, None])
        found = NonLocalMeans.for_problem(problem).run(problem).x[0, 0].double().numpy()
        assert value - 0.005 < psnr(found, x) < value + 0.07


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        NonLocalMeans().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="patch = 4"):
        NonLocalMeans(patch=4)
    with pytest.raises(InvalidParameter, match="window = 0"):
        NonLocalMeans(window=0)
    with pytest.raises(InvalidParameter, match="h_over_sigma = 0"):
        NonLocalMeans(h_over_sigma=0.0)


def test_the_pixelwise_figure_of_set12(data_dir):
    # σ = 25, y = x + RandomState(0).normal(0, 25/255, x.shape), IPOL parameters, PSNR after clipping: 28.22 on the mean
    method = NonLocalMeans(5, 21, 0.40, "pixelwise")
    found = []
    for number in range(1, 13):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        estimate = method.run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
        found.append(psnr(estimate, x))
    assert np.mean(found) == pytest.approx(28.22, abs=0.02)


def test_the_pixelwise_kind_is_what_it_says(camera):
    found = NonLocalMeans(3, 9, 0.5, "pixelwise").run(denoising(camera, 0.1)).x
    expected = pixelwise_means(camera, sigma=0.1, h=0.05, patch=3, window=9)
    assert torch.equal(found, expected)
    assert NonLocalMeans.spec.halo(NonLocalMeans(3, 9, 0.5, "pixelwise")) == 4 + 1
