import math

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.deblurring.bm3d_deb import BM3DDeblurring
from restora.methods.transforms.bm3d import BM3D
from restora.methods.transforms.cbm3d import CBM3D
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf
from restora.patches.collaborative_stage import NORMAL, STRONG, Stage


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


def noisy(x, sigma):
    y = x + torch.from_numpy(np.random.RandomState(0).normal(0, sigma, x.shape)).to(x)
    return Problem(y, Identity(), Gaussian(sigma))


@pytest.mark.parametrize(
    ("sigma", "number", "figure"),
    # the card's, of the authors' package of 2024, which chooses its thresholds by other rules
    [(15, 2, 34.89), (25, 1, 29.56), (25, 9, 30.66), (50, 2, 29.49), (50, 9, 27.06)],
)
def test_the_figures_of_set12(sigma, number, figure, data_dir):
    x = torch.from_numpy(np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255)[None, None]
    problem = noisy(x, sigma / 255)
    found = BM3D.for_problem(problem).run(problem.with_y(problem.y.float()))
    assert psnr(found.x.double().clamp(0, 1), x) > figure - 0.1


def test_the_second_stage_gains_on_the_first(camera):
    problem = noisy(camera, 25 / 255)
    result = BM3D().run(problem)
    assert psnr(result.x, camera) > psnr(result.parts["basic"], camera) + 0.1


def test_colour_gains_from_its_channels(cat):
    problem = noisy(cat, 25 / 255)
    together = CBM3D().run(problem).x
    alone = torch.cat([BM3D().run(problem.with_y(problem.y[:, c : c + 1])).x for c in range(3)], 1)
    assert psnr(together, cat) > psnr(alone, cat) + 0.4


def test_one_channel_is_filtered_as_by_bm3d(camera):
    problem = noisy(camera, 25 / 255)
    assert torch.equal(CBM3D().run(problem).x, BM3D().run(problem).x)


def test_gray_pictures_with_three_equal_channels_stay_gray(camera):
    y = noisy(camera, 0.1).y.expand(-1, 3, -1, -1)
    x = CBM3D().run(Problem(y, Identity(), Gaussian(0.1))).x
    assert torch.allclose(x[:, 0], x[:, 2], atol=1e-5)
    assert torch.allclose(x[:, 0], x[:, 1], atol=1e-5)


@pytest.mark.parametrize(("sigma", "profile"), [(40 / 255, NORMAL), (41 / 255, STRONG)])
def test_the_profile_follows_the_noise_where_blocks_are_matched(sigma, profile):
    assert BM3D.for_noise(sigma) == BM3D(profile.basic, profile.final)
    assert CBM3D.for_noise(sigma, channels=1) == CBM3D(profile.basic, profile.final)
    assert CBM3D.for_noise(3**0.5 * sigma) == CBM3D(profile.basic, profile.final)


def test_without_noise_nothing_happens(camera):
    for method in (BM3D(), CBM3D()):
        result = method.run(Problem(camera, Identity(), Gaussian(0.0)))
        assert result.status.code is Code.LEFT_ALONE
        assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(camera):
    blurred = Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1))
    for method in (BM3D(), CBM3D()):
        with pytest.raises(CannotSolve, match="Identity, not Blur"):
            method.run(blurred)
    with pytest.raises(CannotSolve, match="bm3d-deb solves Blur, not Identity"):
        BM3DDeblurring().run(noisy(camera, 0.1))
    with pytest.raises(InvalidInput, match="do not fit"):
        BM3D().run(Problem(camera[..., :7], Identity(), Gaussian(0.1)))
    for name, value in (("N1", 0), ("NS", 4), ("beta", -1.0), ("N1", 12)):
        with pytest.raises(InvalidParameter):
            Stage(**{name: value})


def test_deblurring_reaches_its_paper(data_dir):
    """Scenario 6 of the literature: a Gaussian of 0.4 pixels, σ = 8; 4.70 dB gained on the cameraman."""
    x = torch.from_numpy(np.asarray(Image.open(data_dir / "test" / "Set12" / "01.png")) / 255).float()[None, None]
    H = Blur(gaussian_psf(0.4), "circular")
    problem = Problem.simulate(x, H, Gaussian(8 / 255), seed=0)
    assert psnr(BM3DDeblurring().run(problem).x, x) - psnr(problem.y, x) > 4.6


@pytest.mark.parametrize(("method", "channels"), [(BM3D(), 1), (CBM3D(), 3)])
def test_gradients_pass(method, channels):
    generator = torch.Generator().manual_seed(0)
    x = torch.linspace(0, 1, 26, dtype=torch.float64).expand(1, channels, 24, 26)
    y, direction = (x + 0.1 * torch.randn(x.shape, dtype=x.dtype, generator=generator) for _ in range(2))

    def loss(y):
        return method.run(Problem(y, Identity(), Gaussian(0.1))).x.square().sum()

    (gradient,) = torch.autograd.grad(loss(y.requires_grad_()), y)
    y, step = y.detach(), 1e-7  # so small that neither matches nor what is kept change
    difference = (loss(y + step * direction) - loss(y - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(float(difference), rel=1e-5)
