import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import fft

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.transforms.sliding_dct import SlidingDCT
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf
from restora.patches.sliding_dct import sliding_dct


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


@pytest.mark.parametrize(
    ("number", "sigma", "wiener", "figure"),
    [(1, 25, True, 28.60), (2, 25, True, 31.59), (9, 25, True, 28.93), (2, 25, False, 31.28)],
)
def test_the_figures_of_set12(number, sigma, wiener, figure, data_dir):
    # y = x + RandomState(0).normal(0, σ/255, x.shape), PSNR after clipping; no border extension there
    x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
    y = x + np.random.RandomState(0).normal(0, sigma / 255, x.shape)
    found = SlidingDCT(wiener=wiener).run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
    assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(figure, abs=0.03)


def test_colours_are_transformed_across(cat):
    z = fft.dct(cat.double().numpy(), axis=1, norm="ortho")
    first = sliding_dct(torch.from_numpy(z), side=8, sigma=0.1, threshold=3.0, pilot=None)
    expected = fft.idct(first.numpy(), axis=1, norm="ortho")
    found = SlidingDCT(wiener=False).run(denoising(cat.double(), 0.1)).x
    assert np.allclose(found, expected, rtol=0, atol=1e-12)


def test_colour_gains_from_its_channels(cat):
    y = cat + 0.1 * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0))
    together = SlidingDCT().run(denoising(y, 0.1)).x
    alone = torch.cat([SlidingDCT().run(denoising(y[:, c : c + 1], 0.1)).x for c in range(3)], 1)
    gain = 10 * math.log10(float((alone - cat).square().mean() / (together - cat).square().mean()))
    assert gain > 0.3


def test_without_noise_nothing_happens(camera):
    result = SlidingDCT().run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(camera):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        SlidingDCT().run(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="n = 1"):
        SlidingDCT(n=1)
