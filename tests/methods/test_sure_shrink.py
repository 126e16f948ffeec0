import math

import numpy as np
import pytest
import pywt
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.transforms.sure_shrink import SureShrink, threshold
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def by_definition(u):
    """The hybrid threshold, every candidate put into the formula."""
    n, u = u.size, np.abs(u.ravel())
    universal = math.sqrt(2 * math.log(n))
    if (np.sum(u**2) - n) / n <= math.log2(n) ** 1.5 / math.sqrt(n):
        return universal
    candidates = [0.0, *u[u <= universal]]
    return min(candidates, key=lambda t: n - 2 * np.sum(u <= t) * (t > 0) + np.sum(np.minimum(u, t) ** 2))


@pytest.mark.parametrize("scale", [0.0, 0.8, 3.0, 30.0])
@pytest.mark.parametrize("n", [1, 4, 63, 400])
def test_the_threshold_is_the_best_of_all_candidates(scale, n):
    random = np.random.default_rng(n)
    u = random.standard_normal((2, 3, n)) + scale * random.laplace(size=(2, 3, n))
    found = threshold(torch.from_numpy(u)).numpy()
    expected = [[by_definition(band) for band in bands] for bands in u]
    assert np.allclose(found, expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Level value of")
def test_it_is_the_algorithm_written_with_pywavelets(camera):
    y, sigma = camera.double() + torch.from_numpy(np.random.RandomState(0).normal(0, 0.1, (1, 1, 128, 128))), 0.1
    approximation, *details = pywt.wavedec2(y[0, 0].numpy(), "sym8", "periodization", 4)
    shrunk = [tuple(pywt.threshold(b, sigma * by_definition(b / sigma), "soft") for b in level) for level in details]
    expected = pywt.waverec2([approximation, *shrunk], "sym8", "periodization")
    assert np.allclose(SureShrink().run(denoising(y, sigma)).x[0, 0].numpy(), expected, rtol=0, atol=1e-10)


def test_the_figures_of_set12(data_dir):
    # The mean of the set is published, 26.77 dB; these with pywt and the definition in place of ours.
    for number, value in ((1, 25.83), (9, 26.25)):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        found = SureShrink().run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.01)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        SureShrink().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="levels = 0"):
        SureShrink(levels=0)
    assert SureShrink().run(denoising(cat, 0.0)).status.code is Code.LEFT_ALONE
