import math

import numpy as np
import pytest
import pywt
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.transforms.visu_shrink import VisuShrink
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


@pytest.mark.filterwarnings("ignore:Level value of")
def test_it_is_the_algorithm_written_with_pywavelets(cat):
    y, sigma = cat.double(), 0.05
    x = VisuShrink("sym8", 3).run(denoising(y, sigma)).x
    for channel in range(3):
        approximation, *details = pywt.wavedec2(y[0, channel].numpy(), "sym8", "periodization", 3)
        t = sigma * math.sqrt(2 * math.log(96 * 112))
        shrunk = [tuple(pywt.threshold(band, t, "soft") for band in level) for level in details]
        expected = pywt.waverec2([approximation, *shrunk], "sym8", "periodization")
        assert np.allclose(x[0, channel].numpy(), expected, rtol=0, atol=1e-10)


@pytest.mark.filterwarnings("ignore:Level value of")
def test_of_noise_alone_nothing_but_the_approximation_is_left():
    noise = torch.from_numpy(np.random.RandomState(0).normal(0, 0.1, (1, 1, 256, 256)))
    left = VisuShrink().run(denoising(noise, 0.1)).x
    blocks = pywt.wavedec2(left[0, 0].numpy(), "sym8", "periodization", 4)[1:]
    assert sum(np.count_nonzero(np.abs(band) > 1e-9) for level in blocks for band in level) <= 2


@pytest.mark.parametrize(("side", "levels"), [(4, 1), (31, 1), (64, 2), (128, 3), (256, 4), (2048, 4)])
def test_the_coarse_scales_of_small_images_are_left_alone(side, levels):
    assert VisuShrink.for_problem(denoising(torch.zeros(1, 1, side, 300))).levels == levels


def test_the_figures_of_set12(data_dir):
    # The mean of the set is published, 22.45 dB; these with pywt in place of ours, as in the first test, 4 levels.
    for number, value in ((1, 21.79), (9, 22.00)):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        found = VisuShrink().run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.01)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        VisuShrink().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="spins = 0"):
        VisuShrink(spins=0)
    assert VisuShrink().run(denoising(cat, 0.0)).status.code is Code.LEFT_ALONE
