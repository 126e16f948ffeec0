import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import InvalidInput
from restora.noise.jpeg import Jpeg


def test_the_round_trip_is_pillows_file(cat, tmp_path):
    levels = (cat[0] * 255).round().byte().movedim(0, -1).numpy()
    Image.fromarray(levels).save(tmp_path / "x.jpg", quality=30)
    expected = np.asarray(Image.open(tmp_path / "x.jpg"))
    read = Jpeg(30).sample(cat)[0].movedim(0, -1).mul(255).round().byte().numpy()
    assert np.array_equal(read, expected)


def test_chroma_kept_whole_leaves_less_error(cat):
    halved, whole = (float((Jpeg(90, s).sample(cat) - cat).square().mean()) for s in ("4:2:0", "4:4:4"))
    assert whole < 0.8 * halved


def test_gray_coefficients_lie_on_the_lattice_of_the_file(camera):
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "JPEG", quality=50)
    step = Image.open(stream).quantization[0][1]
    y = Jpeg(50).sample(camera)[0, 0].double().numpy() * 255 - 128
    blocks = y.reshape(16, 8, 16, 8).transpose(0, 2, 1, 3)
    line = np.cos(math.pi * (np.arange(8) + 0.5) / 8) / 2
    coefficients = blocks @ line @ np.full(8, 1 / math.sqrt(8))
    off = np.abs(coefficients / step - np.round(coefficients / step))
    assert np.median(off) < 0.05


def test_the_likelihood_tells_the_pictures_that_give_this_file(camera):
    y = Jpeg(20).sample(camera)
    assert float(Jpeg(20).log_likelihood(y, camera)) == 0
    assert float(Jpeg(20).log_likelihood(y, camera.flip(-1))) == -math.inf


def test_what_lies_outside_the_range_is_clipped_as_a_file_must():
    x = torch.tensor([-1.0, 2.0]).repeat_interleave(8).expand(1, 1, 16, 16)
    y = Jpeg(100).sample(x)
    assert float(y.min()) >= 0
    assert float(y.max()) <= 1
    assert torch.allclose(y, x.clamp(0, 1), atol=3 / 255)


def test_two_channels_are_refused():
    with pytest.raises(InvalidInput, match="1 or 3"):
        Jpeg(50).sample(torch.zeros(1, 2, 8, 8))


@pytest.mark.parametrize("quality", [10, 30, 60])
def test_sigma_is_somewhat_below_the_error_on_a_photograph(quality, camera):
    error = float((Jpeg(quality).sample(camera) - camera).square().mean().sqrt())
    assert 0.4 * error < Jpeg(quality).sigma < error
