import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from restora.diagnosis.blur import estimate_blur
from restora.operators.psf import motion_psf


@pytest.fixture(scope="module")
def photographs(data_dir):
    folder = data_dir / "train/BSDS500-color"
    return [np.asarray(Image.open(folder / f"{n}.jpg").convert("L"), float) / 255 for n in ("100080", "100039")]


def _disk(r):
    """Share of each pixel within r, from a fine grid."""
    t = (np.arange(-160, 160) + 0.5) / 16
    inside = (np.hypot(t[:, None], t) <= r).reshape(20, 16, 20, 16).mean(axis=(1, 3))
    k = np.pad(inside, ((0, 1), (0, 1)))
    k = (k + np.roll(k, 1, 0) + np.roll(k, 1, 1) + np.roll(k, (1, 1), (0, 1))) / 4
    return k / k.sum()


def _line(length, degrees):
    """A line rasterised by points, nearest pixel on a grid eight times finer."""
    fine = np.zeros((41 * 8, 41 * 8))
    t = np.linspace(-length / 2, length / 2, 2000) * 8
    angle = np.deg2rad(degrees)
    np.add.at(
        fine, (np.round(163.5 - t * np.sin(angle)).astype(int), np.round(163.5 + t * np.cos(angle)).astype(int)), 1
    )
    k = fine.reshape(41, 8, 41, 8).sum(axis=(1, 3))
    return k / k.sum()


def _measure(x, k, level, seed=0):
    y = fftconvolve(x, k, "valid") + level / 255 * np.random.default_rng(seed).normal(
        size=[s - k.shape[0] + 1 for s in x.shape]
    )
    return torch.from_numpy(y).float()[None, None]


def test_sharp_photographs_have_no_blur(photographs, camera, cat):
    for level in (0, 3):
        for x in photographs:
            estimate = estimate_blur(_measure(x, np.ones((1, 1)), level))
            assert (estimate.kind, estimate.extent, tuple(estimate.psf.shape)) == ("none", 0.0, (1, 1))
    for y in (camera, cat):
        assert estimate_blur(y).kind == "none"


@pytest.mark.parametrize(("sigma", "level"), [(1.0, 4), (1.75, 1), (2.5, 2)])
def test_gaussian_blur_is_told_and_measured(photographs, sigma, level):
    for i, x in enumerate(photographs):
        y = gaussian_filter(x, sigma)[12:-12, 12:-12]
        estimate = estimate_blur(_measure(y, np.ones((1, 1)), level, i))
        assert estimate.kind == "gaussian"
        assert estimate.extent == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("length", [9.0, 17.0])
@pytest.mark.parametrize("degrees", [0.0, 110.0])
def test_motion_blur_is_told_and_measured(photographs, length, degrees):
    for i, x in enumerate(photographs):
        estimate = estimate_blur(_measure(x, _line(length, degrees), 2, i))
        assert estimate.kind == "motion"
        assert estimate.extent == pytest.approx(length, abs=2)
        assert abs((estimate.angle - degrees + 90) % 180 - 90) <= 5
        assert "motion" in estimate.sentence
        assert torch.equal(estimate.psf, motion_psf(estimate.extent, estimate.angle).float())


@pytest.mark.parametrize("r", [3.0, 5.0])
def test_defocus_is_told_and_measured(photographs, r):
    for i, x in enumerate(photographs):
        estimate = estimate_blur(_measure(x, _disk(r), 2, i))
        assert estimate.kind == "disk"
        assert estimate.extent == pytest.approx(r, rel=0.1)


def test_eight_bits_alone_are_borne(photographs):
    for x in photographs:
        y = np.round(255 * gaussian_filter(x, 2.0)[12:-12, 12:-12]) / 255
        estimate = estimate_blur(torch.from_numpy(y).float()[None, None])
        assert estimate.extent == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 63, 200), (2, 1, 70, 90)])
def test_pictures_without_evidence_give_none(shape):
    for y in (torch.zeros(shape), torch.randn(shape, generator=torch.Generator().manual_seed(0))):
        assert estimate_blur(y).kind == "none"
