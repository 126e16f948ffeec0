"""HEIC and AVIF; both lose, so pixels are compared by their mean difference."""

import io
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from restora.core.errors import FileProblem, MissingDependency
from restora.images.metadata import HeifEncoding, Metadata
from restora.images.orientation import turned_upright
from restora.images.picture import Picture
from restora.images.read import read_picture
from restora.images.write import encode_picture

needs_heic = pytest.mark.skipif(find_spec("pillow_heif") is None, reason="pillow-heif is not installed")
needs_avif = pytest.mark.skipif(find_spec("PIL.AvifImagePlugin") is None, reason="this Pillow has no AVIF")


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("name", [pytest.param("HEIC", marks=needs_heic), pytest.param("AVIF", marks=needs_avif)])
def test_pixels_opacity_and_metadata_come_through(name, colour, opacity, srgb, make_exif, exif_values, xmp):
    metadata = Metadata(icc=srgb, exif=make_exif(), xmp=xmp())
    first = read_picture(encode_picture(Picture(colour, opacity, metadata=metadata), name))
    assert first.format == name
    assert _distance(first.pixels, colour) < 4
    assert _distance(first.alpha, opacity) < 2
    assert (first.metadata.icc, first.metadata.xmp) == (srgb, xmp())
    values, expected = exif_values(first.metadata.exif), exif_values(make_exif())
    assert {**values, 0x0112: 1} == expected
    assert first.metadata.encoding == HeifEncoding(8, "444")
    second = read_picture(encode_picture(first, name))
    assert second.metadata == first.metadata


@pytest.mark.parametrize("name", [pytest.param("HEIC", marks=needs_heic), pytest.param("AVIF", marks=needs_avif)])
def test_gray_comes_through(name, gray):
    picture = read_picture(encode_picture(Picture(gray, kind="gray"), name))
    assert _distance(picture.pixels, np.broadcast_to(gray, picture.pixels.shape)) < 4


@needs_heic
def test_ten_bits_of_heic_are_kept():
    import pillow_heif

    ramp = np.tile(np.linspace(0, 65535, 128).astype(np.uint16)[None, :, None], (64, 1, 3))
    stream = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (128, 64), ramp.tobytes()).save(stream, quality=95, chroma=444)
    picture = read_picture(stream.getvalue())
    assert picture.pixels.dtype == np.uint16
    assert picture.metadata.encoding == HeifEncoding(10, "444")
    assert _distance(picture.pixels, ramp) < 150
    again = read_picture(encode_picture(picture, "HEIC"))
    assert again.metadata.encoding == picture.metadata.encoding
    with pytest.raises(FileProblem, match="uint16"):
        encode_picture(Picture(ramp), "HEIC")  # sixteen bits of another file do not fit into ten


@needs_avif
def test_ten_bits_of_avif_are_read():
    imagecodecs = pytest.importorskip("imagecodecs")
    ramp = np.tile(np.linspace(0, 1023, 128).astype(np.uint16)[None, :, None], (64, 1, 3))
    data = imagecodecs.avif_encode(ramp, level=95, bitspersample=10)
    picture = read_picture(data)
    assert picture.pixels.dtype == np.uint16
    assert picture.metadata.encoding.bits == 10
    assert _distance(picture.pixels, ramp * (65535 / 1023)) < 150


@needs_avif
@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_comes_upright(orientation, colour, make_exif):
    stream = io.BytesIO()
    Image.fromarray(colour).save(stream, "AVIF", quality=95, exif=b"Exif\0\0" + make_exif(orientation))
    picture = read_picture(stream.getvalue())
    assert _distance(picture.pixels, turned_upright(colour, orientation)) < 4


@needs_heic
def test_heic_comes_upright(colour):
    import pillow_heif

    image = Image.fromarray(colour)
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=95, exif=exif.tobytes())
    picture = read_picture(stream.getvalue())
    assert _distance(picture.pixels, np.rot90(colour, -1)) < 5


def test_without_the_extra_a_sentence_names_it(monkeypatch, colour):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingDependency, match=r'pip install "restora\[io\]"'):
        read_picture(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(MissingDependency, match="pillow_heif"):
        encode_picture(Picture(colour), "HEIC")
