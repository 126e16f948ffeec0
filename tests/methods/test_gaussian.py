import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.filters.gaussian import GaussianFilter
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_it_is_scipys_filter(cat):
    x = GaussianFilter(s=1.7, truncate=3.0).run(denoising(cat)).x
    expected = scipy.ndimage.gaussian_filter(cat.double().numpy(), (0, 0, 1.7, 1.7), truncate=3.0)
    assert np.allclose(x.numpy(), expected, rtol=0, atol=1e-6)


def test_the_rule_gives_the_best_scales():
    for level, s in ((15, 0.6), (25, 0.8), (50, 1.3)):
        assert GaussianFilter.for_noise(level / 255).s == pytest.approx(s, abs=0.03)


def test_no_noise_no_change(cat):
    method = GaussianFilter.for_problem(denoising(cat, 0.0))
    assert torch.equal(method.run(denoising(cat, 0.0)).x, cat)


def test_the_halo_is_where_an_impulse_ends():
    method = GaussianFilter(s=1.2)
    impulse = torch.zeros(1, 1, 41, 41)
    impulse[0, 0, 20, 20] = 1
    reached = torch.nonzero(method.run(denoising(impulse)).x[0, 0]) - 20
    assert int(reached.abs().max()) == GaussianFilter.spec.halo(method)


def test_wide_filters_recur_and_say_how_far_they_reach():
    x = torch.zeros(1, 1, 1, 401)
    x[..., 200] = 1
    wide = GaussianFilter(s=10.0)
    found, expected = (
        method.run(denoising(x)).x for method in (wide, GaussianFilter(s=10.0, truncate=8, form="direct"))
    )
    assert 0 < float((found - expected).abs().sum()) < 6e-4
    assert float(found[..., 200 + GaussianFilter.spec.halo(wide) + 1 :].abs().sum()) < 5e-6
    assert GaussianFilter.spec.halo(wide) > GaussianFilter.spec.halo(GaussianFilter(s=10.0, form="direct")) == 40
    assert torch.equal(
        GaussianFilter(s=7.9).run(denoising(x)).x, GaussianFilter(s=7.9, form="direct").run(denoising(x)).x
    )


def test_the_figures_of_set12(data_dir):
    # scipy.ndimage.gaussian_filter(y, 0.8), y = x + RandomState(0).normal(0, 25/255, x.shape), PSNR after clipping
    expected = [25.46, 27.98, 26.44, 26.63, 26.29, 25.48, 25.64, 28.20, 24.95, 27.14, 27.48, 27.11]
    for number, value in enumerate(expected, start=1):
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        found = GaussianFilter(s=0.8).run(denoising(torch.from_numpy(y)[None, None])).x[0, 0].numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.011)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        GaussianFilter().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="s = inf"):
        GaussianFilter(s=float("inf"))
    with pytest.raises(InvalidParameter, match="truncate = 0"):
        GaussianFilter(truncate=0.0)
    with pytest.raises(InvalidParameter, match=r"s = 0\.5"):
        GaussianFilter(s=0.5, form="recursive")
