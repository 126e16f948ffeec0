import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.frames.curvelet import CurveletTransform
from restora.methods.transforms.curvelet_shrinkage import CurveletShrinkage
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def denoising(y, sigma=25 / 255):
    return Problem(y, Identity(), Gaussian(sigma))


def test_it_keeps_what_exceeds_three_standard_deviations_of_measured_noise(camera):
    """Step by step on the mirrored image, the noise in each window measured on 200 draws instead of computed.

    Sides of 99 = 9·11 and 81 = 3⁴ are the next that are odd and fast.
    """
    y, sigma = camera[:, :, :63, :48].double(), 0.1
    mirrored = torch.from_numpy(np.pad(y.numpy(), ((0, 0), (0, 0), (16, 20), (16, 17)), mode="symmetric"))
    frame = CurveletTransform(5)
    noise = torch.from_numpy(np.random.RandomState(0).normal(0, sigma, (200, 1, 99, 81)))
    bands = [frame.analysis(mirrored)[0]]
    for band, of_noise in zip(frame.analysis(mirrored)[1:], frame.analysis(noise)[1:]):
        t = 3 * of_noise.square().mean(dim=(0, 1, 3, 4, 5)).sqrt()[:, None, None, None]
        bands.append(band * (band.abs() > t))
    expected = frame.synthesis(tuple(bands), (99, 81))[..., 16:79, 16:64]
    x = CurveletShrinkage().run(denoising(y, sigma)).x
    # A coefficient on the edge of a threshold that is known to half a per cent may fall to either side.
    assert float((x - expected).square().mean().sqrt()) < 0.05 * float((x - y).square().mean().sqrt())


def test_noise_alone_leaves_hardly_anything():
    y = torch.from_numpy(np.random.RandomState(0).normal(0.5, 0.1, (1, 1, 256, 256)))
    assert float(CurveletShrinkage().run(denoising(y, 0.1)).x.std()) < 0.02


def test_no_threshold_is_no_change(camera):
    assert torch.allclose(CurveletShrinkage(k=0.0).run(denoising(camera)).x, camera, rtol=0, atol=1e-5)


def test_progress_counts_the_shifts(camera):
    seen = []
    CurveletShrinkage(spins=2).run(denoising(camera), progress=lambda done, total, note="": seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("method", "expected"),
    [(CurveletShrinkage(), {1: 27.46, 2: 30.09, 9: 28.41}), (CurveletShrinkage(finest="wavelets"), {1: 26.20})],
    ids=["curvelets", "wavelets"],
)
def test_the_figures_of_set12(method, expected, data_dir):
    for number, value in expected.items():
        x = np.asarray(Image.open(data_dir / "test" / "Set12" / f"{number:02}.png")) / 255
        y = x + np.random.RandomState(0).normal(0, 25 / 255, x.shape)
        found = method.run(denoising(torch.from_numpy(y).float()[None, None])).x[0, 0].double().numpy()
        assert -10 * np.log10(np.mean((found.clip(0, 1) - x) ** 2)) == pytest.approx(value, abs=0.05)


def test_without_noise_it_leaves_the_image_alone(camera):
    result = CurveletShrinkage().run(denoising(camera, 0.0))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        CurveletShrinkage().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="angles = 9"):
        CurveletShrinkage(angles=9)
    with pytest.raises(InvalidParameter, match="scales = 1"):
        CurveletShrinkage(scales=1)
