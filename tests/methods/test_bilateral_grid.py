import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.filters.bilateral_grid import BilateralGrid
from restora.noise.gaussian import Gaussian
from restora.numerics.smoothing.bilateral import bilateral
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_colours_are_averaged_by_their_luminance(cat):
    gray = (cat * torch.tensor([0.2989, 0.5870, 0.1140]).reshape(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    exact = bilateral(cat, gray, sigma_s=8.0, sigma_r=0.1, radius=24)
    found = BilateralGrid(8.0, 0.1, sampling=0.5).run(denoising(cat)).x
    assert float((found - exact).square().mean()) < 1e-5


def test_a_guide_of_one_image_steers_a_batch(camera):
    y = camera + 0.1 * torch.randn((2, 1, 128, 128), generator=torch.Generator().manual_seed(0))
    plain, joint = (BilateralGrid(4.0, 0.15, guide=guide).run(denoising(y)).x for guide in (None, camera))
    assert float((joint - camera).square().mean()) < 0.6 * float((plain - camera).square().mean())


def test_it_removes_noise_from_a_photograph(data_dir):
    x = np.asarray(Image.open(data_dir / "test" / "Set12" / "02.png")) / 255
    for level, least in ((15, 30.0), (25, 27.0), (50, 23.5)):
        y = torch.from_numpy(x + np.random.RandomState(0).normal(0, level / 255, x.shape)).float()[None, None]
        found = BilateralGrid.for_noise(level / 255).run(denoising(y)).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) > least


def test_quiet_noise_does_not_make_a_large_grid():
    for level in (1, 5, 10, 15, 25, 50):
        method = BilateralGrid.for_noise(level / 255)
        assert 1 / (method.sigma_r * method.sigma_s**2) < 2.0


def test_no_noise_no_change(camera):
    result = BilateralGrid.for_noise(0.0).run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        BilateralGrid().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match=r"sampling = 1\.5"):
        BilateralGrid(sampling=1.5)
