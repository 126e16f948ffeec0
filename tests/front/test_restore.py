from dataclasses import replace

import numpy as np
import pytest
import torch

from restora import catalog
from restora.core.errors import CannotSolve, InvalidInput, UnknownName
from restora.core.problem import Problem
from restora.core.result import Code
from restora.front.plan import plan
from restora.front.restore import restore
from restora.methods.filters.gaussian import GaussianFilter
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur, UnknownDegradation


def noisy(x, sigma, seed=0):
    return Problem.simulate(x, Identity(), Gaussian(sigma), seed)


def psnr(x, reference):
    return -10 * float((x - reference).square().mean().log10())


def test_the_log_says_what_was_found_and_what_was_run(camera):
    problem = Problem(noisy(camera, 20 / 255).y, Identity(), UnknownNoise())
    result = restore(problem)
    assert "σ" in result.status.sentence
    assert "bm3d, chosen because" in result.status.sentence
    assert psnr(result.x, camera) > psnr(problem.y, camera) + 4


def test_a_configured_method_is_run_as_it_is(camera):
    problem = noisy(camera, 20 / 255)
    method = GaussianFilter(s=0.7)
    assert torch.equal(restore(problem, method).x, method.run(problem).x)
    with pytest.raises(InvalidInput, match="configured"):
        restore(problem, method, parameters={"s": 1.0})


def test_parameters_reach_the_method(camera):
    problem = noisy(camera, 20 / 255)
    assert torch.equal(restore(problem, "gaussian", parameters={"s": "0.7"}).x, GaussianFilter(s=0.7).run(problem).x)


def test_names_are_checked(camera):
    with pytest.raises(UnknownName, match="did you mean gaussian"):
        restore(noisy(camera, 0.1), "gausian")
    with pytest.raises(CannotSolve, match="gaussian solves Identity, not Blur"):
        restore(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.0)), "gaussian")


def test_an_unknown_blur_is_estimated(camera):
    blurred = Problem.simulate(camera, Blur(gaussian_psf(2.0), "reflect"), Gaussian(1 / 255), 0)
    result = restore(Problem(blurred.y, UnknownBlur(31), Gaussian(1 / 255)))
    assert psnr(result.x, camera) > psnr(blurred.y, camera)


def test_tiles_of_a_global_method_are_said_to_be_an_approximation(camera):
    problem = noisy(camera, 20 / 255)
    result = restore(problem, "tv", tile=64)
    assert "approximation" in result.status.sentence
    assert torch.allclose(result.x, restore(problem, "tv").x, atol=0.02)


def test_pictures_too_small_for_a_method_are_padded_and_cut(camera, monkeypatch):
    problem = noisy(camera[:, :, :37, :53], 20 / 255)
    expected = restore(problem, "gaussian").x
    monkeypatch.setattr(GaussianFilter, "spec", replace(catalog.find("gaussian").spec(), min_size=48))
    padded = restore(problem, "gaussian").x
    assert padded.shape == problem.y.shape
    assert torch.allclose(padded, expected, atol=1e-6)  # the padding is this filter's own border rule


def test_noise_that_grows_with_the_light_is_made_white_first(camera):
    noise = CameraNoise(0.03, 1e-4)
    y = noise.sample(camera, torch.Generator().manual_seed(0))
    told = restore(Problem(y, Identity(), noise), "nlm")
    as_white = restore(Problem(y, Identity(), Gaussian(noise.sigma)), "nlm")
    assert "Anscombe" in told.status.sentence
    assert psnr(told.x, camera) > psnr(as_white.x, camera) + 0.3


def test_a_noisy_photograph_gets_better_by_itself(cat):
    y = noisy(cat, 25 / 255).y
    result = restore(Problem(y, UnknownDegradation(), UnknownNoise()))
    assert psnr(result.x, cat) > psnr(y, cat) + 4
    assert "noise" in result.status.sentence


def test_a_clean_photograph_is_left_alone():
    from skimage import data

    clean = torch.from_numpy(np.ascontiguousarray(data.astronaut().transpose(2, 0, 1)))[None].float() / 255
    smooth = torch.nn.functional.avg_pool2d(clean, 2)
    result = restore(Problem(smooth, UnknownDegradation(), UnknownNoise()))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, smooth)


def test_a_noise_level_that_is_given_is_kept_where_the_degradation_is_unknown(cat):
    y = noisy(cat, 25 / 255).y
    decided = plan(Problem(y, UnknownDegradation(), Gaussian(20 / 255)))
    assert decided.problem.noise == Gaussian(20 / 255)
    assert "σ = 20 (of 255), as given" in str(decided)
