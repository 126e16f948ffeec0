import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.front.restore import restore
from restora.methods.filters.perona_malik import PeronaMalik
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_it_is_the_explicit_scheme_in_numpy(camera):
    y = camera.double()
    u, K = y[0, 0].numpy(), 0.6 * 25 / 255
    for _ in range(7):
        p = np.pad(u, 1, mode="edge")
        differences = [p[:-2, 1:-1] - u, p[2:, 1:-1] - u, p[1:-1, :-2] - u, p[1:-1, 2:] - u]
        u = u + 0.15 * sum(np.exp(-((d / K) ** 2)) * d for d in differences)
    result = PeronaMalik(0.6, "g1", 0.15, 7).run(denoising(y))
    assert np.allclose(result.x[0, 0].numpy(), u, rtol=0, atol=1e-13)
    assert [row["time"] for row in result.stats] == pytest.approx([0.15 * i for i in range(1, 8)])


def test_the_rule_of_1990_takes_the_contrast_from_the_image(camera):
    y = camera.double()
    found = PeronaMalik(contrast="quantile", iterations=2).run(denoising(y)).stats
    u = y[0, 0].numpy()
    sizes = np.concatenate([np.abs(np.diff(u, axis=axis)).ravel() for axis in (0, 1)])
    assert found[0]["K"] == pytest.approx(np.quantile(sizes, 0.9, method="inverted_cdf"), rel=1e-9)
    assert found[1]["K"] < found[0]["K"]


def test_the_rule_of_1990_in_tiles_still_sees_the_whole_image(camera):
    method = PeronaMalik(contrast="quantile", iterations=3)
    whole = restore(denoising(camera), method)
    assert torch.allclose(restore(denoising(camera), method, tile=48).x, whole.x, atol=1e-6)


def test_the_table_is_interpolated():
    assert PeronaMalik.for_noise(25 / 255) == PeronaMalik(0.64, iterations=14)
    assert PeronaMalik.for_noise(20 / 255).K_over_sigma == pytest.approx(0.67)
    assert PeronaMalik.for_noise(20 / 255).iterations == 12
    assert PeronaMalik.for_noise(99 / 255) == PeronaMalik(0.7, iterations=15)


@pytest.mark.parametrize("conductance", ["g1", "g2", "tukey"])
def test_a_step_edge_higher_than_the_contrast_survives(conductance):
    y = torch.zeros(1, 1, 20, 20)
    y[..., 10:] = 1
    x = PeronaMalik(0.5, conductance, 0.2, 20).run(denoising(y, 0.1)).x
    assert (x[..., 10] - x[..., 9]).min() > 0.9


@pytest.mark.parametrize(
    ("level", "method", "expected"),
    [
        (15, PeronaMalik(0.7, iterations=10), {1: 30.39, 6: 30.15}),
        (25, PeronaMalik(0.5, iterations=20), {1: 27.69, 2: 29.50, 6: 27.17}),
        (50, PeronaMalik(0.7, iterations=15), {1: 24.14, 6: 23.53}),
    ],
)
def test_the_figures_of_set12(level, method, expected, data_dir):
    # σ = 15, 50: the scheme above in NumPy, with g2
    for number, value in expected.items():
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, level / 255, x.shape)
        problem = denoising(torch.from_numpy(y).float()[None, None], level / 255)
        found = method.run(problem).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.011)


def test_without_noise_it_leaves_the_image_alone(cat):
    result = PeronaMalik().run(denoising(cat, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, cat)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        PeronaMalik().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match=r"step = 0\.3 is not allowed"):
        PeronaMalik(step=0.3)
