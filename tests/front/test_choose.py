import pytest
import torch

from restora.core.problem import Problem
from restora.front.choose import choose
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic
from restora.operators.psf import disk_psf


def image(megapixels, channels=1):
    """Of so many pixels, in the memory of one."""
    return torch.zeros(1, 1, 1, 1).expand(1, channels, 1000, round(1000 * megapixels))


@pytest.mark.parametrize(
    ("y", "noise", "method"),
    [
        (image(0.3), Gaussian(25 / 255), "bm3d"),
        (image(0.3, 3), Gaussian(15 / 255), "cbm3d"),
        (image(0.3, 3), Gaussian(25 / 255), "drunet"),
        (image(0.3), Gaussian(90 / 255), "bm3d"),
        (image(0.3, 3), Gaussian(90 / 255), "cbm3d"),
        (image(0.3, 4), Gaussian(25 / 255), "bm3d"),
        (image(6), Gaussian(25 / 255), "ffdnet"),
        (image(6, 3), Gaussian(15 / 255), "drunet"),
        (image(12), Gaussian(25 / 255), "ffdnet"),
        (image(12, 3), Gaussian(25 / 255), "ffdnet"),
        (image(12), Gaussian(90 / 255), "sliding-dct"),
        (image(12, 4), Gaussian(25 / 255), "sliding-dct"),
        (image(0.3), Jpeg(20), "dncnn"),
        (image(0.3, 3), Jpeg(20), "dncnn"),
        (image(0.3), Jpeg(90), "bm3d"),
        (image(12), Jpeg(20), "sliding-dct"),
        (image(30), Gaussian(25 / 255), "sliding-dct"),
    ],
)
def test_noise(y, noise, method):
    assert choose(Problem(y, Identity(), noise)).method == method


@pytest.mark.parametrize(
    ("megapixels", "scale", "sigma", "method"),
    [
        (0.1, 2.0, 0.0, "scn"),
        (0.1, 3.5, 0.0, "scn"),
        (0.1, 4.0, 0.0, "rrdb"),
        (0.6, 4.0, 0.0, "rrdb"),
        (0.8, 4.0, 0.0, "espcn"),
        (0.1, 6.0, 0.0, "back-projection"),
        (2.2, 2.0, 0.0, "espcn"),
        (2.2, 2.5, 0.0, "back-projection"),
        (0.1, 2.0, 0.1, "tv"),
    ],
)
def test_too_few_pixels(megapixels, scale, sigma, method):
    assert choose(Problem(image(megapixels), Downsample(scale), Gaussian(sigma))).method == method


@pytest.mark.parametrize(
    ("H", "sigma", "small", "large"),
    [
        (Blur(disk_psf(2.0)), 0.01, "dpir", "bm3d-deb"),
        (Blur(disk_psf(2.0)), 0.0, "dpir", "hyper-laplacian"),
        (Mask(torch.ones(1000, 200)), 0.0, "dpir", "tv-inpainting"),
        (Mosaic("RGGB"), 0.0, "dpir", "tv"),
    ],
)
def test_the_network_is_run_dozens_of_times_on_small_pictures_in_colour_alone(H, sigma, small, large):
    channels = 1 if isinstance(H, Mosaic) else 3
    assert choose(Problem(image(0.2, channels), H, Gaussian(sigma))).method == small
    if not isinstance(H, Mosaic):
        assert choose(Problem(image(0.2), H, Gaussian(sigma))).method == large
    H = Mask(torch.ones(1000, 1000)) if isinstance(H, Mask) else H
    assert choose(Problem(image(1.0, channels), H, Gaussian(sigma))).method == large
