import dataclasses

import numpy as np
import pytest
import pywt
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.transforms.bayes_shrink import BayesShrink
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def line_norms(n, wavelet, mode, levels):
    """Norms of the rows of the transform of n samples: approximation, then of each level low and high pass."""
    norms = []
    low = np.eye(n)
    for _ in range(levels):
        low, high = pywt.dwt(low, wavelet, mode, axis=0)
        norms.append([np.linalg.norm(rows, axis=1) for rows in (low, high)])
    return norms[::-1]


def by_pywavelets(y, sigma, wavelet, mode, levels):
    approximation, *details = pywt.wavedec2(y, wavelet, mode, levels)
    rows, columns = (line_norms(n, wavelet, mode, levels) for n in y.shape)

    def shrink(band, norms):
        variance = (sigma * norms) ** 2
        sigma_x = max((band**2).mean() - variance.mean(), 0) ** 0.5
        return pywt.threshold(band, variance / sigma_x if sigma_x else np.abs(band).max(), "soft")

    shrunk = [
        tuple(shrink(band, np.outer(i, j)) for band, (i, j) in zip(level, ((b, c), (a, d), (b, d)), strict=True))
        for level, (a, b), (c, d) in zip(details, rows, columns, strict=True)
    ]
    return pywt.waverec2([approximation, *shrunk], wavelet, mode)


@pytest.mark.parametrize(("boundary", "mode"), [("periodic", "periodization"), ("reflect", "symmetric")])
@pytest.mark.parametrize("wavelet", ["haar", "sym8"])
@pytest.mark.parametrize("sigma", [0.02, 0.5])
@pytest.mark.filterwarnings("ignore:Level value of")
def test_it_is_the_algorithm_written_with_pywavelets(boundary, mode, wavelet, sigma, cat):
    x = BayesShrink(wavelet, 4, boundary=boundary).run(denoising(cat.double(), sigma)).x
    for channel in range(3):
        expected = by_pywavelets(cat[0, channel].double().numpy(), sigma, wavelet, mode, 4)
        assert np.allclose(x[0, channel].numpy(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("boundary", ["periodic", "reflect"])
def test_spinning_is_the_mean_over_shifts(boundary, camera):
    y = camera.double()
    once = BayesShrink(boundary=boundary)
    expected = torch.zeros_like(y)
    for i in range(2):
        for j in range(2):
            if boundary == "periodic":
                shifted = once.run(denoising(y.roll((i, j), (-2, -1)))).x.roll((-i, -j), (-2, -1))
            else:
                padded = torch.from_numpy(np.pad(y.numpy(), ((0, 0), (0, 0), (i, 0), (j, 0)), mode="symmetric"))
                shifted = once.run(denoising(padded)).x[..., i:, j:]
            expected += shifted / 4
    spun = dataclasses.replace(once, spins=2).run(denoising(y))
    assert torch.allclose(spun.x, expected, rtol=0, atol=1e-12)
    assert "4 shifts" in spun.status.sentence


def test_a_biorthogonal_bank_removes_noise_by_its_own_gains():
    noise = torch.from_numpy(np.random.RandomState(0).normal(0, 0.1, (1, 1, 256, 256)))
    left = BayesShrink("bior4.4").run(denoising(noise, 0.1)).x
    # The approximation keeps 1/4⁵ of the variance; a threshold at the wrong σ would leave ten times as much.
    assert float(left.std()) < 0.02


def test_progress_counts_the_shifts(camera):
    seen = []
    BayesShrink(spins=2).run(denoising(camera), progress=lambda done, total, note="": seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(("size", "levels"), [((2, 40), 1), ((9, 9), 3), ((31, 33), 4), ((32, 32), 5)], ids=str)
def test_small_images_have_fewer_levels(size, levels, camera):
    result = BayesShrink().run(denoising(camera[..., : size[0], : size[1]]))
    assert f"{levels} levels" in result.status.sentence


@pytest.mark.parametrize(("size", "sigma"), [((1, 20), 0.1), ((20, 20), 0.0)])
def test_nothing_to_do_leaves_the_image_alone(size, sigma, camera):
    y = camera[..., : size[0], : size[1]]
    result = BayesShrink().run(denoising(y, sigma))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, y)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (BayesShrink(), [26.13, 28.36, 26.95, 26.16, 26.03, 25.71, 26.21, 29.19, 26.22, 27.54, 27.62, 27.06]),
        # with pywt and np.roll in place of ours
        (BayesShrink(spins=4), [26.86, 29.16]),
    ],
    ids=["once", "spun"],
)
def test_the_figures_of_set12(method, expected, data_dir):
    # σ = 25, y = x + RandomState(0).normal(0, 25/255, x.shape), PSNR after clipping
    for number, value in enumerate(expected, start=1):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        found = method.run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.011)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        BayesShrink().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="levels = 0"):
        BayesShrink(levels=0)
    with pytest.raises(InvalidParameter, match="spins = 0"):
        BayesShrink(spins=0)
