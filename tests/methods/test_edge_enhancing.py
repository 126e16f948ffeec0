import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.filters.edge_enhancing import EdgeEnhancingDiffusion
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def psnr(x, clean):
    return -10 * np.log10(np.mean((x.clip(0, 1) - clean) ** 2))


def by_numpy(u, contrast, varsigma, steps, tau):
    """One gray image by central differences, whole-image operations on an extended copy."""
    for _ in range(steps):
        y, x = np.gradient(scipy.ndimage.gaussian_filter(u, varsigma, mode="reflect"))
        m = np.maximum(x**2 + y**2, 1e-30)
        across = -np.expm1(-3.31488 / (m / contrast**2) ** 4)
        a, b, c = (across * x * x + y * y) / m, (across - 1) * x * y / m, (across * y * y + x * x) / m
        U, A, B, C = (np.pad(plane, 1, mode="symmetric") for plane in (u, a, b, c))
        B[[0, -1]] *= -1
        B[:, [0, -1]] *= -1
        at = lambda plane, i, j: np.roll(plane, (-i, -j), (0, 1))[1:-1, 1:-1]  # noqa: E731
        change = np.zeros_like(u)
        for s in (-1, 1):
            change += (at(A, 0, s) + a) / 2 * (at(U, 0, s) - u) + (at(C, s, 0) + c) / 2 * (at(U, s, 0) - u)
            change += s * at(B, 0, s) * (at(U, 1, s) - at(U, -1, s)) / 4
            change += s * at(B, s, 0) * (at(U, s, 1) - at(U, s, -1)) / 4
        u = u + tau * change
    return u


def test_it_is_the_explicit_scheme_in_numpy(camera):
    y = camera.double()
    found = EdgeEnhancingDiffusion(0.05, 0.8, time=1.0, cycles=5).run(denoising(y)).x[0, 0].numpy()
    # compared inside: a corner is mirrored twice, and np.gradient of a constant run is rounding
    assert np.allclose(found, by_numpy(y[0, 0].numpy(), 0.05, 0.8, 5, 0.2), rtol=0, atol=1e-9)


def test_where_no_edge_is_steep_enough_it_is_heat_flow():
    y = torch.from_numpy(np.random.default_rng(0).random((1, 1, 12, 12)))
    line = np.diag([-1.0, *[-2.0] * 10, -1.0]) + np.eye(12, k=1) + np.eye(12, k=-1)
    flow = scipy.linalg.expm(2 * line)
    exact = torch.from_numpy(flow @ y[0, 0].numpy() @ flow.T)
    found = {n: EdgeEnhancingDiffusion(1e3, 1.0, 2.0, n).run(denoising(y)).x[0, 0] for n in (1, 4, 40)}
    errors = {n: float((x - exact).abs().max()) for n, x in found.items()}  # 1 and 4 take fast explicit steps
    assert errors[40] < 0.005
    assert errors[40] < errors[4] < errors[1] < 0.2


def test_noise_on_an_edge_is_smoothed_along_it_only():
    y = torch.zeros(1, 1, 48, 48, dtype=torch.float64)
    y[..., 24:] = 1
    noise = torch.from_numpy(np.random.RandomState(0).normal(0, 0.05, y.shape))
    x = EdgeEnhancingDiffusion(12 / 255, 1.0, 1.6, 8).run(denoising(y + noise)).x
    edge = (x - y)[..., 4:-4, 22:26]
    assert edge.std() < 0.04
    assert (x[..., 25] - x[..., 22]).min() > 0.8


@pytest.mark.parametrize(
    ("level", "method", "expected"),
    [
        (15, EdgeEnhancingDiffusion(8 / 255, 0.7, 0.6, 3), {1: 28.93, 6: 29.13}),
        (25, EdgeEnhancingDiffusion(12 / 255, 1.0, 0.6, 3), {1: 26.86, 6: 26.80}),
        (50, EdgeEnhancingDiffusion(12 / 255, 1.0, 3.2, 16), {1: 24.24, 3: 26.09, 6: 23.94, 9: 23.10}),
    ],
)
def test_the_figures_of_set12(level, method, expected, data_dir):
    # σ = 50: the card; else the scheme above in NumPy
    for number, value in expected.items():
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, level / 255, x.shape)
        problem = denoising(torch.from_numpy(y).float()[None, None], level / 255)
        found = method.run(problem).x[0, 0].double().numpy()
        assert psnr(found, x) == pytest.approx(value, abs=0.05)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        EdgeEnhancingDiffusion().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="cycles = 0"):
        EdgeEnhancingDiffusion(cycles=0)
