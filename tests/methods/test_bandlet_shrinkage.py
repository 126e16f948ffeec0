import numpy as np
import pytest
import pywt
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.transforms.bandlet_shrinkage import BandletShrinkage
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_where_directions_cost_too_much_it_is_hard_thresholding_of_wavelets(camera):
    y, sigma = camera.double(), 0.1
    approximation, *details = pywt.wavedec2(y[0, 0].numpy(), "sym8", "periodization", 3)
    kept = [tuple(pywt.threshold(band, 3 * sigma, "hard") for band in level) for level in details]
    expected = pywt.waverec2([approximation, *kept], "sym8", "periodization")
    x = BandletShrinkage(penalty=1e9, levels=3, spins=1).run(denoising(y, sigma)).x
    assert np.allclose(x[0, 0].numpy(), expected, rtol=0, atol=1e-10)


def test_an_image_is_mirrored_to_whole_squares(camera):
    y = camera[:, :, :100, :90].double()
    mirrored = torch.from_numpy(np.pad(y.numpy(), ((0, 0), (0, 0), (0, 28), (0, 38)), mode="symmetric"))
    method = BandletShrinkage(spins=2)
    assert torch.allclose(method.run(denoising(y)).x, method.run(denoising(mirrored)).x[..., :100, :90], atol=1e-12)


def test_progress_counts_the_shifts(camera):
    seen = []
    BandletShrinkage(spins=2).run(denoising(camera), progress=lambda done, total, note="": seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_figures_of_the_card(data_dir):
    """σ = 20, T = 3σ, squares of 4 and 8, 16 shifts: measured before this was written, on the same noise."""
    for number, value in {1: 28.91, 2: 30.97}.items():
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 20 / 255, x.shape)
        found = BandletShrinkage().run(denoising(torch.from_numpy(y).float()[None, None], 20 / 255)).x
        found = found[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.05)


def test_without_noise_it_leaves_the_image_alone(camera):
    result = BandletShrinkage().run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        BandletShrinkage().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="k = 0"):
        BandletShrinkage(k=0.0)
