from dataclasses import replace

import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput
from restora.core.result import Code
from restora.front.pictures import (
    inpaint_picture,
    jpeg_quality,
    marked_in,
    restore_picture,
    restore_unknown,
    tensor_of,
    transparent_in,
)
from restora.images.jpeg_tables import tables_of_quality
from restora.images.metadata import JpegEncoding, Metadata
from restora.images.picture import Picture
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :64]
    clean = 80 + columns + 60 * (rows > 20)
    return Picture(np.clip(clean + rng.normal(0, 15, clean.shape), 0, 255).astype(np.uint8)[..., None], kind="gray")


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.uint8, torch.float32),
        (np.uint16, torch.float32),
        (np.float32, torch.float32),
        (np.uint32, torch.float64),
        (np.float64, torch.float64),
    ],
)
def test_the_tensor_holds_every_sample(dtype, expected):
    picture = Picture(np.array([[[0], [1]]], dtype=dtype), kind="gray")
    x = tensor_of(picture)
    assert x.dtype == expected
    assert (np.rint(x.numpy()[0, 0, 0] * picture.white) == [0, 1]).all()


def test_a_restored_picture_keeps_its_kind_and_tells_how(noisy):
    restored = restore_picture(noisy, Identity(), Gaussian(15 / 255), method="gaussian")
    assert restored.picture.pixels.dtype == np.uint8
    assert restored.picture.pixels.shape == noisy.pixels.shape
    assert restored.picture.kind == "gray"
    assert restored.method == "gaussian"
    assert restored.sigma == 15 / 255
    assert restored.picture.pixels[:18, :].std() < noisy.pixels[:18, :].std()


def test_an_unknown_level_is_estimated_and_told(noisy):
    restored = restore_picture(noisy, Identity(), UnknownNoise(), method="gaussian")
    assert restored.sigma == pytest.approx(15 / 255, rel=0.2)
    assert len(restored.plan.found) == 1


def test_auto_names_what_it_chose(noisy):
    restored = restore_picture(noisy, Identity(), Gaussian(15 / 255))
    assert restored.method is not None
    assert restored.status.sentence.startswith(restored.method)


def test_opacity_follows_the_size(noisy):
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, 32:] = 255
    picture = replace(noisy, alpha=alpha)
    restored = restore_picture(picture, Downsample(2), Gaussian(0.0), method="bicubic")
    assert restored.picture.alpha is not None
    assert restored.picture.alpha.shape == (96, 128)
    assert (restored.picture.alpha[:, 70:] == 255).all()
    assert (restored.picture.alpha[:, :58] == 0).all()


def test_holes_become_opaque_and_the_rest_stays(noisy):
    missing = np.zeros((48, 64), bool)
    missing[10:14, 20:30] = True
    alpha = np.where(missing, 0, 200).astype(np.uint8)
    restored = inpaint_picture(replace(noisy, alpha=alpha), missing, Gaussian(0.0), method="harmonic")
    assert (restored.picture.pixels[~missing] == noisy.pixels[~missing]).all()
    assert restored.picture.alpha is not None
    assert (restored.picture.alpha[missing] == 255).all()
    assert (restored.picture.alpha[~missing] == 200).all()


def test_what_a_hole_holds_does_not_matter(noisy):
    missing = np.zeros((48, 64), bool)
    missing[10:14, 20:30] = True
    values = (noisy.pixels / 255).astype(np.float32)
    torn = values.copy()
    torn[missing] = np.nan
    whole, filled = (
        inpaint_picture(Picture(v, kind="gray"), missing, Gaussian(0.0), method="harmonic").picture.pixels
        for v in (values, torn)
    )
    assert (whole == filled).all()


@pytest.mark.parametrize("fill", [False, True])
def test_a_mask_of_nothing_or_everything_is_refused(noisy, fill):
    with pytest.raises(InvalidInput, match="pixel is missing"):
        inpaint_picture(noisy, np.full((48, 64), fill), Gaussian(0.0))


def test_a_mask_of_another_size_is_refused(noisy):
    with pytest.raises(InvalidInput, match="mask is of 3 x 2"):
        inpaint_picture(noisy, np.ones((2, 3), bool), Gaussian(0.0))


def test_nan_is_refused_with_a_way_out():
    with pytest.raises(InvalidInput, match="inpaint"):
        restore_unknown(Picture(np.full((8, 8, 1), np.nan, np.float32), kind="gray"))


def test_a_clean_picture_is_left_alone():
    rows, columns = np.mgrid[:64, :64]
    disk = ((rows - 30) ** 2 + (columns - 34) ** 2 < 300).astype(np.uint8) * 100 + 60
    picture = Picture(disk[..., None], kind="gray")
    restored = restore_unknown(picture)
    assert restored.status.code is Code.LEFT_ALONE
    assert restored.picture is picture
    assert restored.method is None


def test_a_noisy_picture_is_mended_and_the_reason_told(noisy):
    restored = restore_unknown(noisy)
    assert restored.method is not None
    assert any("noise" in sentence for sentence in restored.plan.found)


def test_marks_are_found_within_a_tolerance():
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 1] = (255, 0, 255)
    pixels[1, 2] = (250, 5, 251)
    pixels[1, 0] = (230, 0, 255)
    marked = marked_in(Picture(pixels), (1.0, 0.0, 1.0))
    assert marked.tolist() == [[False, True, False], [False, False, True]]


def test_transparency():
    pixels = np.zeros((1, 3, 3), np.uint16)
    alpha = np.array([[0, 30000, 65535]], np.uint16)
    assert transparent_in(Picture(pixels, alpha)).tolist() == [[True, True, False]]
    with pytest.raises(InvalidInput, match="no transparency"):
        transparent_in(Picture(pixels))


def test_the_quality_of_a_jpeg_comes_from_its_tables():
    luminance, chrominance = tables_of_quality(37)
    encoding = JpegEncoding((luminance, chrominance, chrominance), ((2, 2), (1, 1), (1, 1)))
    picture = Picture(np.zeros((8, 8, 3), np.uint8), format="JPEG", metadata=Metadata(encoding=encoding))
    assert jpeg_quality(picture) == 37
    assert jpeg_quality(Picture(np.zeros((8, 8, 3), np.uint8))) is None
