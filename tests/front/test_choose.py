import pytest
import torch

from restora.core.problem import Problem
from restora.front.choose import choose
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity


def image(megapixels, channels=1):
    """Of so many pixels, in the memory of one."""
    return torch.zeros(1, 1, 1, 1).expand(1, channels, 1000, round(1000 * megapixels))


@pytest.mark.parametrize(
    ("y", "noise", "method"),
    [
        (image(0.3), Gaussian(25 / 255), "bm3d"),
        (image(0.3, 3), Gaussian(25 / 255), "cbm3d"),
        (image(12), Gaussian(25 / 255), "ffdnet"),
        (image(12, 3), Gaussian(25 / 255), "ffdnet"),
        (image(12), Gaussian(90 / 255), "sliding-dct"),
        (image(12, 4), Gaussian(25 / 255), "sliding-dct"),
        (image(12), Jpeg(20), "sliding-dct"),
        (image(30), Gaussian(25 / 255), "sliding-dct"),
    ],
)
def test_noise(y, noise, method):
    assert choose(Problem(y, Identity(), noise)).method == method


@pytest.mark.parametrize(
    ("megapixels", "scale", "sigma", "method"),
    [
        (0.1, 2.0, 0.0, "scsr"),
        (0.1, 3.5, 0.0, "scsr"),
        (0.1, 6.0, 0.0, "back-projection"),
        (1.0, 2.0, 0.0, "back-projection"),
        (0.1, 2.0, 0.1, "tv"),
    ],
)
def test_too_few_pixels(megapixels, scale, sigma, method):
    assert choose(Problem(image(megapixels), Downsample(scale), Gaussian(sigma))).method == method
