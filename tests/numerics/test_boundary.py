import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from restora.core.errors import InvalidInput
from restora.numerics.boundary import close, edgetaper, liu_jia
from restora.operators.blur import Blur


def lopsided_psf(kh=5, kw=3):
    psf = torch.arange(1.0, kh * kw + 1, dtype=torch.float64).reshape(kh, kw)
    return psf / psf.sum()


def edgetaper_by_definition(x, psf, passes):
    """MATLAB's edgetaper with sums in place of transforms."""
    weights = []
    for axis, n in ((1, x.shape[0]), (0, x.shape[1])):
        profile = np.zeros(n - 1)
        for i, value in enumerate(psf.sum(axis)):
            profile[i % (n - 1)] += value
        beta = np.array([(profile * np.roll(profile, -shift)).sum() for shift in range(n - 1)])
        beta = np.append(beta, beta[0]) / beta.max()
        weights.append(1 - beta)
    alpha = np.outer(*weights)
    for _ in range(passes):
        x = alpha * x + (1 - alpha) * convolve(x, psf, mode="wrap")
    return x


@pytest.mark.parametrize("passes", [1, 4])
@pytest.mark.parametrize("size", [(20, 17), (6, 5), (4, 3)])
def test_edgetaper_by_its_definition(size, passes):
    x = np.random.default_rng(0).random(size)
    psf = lopsided_psf()
    ours = edgetaper(torch.from_numpy(x)[None, None], psf, passes)[0, 0].numpy()
    assert np.allclose(ours, edgetaper_by_definition(x, psf.numpy(), passes), rtol=1e-12)


def test_edgetaper_leaves_the_inside_alone(camera):
    tapered = edgetaper(camera, lopsided_psf())
    inside = (..., slice(5, -5), slice(3, -3))
    assert torch.allclose(tapered[inside], camera[inside], atol=1e-6)
    assert float((tapered - camera).abs().max()) > 0.05


def laplacian(x):
    """Of a periodic image."""
    return sum(x.roll(shift, dim) for dim in (-2, -1) for shift in (-1, 1)) - 4 * x


@pytest.mark.parametrize("size", [(9, 8), (5, 6), (1, 7), (7, 2), (1, 1)], ids=str)
@pytest.mark.parametrize("added", [(4, 5), (1, 1), (2, 3), (0, 4), (3, 0), (0, 0)], ids=str)
def test_added_pixels_are_harmonic_on_the_torus(size, added, generator):
    h, w = size
    x = torch.rand(2, 3, h, w, generator=generator, dtype=torch.float64)
    torus = liu_jia(x, (h + added[0], w + added[1]))
    assert torus.shape == (2, 3, h + added[0], w + added[1])
    assert torch.equal(torus[..., :h, :w], x)
    assert float(torus.max()) <= float(x.max()) + 1e-12
    assert float(torus.min()) >= float(x.min()) - 1e-12
    residual = laplacian(torus)
    for block in (residual[..., h:, 1 : w - 1], residual[..., 1 : h - 1, w:], residual[..., h:, w:]):
        assert block.numel() == 0 or float(block.abs().max()) < 1e-12


def test_open_sides_are_straight_lines():
    x = torch.zeros(1, 1, 3, 4, dtype=torch.float64)
    x[..., -1, 0], x[..., 0, 0] = 1.0, 0.2
    line = liu_jia(x, (6, 4))[0, 0, 3:, 0]
    assert torch.allclose(line, torch.tensor([0.8, 0.6, 0.4], dtype=torch.float64))


def test_a_ramp_is_closed_without_a_jump():
    x = torch.linspace(0, 1, 40, dtype=torch.float64).expand(1, 1, 30, 40)
    torus = liu_jia(x, (40, 60))
    jumps = torch.cat([(torus.roll(-1, dim) - torus).flatten() for dim in (-2, -1)])
    assert float(jumps.abs().max()) <= 1 / 21 + 1e-12


@pytest.mark.parametrize("closing", ["edgetaper", "liu-jia", "replicate"])
@pytest.mark.parametrize("kernel", [(5, 3), (4, 6)], ids=str)
def test_the_crop_undoes_the_closing(closing, kernel, camera):
    torus = close(camera, Blur(lopsided_psf(*kernel).float(), "replicate"), closing)
    back = torus.crop(torus.y, (128, 128))
    inside = (..., slice(8, -8), slice(8, -8))
    assert back.shape == camera.shape
    assert torch.allclose(back[inside], camera[inside], atol=1e-6)
    if closing != "edgetaper":
        assert torch.equal(back, camera)


@pytest.mark.parametrize("closing", ["edgetaper", "liu-jia", "replicate"])
@pytest.mark.parametrize("kernel", [(5, 3), (4, 6)], ids=str)
def test_the_scene_of_a_valid_blur_lies_around_its_measurement(closing, kernel, camera):
    H = Blur(lopsided_psf(*kernel).float(), "valid")
    y = H(camera)
    torus = close(y, H, closing)
    (top, left), (h, w) = torus.offset, y.shape[-2:]
    measured = Blur(H.psf, "circular")(torus.y)[..., top : top + h, left : left + w]
    assert torch.allclose(H(torus.crop(torus.y, (128, 128))), measured, atol=1e-6)


def test_a_symmetric_blur_with_reflection_is_circular_on_the_mirrored_image(camera):
    psf = torch.outer(torch.tensor([1.0, 4, 6, 4, 1]), torch.tensor([1.0, 2, 1])) / 64
    H = Blur(psf, "reflect")
    torus = close(camera, H, "edgetaper")
    blurred = torus.crop(Blur(psf, "circular")(torus.y), (128, 128))
    assert torch.allclose(blurred, H(camera), atol=1e-6)


def test_a_circular_blur_needs_nothing(camera):
    assert torch.equal(close(camera, Blur(lopsided_psf().float(), "circular"), "edgetaper").y, camera)


def test_a_period_smaller_than_the_image_is_refused(camera):
    with pytest.raises(InvalidInput, match="period"):
        liu_jia(camera, (128, 100))
