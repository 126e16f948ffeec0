import math

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve
from restora.core.problem import Problem
from restora.methods.superresolution.bicubic import Bicubic
from restora.noise.gaussian import Gaussian
from restora.numerics.colour import rgb_to_y
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity


def problem_of(y, scale, size=None):
    return Problem(y, Downsample(scale, size=size), Gaussian(0.0))


def test_quadratics_are_reproduced_inside():
    u = (torch.arange(12, dtype=torch.float64) + 0.5) / 12
    v = (torch.arange(48, dtype=torch.float64) + 0.5) / 48
    y = 0.2 + 0.5 * u[:, None] ** 2 - 0.3 * u * u[:, None]
    x = Bicubic().run(problem_of(y[None, None], 4)).x[0, 0]
    expected = 0.2 + 0.5 * v[:, None] ** 2 - 0.3 * v * v[:, None]
    assert torch.allclose(x[8:-8, 8:-8], expected[8:-8, 8:-8], rtol=1e-12)


def test_a_step_doubled_by_hand():
    y = torch.tensor([0.0, 0, 1, 1], dtype=torch.float64).view(1, 1, 1, 4).expand(1, 1, 4, 4)
    # Three of the four taps of a sample a quarter of a pixel off: k(1.25), k(0.75), k(1.75).
    a, c, d = -9 / 128, 29 / 128, -3 / 128
    expected = torch.tensor([0, d, a, c + d, 1 - c - d, 1 - a, 1 - d, 1], dtype=torch.float64)
    assert torch.allclose(Bicubic().run(problem_of(y, 2)).x[0, 0, 1], expected, atol=1e-15)


@pytest.mark.parametrize(("size", "scale"), [((7, 9), 2), ((10, 11), 3), ((13, 7), 2.5)])
def test_x_has_the_size_that_was_measured(size, scale, camera):
    H = Downsample(scale, size=size)
    x = camera[..., : size[0], : size[1]]
    assert Bicubic().run(Problem(H(x), H, Gaussian(0.0))).x.shape == x.shape


def test_a_wrong_operator_is_refused(camera):
    with pytest.raises(CannotSolve, match="Downsample"):
        Bicubic().run(Problem(camera, Identity(), Gaussian(0.0)))


def luma(path, scale):
    """MATLAB's 8-bit Y, or the gray levels of a gray file, cropped to multiples of the scale."""
    array = np.asarray(Image.open(path), dtype=np.float64) / 255
    y = torch.from_numpy(array)[None, None]
    if array.ndim == 3:
        y = rgb_to_y(torch.from_numpy(array).movedim(-1, 0)[None], rounded=True)
    return y[..., : y.shape[-2] // scale * scale, : y.shape[-1] // scale * scale]


def psnr_8bit(x, reference, shave, darkest=0, brightest=255):
    x = torch.floor(x.clamp(darkest / 255, brightest / 255) * 255 + 0.5) / 255
    return -10 * math.log10(float((x - reference)[..., shave:-shave, shave:-shave].square().mean()))


def enlarged(folder, scale):
    """Each image of the set, and its bicubic interpolation."""
    for path in sorted(folder.glob("*.png")):
        x, H = luma(path, scale), Downsample(scale)
        yield x, Bicubic().run(Problem(H(x), H, Gaussian(0.0))).x


@pytest.mark.published
@pytest.mark.parametrize(("scale", "expected"), [(2, 33.66), (3, 30.39), (4, 28.42)])
def test_set5(data_dir, scale, expected):
    scores = [psnr_8bit(found, x, scale) for x, found in enlarged(data_dir / "test/Set5", scale)]
    assert np.mean(scores) == pytest.approx(expected, abs=0.005)


@pytest.mark.published
@pytest.mark.parametrize(
    ("scale", "recomputed", "published"), [(2, 30.23, 30.24), (3, 27.54, 27.55), (4, 26.00, 26.00)]
)
def test_set14_as_published_clips_to_studio_range(data_dir, scale, recomputed, published):
    pairs = list(enlarged(data_dir / "test/Set14", scale))
    plain = np.mean([psnr_8bit(found, x, scale) for x, found in pairs])
    studio = np.mean([psnr_8bit(found, x, scale, 16, 235) for x, found in pairs])
    assert (plain, studio) == pytest.approx((recomputed, published), abs=0.005)
