import numpy as np
import pytest
import pywt
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.transforms.undecimated_hard import UndecimatedHard
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def by_pywavelets(y, sigma, wavelet, levels):
    """On one period of the image and its mirror images, which is a multiple of 2^levels here."""
    h, w = y.shape
    approximation, *details = pywt.swt2(
        np.pad(y, ((0, h), (0, w)), mode="symmetric"), wavelet, levels, trim_approx=True, norm=True
    )
    kept = [
        tuple(pywt.threshold(band, 3 * sigma / 2**level, "hard") for band in bands)
        for level, bands in zip(range(levels, 0, -1), details)
    ]
    return pywt.iswt2([approximation, *kept], wavelet, norm=True)[:h, :w]


@pytest.mark.parametrize(("wavelet", "levels"), [("haar", 4), ("haar", 2), ("db2", 3), ("sym8", 2)])
def test_it_is_the_algorithm_written_with_pywavelets(wavelet, levels, cat):
    x = UndecimatedHard(wavelet=wavelet, levels=levels).run(denoising(cat.double(), 0.05)).x
    for channel in range(3):
        expected = by_pywavelets(cat[0, channel].double().numpy(), 0.05, wavelet, levels)
        assert np.allclose(x[0, channel].numpy(), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("wavelet", "levels"), [("haar", 4), ("db2", 3)])
def test_a_window_with_its_halo_gives_what_the_whole_gives(wavelet, levels, cat):
    method = UndecimatedHard(wavelet=wavelet, levels=levels)
    halo = UndecimatedHard.spec.halo(method)
    y = cat.double()
    part = method.run(denoising(y[..., 7 : 27 + 2 * halo, :])).x[..., halo : halo + 20, :]
    assert torch.allclose(part, method.run(denoising(y)).x[..., 7 + halo : 27 + halo, :], rtol=0, atol=1e-12)


def test_it_knows_no_direction(cat):
    y = cat.double()
    x = UndecimatedHard().run(denoising(y)).x
    assert torch.allclose(UndecimatedHard().run(denoising(y.flip(-1, -2))).x.flip(-1, -2), x, rtol=0, atol=1e-12)
    assert torch.allclose(UndecimatedHard().run(denoising(y.mT)).x.mT, x, rtol=0, atol=1e-12)


def test_the_figures_of_set12(data_dir):
    # The card has 28.01 and 26.02 dB for the periodic image; these by_pywavelets.
    for number, value in ((1, 28.06), (9, 26.05)):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        found = UndecimatedHard().run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.01)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        UndecimatedHard().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="levels = 13"):
        UndecimatedHard(levels=13)
    with pytest.raises(InvalidParameter, match="orthonormal"):
        UndecimatedHard(wavelet="bior4.4")
    assert UndecimatedHard().run(denoising(cat, 0.0)).status.code is Code.LEFT_ALONE
