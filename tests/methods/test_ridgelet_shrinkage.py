import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.frames.finite_ridgelet import FiniteRidgelet
from restora.methods.transforms.ridgelet_shrinkage import RidgeletShrinkage
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_finite_ridgelets_are_thresholded_block_by_block(camera):
    y, sigma = camera[:, :, :30, :26].double(), 0.1
    mean = float(y.mean())
    mirrored = np.pad(y[0, 0].numpy() - mean, 11, mode="symmetric")
    tops, lefts = ([*range(0, n - 11, 4), n - 11] for n in mirrored.shape)
    total, times = np.zeros_like(mirrored), np.zeros_like(mirrored)
    one = FiniteRidgelet(11, 11)
    for top in tops:
        for left in lefts:
            block = torch.from_numpy(mirrored[top : top + 11, left : left + 11].copy())[None, None]
            coarse, details = one.analysis(block)
            kept = one.synthesis((coarse, details * (details.abs() > 3 * sigma)), (11, 11))
            total[top : top + 11, left : left + 11] += kept[0, 0].numpy()
            times[top : top + 11, left : left + 11] += 1
    expected = (total / times)[11:-11, 11:-11] + mean
    x = RidgeletShrinkage("finite", side=11, step=4).run(denoising(y, sigma)).x
    assert np.allclose(x[0, 0].numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["local", "finite"])
def test_no_threshold_is_no_change(kind, camera):
    assert torch.allclose(RidgeletShrinkage(kind, k=0.0).run(denoising(camera)).x, camera, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["local", "finite"])
def test_noise_alone_leaves_hardly_anything(kind):
    y = torch.from_numpy(np.random.RandomState(0).normal(0.5, 0.1, (1, 1, 128, 128)))
    assert float(RidgeletShrinkage(kind).run(denoising(y, 0.1)).x.std()) < 0.025


@pytest.mark.parametrize("kind", ["local", "finite"])
def test_a_shift_by_the_step_shifts_the_result(kind, camera):
    y = camera.double()
    method = RidgeletShrinkage(kind, side=16 if kind == "local" else 17, step=4)
    inner = slice(48, 80)
    one, other = (method.run(denoising(z - z.mean())).x[..., inner, inner] for z in (y, y.roll((4, -8), (-2, -1))))
    assert torch.allclose(method.run(denoising(y - y.mean())).x[..., 44:76, 56:88], other, rtol=0, atol=1e-12)
    assert not torch.allclose(one, other, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("kind", "least"), [("local", 31.46), ("finite", 31.1)])
def test_lena_at_20_scores_as_in_the_article(kind, least, data_dir):
    """31.46 dB is what the article of 2002 has for local ridgelets (other noise); finite ones are held to our own."""
    x = np.asarray(Image.open(data_dir / "test" / "Set12" / "08.png")) / 255
    y = x + np.random.RandomState(0).normal(0, 20 / 255, x.shape)
    found = RidgeletShrinkage(kind).run(denoising(torch.from_numpy(y).float()[None, None], 20 / 255)).x[0, 0].numpy()
    assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) > least


def test_without_noise_it_leaves_the_image_alone(camera):
    result = RidgeletShrinkage().run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        RidgeletShrinkage().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    for fields in ({"kind": "finite", "side": 16}, {"kind": "finite", "side": 37}, {"side": 2}):
        with pytest.raises(InvalidParameter, match="side"):
            RidgeletShrinkage(**fields)
    with pytest.raises(InvalidParameter, match="step = 5"):
        RidgeletShrinkage(step=5)
