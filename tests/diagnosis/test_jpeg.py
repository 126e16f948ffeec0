import io

import numpy as np
import pytest
import torch
from PIL import Image

from restora.diagnosis.jpeg import _dct, _steps, _zigzag, estimate_jpeg_quality
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg


@pytest.fixture
def plain(data_dir):
    """A photograph without traces of compression: one reduced by two."""
    picture = Image.open(data_dir / "train/BSDS500-color/100080.jpg").reduce(2)
    return torch.from_numpy(np.asarray(picture).transpose(2, 0, 1).copy()).float()[None] / 255


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 90])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_quality_of_a_jpeg_is_found(plain, quality, channels):
    estimate = estimate_jpeg_quality(Jpeg(quality).sample(plain[:, :channels]))
    assert (estimate.quality, estimate.blocked, estimate.offset) == (quality, True, (0, 0))
    assert str(quality) in estimate.sentence


def test_the_grid_is_found_after_cropping(plain):
    y = Jpeg(60).sample(plain)[:, :, 3:, 6:]
    estimate = estimate_jpeg_quality(y)
    assert (estimate.quality, estimate.offset) == (60, (5, 2))
    assert "row 5, column 2" in estimate.sentence


def test_other_tables_give_a_quality_like_theirs(plain):
    levels = (plain[0, 0] * 255).round().byte().numpy()
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "JPEG", qtables=[[9] * 64])
    y = torch.from_numpy(np.asarray(Image.open(stream)).copy()).float()[None, None] / 255
    estimate = estimate_jpeg_quality(y)
    assert estimate.blocked
    assert estimate.quality is not None
    assert 60 < estimate.quality < 90


def test_pictures_never_compressed_give_none(plain, camera, cat):
    for y in (plain, camera, cat, Gaussian(0.05).sample(plain), torch.rand(1, 1, 64, 64)):
        assert estimate_jpeg_quality(y).quality is None


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (9, 9)])
def test_pictures_too_small_or_even_give_none(size):
    for y in (torch.rand(1, 1, *size), torch.zeros(1, 1, *size)):
        estimate = estimate_jpeg_quality(y)
        assert (estimate.quality, estimate.blocked) == (None, False)


def test_the_tables_are_those_pillow_writes():
    for quality in (5, 25, 50, 83, 97):
        stream = io.BytesIO()
        Image.new("L", (8, 8)).save(stream, "JPEG", quality=quality)
        table = np.array(Image.open(stream).quantization[0])
        assert np.array_equal(table[_zigzag()[1:21].numpy()], _steps()[quality - 1].numpy())


def test_the_transform_is_orthonormal_with_a_constant_first_row():
    assert torch.allclose(_dct() @ _dct().T, torch.eye(64), atol=1e-6)
    assert torch.allclose(_dct()[0], torch.full((64,), 1 / 8))
