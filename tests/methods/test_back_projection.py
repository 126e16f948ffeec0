import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.signal import convolve2d

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.superresolution.back_projection import BackProjection
from restora.noise.gaussian import Gaussian
from restora.numerics.colour import rgb_to_y
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.resampling import Resampler


def measured(x, scale):
    H = Downsample(scale, size=(x.shape[-2], x.shape[-1]))
    return Problem(H(x), H, Gaussian(0.0))


def back_projected(y, size, scale, steps):
    """The algorithm with dense matrices and SciPy's convolution."""

    def between(n_in, n_out, c):
        return Resampler(n_in, n_out, c).matrix().numpy()

    down = [between(n, m, 1 / scale) for n, m in zip(size, y.shape)]
    up = [between(m, n, scale) for n, m in zip(size, y.shape)]
    u = np.arange(-2, 3)
    g = np.exp(-(u[:, None] ** 2 + u**2) / 2)
    p = g**2 / (g**2).sum()
    x = up[0] @ y @ up[1].T
    for _ in range(steps):
        e = y - down[0] @ x @ down[1].T
        x = x + convolve2d(up[0] @ e @ up[1].T, p, mode="same")
    return x


@pytest.mark.parametrize("scale", [2, 3])
def test_against_dense_matrices(scale, generator):
    y = torch.rand(1, 1, 5, 6, generator=generator, dtype=torch.float64)
    size = (5 * scale, 6 * scale)
    problem = Problem(y, Downsample(scale, size=size), Gaussian(0.0))
    expected = back_projected(y[0, 0].numpy(), size, scale, 7)
    assert np.allclose(BackProjection(T=7).run(problem).x[0, 0].numpy(), expected, rtol=1e-10)


def test_what_is_wrong_at_low_resolution_vanishes(camera):
    problem = measured(camera.double(), 3)
    result = BackProjection(T=60).run(problem)
    residuals = [row["residual"] for row in result.stats]
    assert len(residuals) == 60
    assert residuals[-1] < residuals[0] / 20
    final = float((problem.H(result.x) - problem.y).square().mean().sqrt())
    assert final < residuals[-1]


def test_no_steps_are_bicubic_interpolation(camera):
    problem = measured(camera, 2)
    up = Resampler(64, 128, 2.0)
    assert torch.allclose(BackProjection(T=0).run(problem).x, up(up(problem.y, -2), -1), atol=1e-6)


def test_a_size_that_is_no_multiple_is_restored(camera):
    x = camera[..., :33, :50]
    assert BackProjection(T=3).run(measured(x, 4)).x.shape == x.shape


def test_a_wrong_operator_and_a_negative_count_are_refused(camera):
    with pytest.raises(CannotSolve, match="Downsample"):
        BackProjection().run(Problem(camera, Identity(), Gaussian(0.0)))
    with pytest.raises(InvalidParameter, match="T = -1"):
        BackProjection(T=-1)


@pytest.mark.published
@pytest.mark.parametrize("scale_and_scores", [(2, 38.26, 38.76, 28.93, 35.57, 33.64), (4, 29.23), (3, 31.30)])
def test_set5(data_dir, scale_and_scores):
    """Per image at x2 (baby, bird, butterfly, head, woman), the mean at x3 and x4; 8-bit Y, ``scale`` pixels shaved."""
    scale, *expected = scale_and_scores
    scores = []
    for path in sorted((data_dir / "test/Set5").glob("*.png")):
        rgb = torch.from_numpy(np.asarray(Image.open(path).convert("RGB"), dtype=np.float64) / 255).movedim(-1, 0)[None]
        y = rgb_to_y(rgb, rounded=True)
        y = y[..., : y.shape[-2] // scale * scale, : y.shape[-1] // scale * scale]
        x = torch.floor(BackProjection().run(measured(y, scale)).x.clamp(0, 1) * 255 + 0.5) / 255
        inside = (..., slice(scale, -scale), slice(scale, -scale))
        scores.append(-10 * math.log10(float((x - y)[inside].square().mean())))
    if len(expected) == 1:
        scores = [np.mean(scores)]
    assert scores == pytest.approx(expected, abs=0.01)
