import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from restora.diagnosis.upscaling import estimate_upscaling


@pytest.fixture(scope="module")
def photographs(data_dir):
    folder = data_dir / "train/BSDS500-color"
    return [Image.open(folder / f"{n}.jpg").convert("L") for n in ("100080", "100039")]


def _image(picture):
    return torch.from_numpy(np.asarray(picture).copy()).float()[None, None] / 255


@pytest.mark.parametrize("factor", [1.5, 2, 3, 4])
@pytest.mark.parametrize("kernel", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_the_factor_of_an_enlargement_is_found(photographs, factor, kernel):
    for picture in photographs:
        small = picture.reduce(2)
        size = (int(small.width * factor), int(small.height * factor))
        estimate = estimate_upscaling(_image(small.resize(size, kernel)))
        assert estimate.upscaled
        assert estimate.factor == pytest.approx(factor, rel=0.03)
        assert "enlarged" in estimate.sentence


def test_other_photographs_are_not_called_enlarged(photographs, camera, cat):
    for picture in photographs:
        for changed in (picture, picture.reduce(2), picture.filter(ImageFilter.GaussianBlur(1.5))):
            assert estimate_upscaling(_image(changed)).factor == 1.0
    for y in (camera, cat):
        assert not estimate_upscaling(y).upscaled


def test_jpeg_blocks_on_a_blurred_photograph_are_no_enlargement(photographs, tmp_path):
    for picture in photographs:
        picture.filter(ImageFilter.GaussianBlur(1.5)).save(tmp_path / "x.jpg", quality=60)
        assert not estimate_upscaling(_image(Image.open(tmp_path / "x.jpg"))).upscaled


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 20, 300), (1, 1, 64, 64)])
def test_pictures_too_small_or_without_structure_give_none(shape):
    for y in (torch.zeros(shape), torch.rand(shape, generator=torch.Generator().manual_seed(0))):
        assert not estimate_upscaling(y).upscaled
