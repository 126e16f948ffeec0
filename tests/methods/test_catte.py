import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.filters.catte import CatteDiffusion
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def by_scipy(u, K, varsigma, iterations):
    for _ in range(iterations):
        smoothed = scipy.ndimage.gaussian_filter(u, (0, varsigma, varsigma), mode="reflect")
        s2 = sum((np.gradient(smoothed, axis=axis) ** 2).mean(0, keepdims=True) for axis in (-1, -2))
        g = 1 / (1 + s2 / K**2)
        change = np.zeros_like(u)
        for axis in (-1, -2):
            v, faces = np.swapaxes(u, axis, -1), np.swapaxes(g, axis, -1)
            flux = np.diff(v) * (faces[..., 1:] + faces[..., :-1]) / 2
            change += np.swapaxes(np.diff(np.pad(flux, ((0, 0), (0, 0), (1, 1)))), axis, -1)
        u = u + 0.2 * change
    return u


def test_it_is_the_explicit_scheme_in_numpy(cat):
    y = cat.double()
    found = CatteDiffusion(10 / 255, 0.9, 0.2, 6).run(denoising(y)).x[0].numpy()
    assert np.allclose(found, by_scipy(y[0].numpy(), 10 / 255, 0.9, 6), rtol=0, atol=1e-12)


def test_long_implicit_steps_come_near_to_short_explicit_ones(camera):
    problem = denoising(camera.double() + 25 / 255 * torch.randn(camera.shape, generator=torch.manual_seed(0)))
    fine = CatteDiffusion(iterations=40, step=0.05).run(problem).x
    explicit = CatteDiffusion(iterations=10, step=0.2).run(problem).x
    implicit = [CatteDiffusion(iterations=n, step=2 / n, scheme="aos").run(problem).x for n in (2, 4, 40)]
    errors = [float((x - fine).square().mean().sqrt()) for x in (explicit, *implicit)]
    assert errors[1] > errors[2] > errors[3]
    assert errors[1] < 0.3 * float((problem.y - fine).square().mean().sqrt())


def test_implicit_tiles_equal_the_whole(camera):
    method = CatteDiffusion(iterations=2, step=1.0, scheme="aos")
    assert torch.allclose(
        restore(denoising(camera), method, tile=48).x, restore(denoising(camera), method).x, atol=1e-5
    )


def test_an_impulse_vanishes_where_an_edge_stays():
    y = torch.zeros(1, 1, 40, 40)
    y[..., 20:] = 0.8
    y[..., 20, 8] = 0.5
    x = CatteDiffusion(iterations=30).run(denoising(y)).x
    assert x[..., 20, 8] < 0.12
    assert (x[..., 24] - x[..., 15]).min() > 0.7


@pytest.mark.parametrize(
    ("level", "iterations", "expected"),
    [(15, 5, {1: 29.54, 6: 29.67}), (25, 10, {1: 27.26, 6: 27.13}), (50, 35, {1: 24.56, 6: 24.08})],
)
def test_the_figures_of_set12(level, iterations, expected, data_dir):
    # the scheme above with SciPy and NumPy
    for number, value in expected.items():
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, level / 255, x.shape)
        problem = denoising(torch.from_numpy(y).float()[None, None], level / 255)
        found = CatteDiffusion(iterations=iterations).run(problem).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.011)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        CatteDiffusion().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match=r"step = 0\.5 is not allowed"):
        CatteDiffusion(step=0.5)
    assert CatteDiffusion(step=0.5, scheme="aos").step == 0.5
