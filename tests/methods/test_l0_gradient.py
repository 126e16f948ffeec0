import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.variational.l0_gradient import L0Gradient
from restora.noise.gaussian import Gaussian
from restora.numerics import jumps
from restora.numerics.differences import divergence, gradient
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def smoothed(y, method):
    return method.run(Problem(y, Identity(), Gaussian(0.1))).x


def psnr(u, x):
    return float(-10 * np.log10(np.mean((np.clip(u, 0, 1) - x) ** 2)))


def test_it_is_the_algorithm_written_with_a_dense_matrix():
    y = torch.rand(1, 2, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    eye = torch.eye(30, dtype=torch.float64).reshape(30, 1, 5, 6)
    D = gradient(eye).reshape(30, 60).T
    S, beta, lam = y.reshape(2, 30).T, 0.04, 0.02
    while beta < 1e5:
        g = (D @ S).reshape(2, 30, 2)
        g = torch.where((g**2).sum((0, 2), keepdim=True) > lam / beta, g, 0.0).reshape(60, 2)
        S = torch.linalg.solve(torch.eye(30, dtype=torch.float64) + beta * D.T @ D, y.reshape(2, 30).T + beta * D.T @ g)
        beta *= 2
    assert torch.allclose(smoothed(y, L0Gradient(0.02)), S.T.reshape(y.shape), atol=1e-7)


def test_low_steps_go_and_high_steps_stay():
    y = torch.full((1, 1, 12, 30), 0.3)
    y[..., 10:20] = 0.8
    y[..., 20:] = 0.85
    result = L0Gradient(0.02, kappa=1.05).run(Problem(y, Identity(), Gaussian(0.1)))
    # the first, small β smooth a little across the step that stays; the minimum is 0.3 and 0.825
    assert torch.allclose(result.x[..., :10], torch.tensor(0.3), atol=6e-3)
    assert torch.allclose(result.x[..., 10:], torch.tensor(0.825), atol=6e-3)
    assert float(result.x[..., 10:].std()) < 1e-4
    assert result.stats[-1]["edges"] == pytest.approx(1 / 30)


@pytest.mark.parametrize("shape", [(2, 3, 9, 7), (1, 1, 1, 1), (1, 2, 130, 5), (1, 1, 1, 5)], ids=str)
@pytest.mark.parametrize("serial", [0, 1 << 30], ids=["parallel", "serial"])
def test_the_kernel_is_the_equation(shape, serial, monkeypatch):
    monkeypatch.setattr(jumps, "SERIAL", serial)
    image, S = torch.randn(2, *shape, dtype=torch.float64)
    g = gradient(S)
    kept = (g**2).sum((1, 2), keepdim=True) > 0.5
    for y in (image, image.clone().requires_grad_()):
        found, share = jumps.add_jumps(y, S, 0.5, 3.0)
        assert torch.allclose(found.detach(), image - 3 * divergence(g * kept), atol=1e-12)
        assert share == pytest.approx(float(kept.double().mean()))


@pytest.mark.parametrize(("number", "expected"), [("01", 25.11), ("02", 25.87), ("12", 24.30)])
def test_the_figures_of_set12_and_opencv_is_behind(number, expected, data_dir):
    """σ = 25; the figures were measured with periodic differences, hence the tolerance."""
    x = np.asarray(Image.open(data_dir / f"test/Set12/{number}.png")) / 255
    y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
    method = L0Gradient.for_noise(25 / 255)
    ours = smoothed(torch.from_numpy(y)[None, None], method)[0, 0].numpy()
    assert psnr(ours, x) == pytest.approx(expected, abs=0.1)
    peer = cv2.ximgproc.l0Smooth(np.dstack([y.astype(np.float32)] * 3), None, method.lam, 2.0)[..., 0]
    assert psnr(ours, x) > psnr(peer, x) + 0.5


def test_the_rows_of_its_stats_tell_beta(camera):
    betas = [row["beta"] for row in L0Gradient(0.02).run(Problem(camera, Identity(), Gaussian(0.1))).stats]
    assert betas[:2] == pytest.approx([0.04, 0.08])
    assert 5e4 <= betas[-1] < 1e5


def test_what_it_cannot_do_is_refused(camera):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        L0Gradient().run(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="kappa"):
        L0Gradient(kappa=1.0)
    with pytest.raises(InvalidParameter, match="sigma"):
        L0Gradient.for_noise(-0.1)
