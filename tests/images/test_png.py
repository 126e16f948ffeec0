"""PNG of every depth and colour type, against Pillow, libpng (imagecodecs) and files made by hand."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from restora.core.errors import FileProblem
from restora.images.metadata import Metadata
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture


def _saved(image: Image.Image, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _file(width, height, depth, colour, rows: bytes, *extra: bytes, interlaced=0) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *extra, _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")])


def _again(data: bytes) -> Picture:
    picture = read_picture(data)
    return read_picture(encode_picture(with_pixels(picture, to_tensor(picture)), "PNG"))


def _header(data: bytes) -> tuple[int, int]:
    """Bit depth and colour type."""
    return data[24], data[25]


def test_colour_of_eight_bits(colour):
    data = _saved(Image.fromarray(colour))
    picture = read_picture(data)
    assert (picture.kind, picture.format, picture.alpha) == ("rgb", "PNG", None)
    np.testing.assert_array_equal(picture.pixels, colour)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_picture(picture, "PNG")))), colour)


def test_colours_under_zero_opacity_are_kept(colour, opacity):
    data = _saved(Image.fromarray(np.dstack([colour, opacity])))
    picture = _again(data)
    np.testing.assert_array_equal(picture.pixels, colour)
    np.testing.assert_array_equal(picture.alpha, opacity)


def test_gray_with_opacity(gray, opacity):
    picture = _again(_saved(Image.fromarray(np.dstack([gray, opacity]))))
    assert picture.kind == "gray"
    np.testing.assert_array_equal(picture.pixels, gray)
    np.testing.assert_array_equal(picture.alpha, opacity)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_as_libpng_reads_and_writes_them(channels, generator):
    rng = np.random.default_rng(channels)
    samples = rng.integers(0, 65536, (19, 23, channels), dtype=np.uint16)
    samples[5:15, 5:15] = np.arange(10, dtype=np.uint16)[:, None, None] * 300  # smooth, for the filters
    data = imagecodecs.png_encode(samples if channels > 1 else samples[..., 0])
    picture = read_picture(data)
    colours = channels - (channels + 1) % 2
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, samples[..., :colours])
    if colours < channels:
        np.testing.assert_array_equal(picture.alpha, samples[..., -1])
    decoded = imagecodecs.png_decode(encode_picture(picture, "PNG"))
    np.testing.assert_array_equal(decoded.reshape(samples.shape), samples)


@pytest.mark.parametrize("kind", range(5))
def test_each_filter_is_undone(kind):
    rng = np.random.default_rng(kind)
    rows = rng.integers(0, 256, (9, 1 + 7 * 6), dtype=np.uint8)
    rows[:, 0] = kind
    data = _file(7, 9, 16, 2, rows.tobytes())
    np.testing.assert_array_equal(read_picture(data).pixels, imagecodecs.png_decode(data))


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 9), (16, 17)])
def test_interlaced_sixteen_bits(size):
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    samples = np.random.default_rng(1).integers(0, 65536, (*size, 3), dtype=np.uint16)
    rows = b"".join(
        b"\0" + row.astype(">u2").tobytes() for y, x, dy, dx in passes for row in samples[y::dy, x::dx] if row.size
    )
    data = _file(size[1], size[0], 16, 2, rows, interlaced=1)
    np.testing.assert_array_equal(imagecodecs.png_decode(data), samples)
    np.testing.assert_array_equal(read_picture(data).pixels, samples)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_stay_few_if_the_values_still_fit(depth):
    values = np.random.default_rng(depth).integers(0, 2**depth, (11, 13), dtype=np.uint8)
    bits = np.unpackbits(values[..., None], axis=2)[..., 8 - depth :].reshape(11, -1)
    packed = np.packbits(bits, axis=1)
    data = _file(13, 11, depth, 0, np.hstack([np.zeros((11, 1), np.uint8), packed]).tobytes())
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels[..., 0], values * (255 // (2**depth - 1)))
    again = encode_picture(picture, "PNG")
    assert _header(again) == (depth, 0)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(again)).convert("L")), picture.pixels[..., 0])
    blurred = with_pixels(picture, to_tensor(picture) * 0.99)
    assert _header(encode_picture(blurred, "PNG")) == (8, 0)


def test_a_palette_stays_if_it_holds_every_colour(colour):
    indexed = Image.fromarray(colour).quantize(13)
    data = _saved(indexed, bits=4)
    picture = read_picture(data)
    assert picture.kind == "palette"
    np.testing.assert_array_equal(picture.pixels, np.asarray(indexed.convert("RGB")))
    again = encode_picture(picture, "PNG")
    assert _header(again) == (4, 3)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(again)).convert("RGB")), picture.pixels)
    restored = with_pixels(picture, to_tensor(picture) * 0.987)
    again = encode_picture(restored, "PNG")
    assert _header(again) == (8, 2)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(again))), restored.pixels)


def test_a_transparent_palette(colour):
    indexed = Image.fromarray(colour).quantize(200)
    indexed.info["transparency"] = bytes(range(0, 100, 10))
    picture = read_picture(_saved(indexed))
    expected = np.asarray(Image.open(io.BytesIO(_saved(indexed))).convert("RGBA"))
    np.testing.assert_array_equal(picture.pixels, expected[..., :3])
    np.testing.assert_array_equal(picture.alpha, expected[..., 3])
    again = encode_picture(picture, "PNG")
    assert _header(again) == (8, 3)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(again)).convert("RGBA")), expected)


def test_a_palette_of_grays_is_gray(gray):
    indexed = Image.fromarray(gray[..., 0] // 4)
    indexed.putpalette(np.repeat(np.arange(0, 256, 4, dtype=np.uint8), 3).tobytes())
    picture = read_picture(_saved(indexed))
    assert picture.pixels.shape == (48, 64, 1)
    np.testing.assert_array_equal(picture.pixels, gray // 4 * 4)
    assert _header(encode_picture(picture, "PNG"))[1] == 3


def test_one_colour_may_be_transparent():
    rows = b"".join(b"\0" + bytes(row) for row in ([9, 8, 7, 1, 2, 3], [1, 2, 3, 9, 8, 6]))
    picture = read_picture(_file(2, 2, 8, 2, rows, _chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))))
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[255, 0], [0, 255]]
    assert picture.pixels[1, 0].tolist() == [1, 2, 3]


def test_profile_exif_xmp_density_and_text_survive(colour, srgb, make_exif, xmp):
    text = PngInfo()
    text.add_text("Author", "Ada")
    text.add_itxt("XML:com.adobe.xmp", xmp().decode())
    data = _saved(
        Image.fromarray(colour), icc_profile=srgb, exif=b"Exif\0\0" + make_exif(), dpi=(300, 150), pnginfo=text
    )
    picture, again = read_picture(data), _again(data)
    assert again.metadata == picture.metadata
    assert picture.metadata.icc == srgb
    assert picture.metadata.xmp == xmp()
    assert picture.metadata.exif == make_exif()
    assert picture.metadata.dpi == pytest.approx((300, 150), rel=1e-4)
    by_pillow = Image.open(io.BytesIO(encode_picture(picture, "PNG")))
    assert by_pillow.info["Author"] == "Ada"
    assert by_pillow.info["icc_profile"] == srgb
    assert by_pillow.getexif()[0x010F] == "Maker & Sons"


def test_sixteen_bits_keep_their_metadata_too(srgb, make_exif, xmp):
    pixels = np.random.default_rng(0).integers(0, 65536, (8, 9, 3), dtype=np.uint16)
    metadata = Metadata(icc=srgb, exif=make_exif(width=9, height=8), xmp=xmp(), dpi=(72.009, 72.009))
    again = read_picture(encode_picture(Picture(pixels, metadata=metadata), "PNG")).metadata
    assert (again.icc, again.exif, again.xmp) == (metadata.icc, metadata.exif, metadata.xmp)
    assert again.dpi == pytest.approx(metadata.dpi, rel=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_come_upright(orientation, colour, make_exif):
    data = _saved(Image.fromarray(colour), exif=b"Exif\0\0" + make_exif(orientation))
    picture = read_picture(data)
    image = Image.open(io.BytesIO(data))
    from PIL import ImageOps

    np.testing.assert_array_equal(picture.pixels, np.asarray(ImageOps.exif_transpose(image)))
    assert Image.open(io.BytesIO(encode_picture(picture, "PNG"))).getexif()[0x0112] == 1


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_array_survives(data):
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    channels = data.draw(st.sampled_from([1, 3]))
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    pixels = data.draw(arrays(dtype, (*shape, channels)))
    alpha = data.draw(st.none() | arrays(dtype, shape))
    picture = Picture(pixels, alpha, "gray" if channels == 1 else "rgb")
    again = read_picture(encode_picture(picture, "PNG"))
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.pixels.dtype == dtype
    if alpha is None:
        assert again.alpha is None
    else:
        np.testing.assert_array_equal(again.alpha, alpha)


def test_animations_are_refused(colour):
    frames = [Image.fromarray(colour), Image.fromarray(255 - colour)]
    with pytest.raises(FileProblem, match="animation"):
        read_picture(_saved(frames[0], save_all=True, append_images=frames[1:]))


def test_a_wrong_check_sum_is_damage(colour):
    data = bytearray(_saved(Image.fromarray(colour)))
    data[-40] ^= 1
    with pytest.raises(FileProblem, match="damaged"):
        read_picture(bytes(data))


def test_missing_rows_of_sixteen_bits_are_damage():
    with pytest.raises(FileProblem, match="cut short"):
        read_picture(_file(4, 4, 16, 0, bytes(3 * 9)))
    with pytest.raises(FileProblem, match="filter"):
        read_picture(_file(4, 4, 16, 0, b"\x07" + bytes(4 * 9 - 1)))
