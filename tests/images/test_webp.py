"""WebP: lossless stays lossless, lossy is written at a high quality; libwebp (Pillow) is the judge."""

import io

import numpy as np
import pytest
from PIL import Image

from restora.core.errors import FileProblem
from restora.images.metadata import Metadata, WebpEncoding
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture


def _saved(pixels: np.ndarray, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", **options)
    return stream.getvalue()


def _again(data: bytes) -> bytes:
    picture = read_picture(data)
    return encode_picture(with_pixels(picture, to_tensor(picture)), "WEBP")


def test_lossless_stays_lossless_with_colours_under_zero_opacity(colour, opacity):
    data = _saved(np.dstack([colour, opacity]), lossless=True, exact=True)
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, colour)
    np.testing.assert_array_equal(picture.alpha, opacity)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(_again(data)))), np.dstack([colour, opacity]))


@pytest.mark.parametrize("quality", [10, 90])
def test_lossy_stays_lossy_and_loses_little(quality, colour):
    data = _saved(colour, quality=quality)
    picture = read_picture(data)
    assert picture.metadata.encoding == WebpEncoding(lossless=False)
    assert _again(data) == _saved(picture.pixels, quality=95)


def test_gray_becomes_three_equal_channels(gray):
    picture = read_picture(encode_picture(Picture(gray, kind="gray"), "WEBP"))
    np.testing.assert_array_equal(picture.pixels, np.repeat(gray, 3, axis=2))


def test_all_metadata_survive(colour, srgb, make_exif, xmp):
    data = _saved(colour, lossless=True, icc_profile=srgb, exif=make_exif(), xmp=xmp())
    picture = read_picture(data)
    assert (picture.metadata.icc, picture.metadata.exif, picture.metadata.xmp) == (srgb, make_exif(), xmp())
    assert read_picture(_again(data)).metadata == picture.metadata
    assert Image.open(io.BytesIO(_again(data))).getexif()[0x010F] == "Maker & Sons"


@pytest.mark.parametrize("orientation", [3, 6])
def test_pixels_come_upright(orientation, colour, make_exif):
    picture = read_picture(_saved(colour, lossless=True, exif=make_exif(orientation)))
    np.testing.assert_array_equal(picture.pixels, np.rot90(colour, 2 if orientation == 3 else -1))
    assert picture.metadata.exif == make_exif(1)


def test_animations_are_refused(colour):
    frames = [Image.fromarray(colour), Image.fromarray(255 - colour)]
    stream = io.BytesIO()
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(FileProblem, match="animation"):
        read_picture(stream.getvalue())


def test_sides_over_the_limit_are_refused():
    with pytest.raises(FileProblem, match="16383"):
        encode_picture(Picture(np.zeros((1, 16384, 3), np.uint8), metadata=Metadata()), "WEBP")


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}])
def test_files_cut_short_are_refused(options, colour):
    with pytest.raises(FileProblem, match="cut short"):
        read_picture(_saved(colour, **options)[:-100])
