import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.transforms.local_wiener import LocalWiener
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_a_single_bright_pixel():
    # Its window of 25 pixels has the mean 1/25 and the variance 1/25 − 1/625 = 24/625.
    y = torch.zeros(1, 1, 11, 11, dtype=torch.float64)
    y[..., 5, 5] = 1
    x = LocalWiener().run(denoising(y, 0.1)).x
    mu, v = 1 / 25, 24 / 625
    assert float(x[..., 5, 5]) == pytest.approx(mu + (v - 0.01) / v * (1 - mu), rel=1e-12)
    assert float(x[..., 5, 7]) == pytest.approx(mu - (v - 0.01) / v * mu, rel=1e-12)
    assert float(x[..., 5, 8]) == 0


def test_what_varies_less_than_noise_becomes_its_mean():
    y = 0.5 + 0.05 * torch.rand(1, 1, 20, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = LocalWiener(3).run(denoising(y, 0.1)).x
    assert float(x[0, 0, 10, 10]) == pytest.approx(float(y[0, 0, 9:12, 9:12].mean()), rel=1e-12)


def test_the_figures_of_set12(data_dir):
    # scipy.signal.wiener(np.pad(y, 2, "symmetric"), 5, (25/255)**2)[2:-2, 2:-2]
    for number, value in ((1, 26.77), (9, 25.82), (10, 27.00)):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        found = LocalWiener().run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.01)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        LocalWiener().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    for window in (1, 4):
        with pytest.raises(InvalidParameter, match="window"):
            LocalWiener(window)
    assert LocalWiener().run(denoising(cat, 0.0)).status.code is Code.LEFT_ALONE
