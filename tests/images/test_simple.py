"""BMP and GIF."""

import io

import numpy as np
import pytest
from PIL import Image

from restora.core.errors import FileProblem
from restora.images.metadata import Metadata
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture


def _saved(image: Image.Image, name: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bitmaps_come_back_as_they_were(mode, colour):
    image = Image.fromarray(colour).quantize(50) if mode == "P" else Image.fromarray(colour).convert(mode)
    data = _saved(image, "BMP", dpi=(300, 300))
    picture = read_picture(data)
    expected = np.asarray(image.convert("RGB" if mode == "P" else "L" if mode == "1" else mode))
    np.testing.assert_array_equal(picture.pixels.squeeze(), expected)
    again = encode_picture(with_pixels(picture, to_tensor(picture)), "BMP")
    by_pillow = Image.open(io.BytesIO(again))
    assert by_pillow.mode == mode
    np.testing.assert_array_equal(
        np.asarray(by_pillow.convert(image.mode if mode != "P" else "RGB")).squeeze(),
        np.asarray(image.convert("RGB") if mode == "P" else image),
    )
    assert by_pillow.info["dpi"] == pytest.approx((300, 300), rel=1e-3)


def test_bitmaps_hold_no_opacity(colour, opacity):
    with pytest.raises(FileProblem, match=r"transparency.*\.png"):
        encode_picture(Picture(colour, opacity), "BMP")


def test_one_frame_of_gif_is_read_and_written_otherwise(colour, tmp_path):
    from restora.images.write import write_picture

    indexed = Image.fromarray(colour).quantize(90)
    picture = read_picture(_saved(indexed, "GIF"))
    np.testing.assert_array_equal(picture.pixels, np.asarray(indexed.convert("RGB")))
    assert picture.metadata == Metadata(palette=picture.metadata.palette)
    write_picture(tmp_path / "a.png", picture)
    with pytest.raises(FileProblem, match="does not write"):
        write_picture(tmp_path / "a.gif", picture)


def test_animations_are_refused(colour):
    frames = [Image.fromarray(colour), Image.fromarray(255 - colour)]
    with pytest.raises(FileProblem, match="animation"):
        read_picture(_saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))


def test_bitmaps_cut_short_are_refused(colour):
    with pytest.raises(FileProblem, match="cut short"):
        read_picture(_saved(Image.fromarray(colour), "BMP")[:-300])
