"""TIFF of every depth and kind, written by tifffile and Pillow, read by us, and the other way round."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from restora.core.errors import FileProblem, MissingDependency
from restora.images.metadata import Metadata, TiffEncoding
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture


def _written(samples: np.ndarray, **options) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, samples, metadata=None, **options)
    return stream.getvalue()


def _saved(image: Image.Image, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "TIFF", **options)
    return stream.getvalue()


def _again(data: bytes) -> bytes:
    picture = read_picture(data)
    x = to_tensor(picture)
    return encode_picture(with_pixels(picture, x), "TIFF")


def _samples(dtype, channels: int) -> np.ndarray:
    rng = np.random.default_rng(channels)
    if np.dtype(dtype).kind == "f":
        samples = rng.normal(0.5, 2, (21, 17, channels)).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        samples = rng.integers(limits.min, limits.max, (21, 17, channels), dtype=dtype, endpoint=True)
    return samples


def _page(data: bytes) -> tifffile.TiffPage:
    return tifffile.TiffFile(io.BytesIO(data)).pages[0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f2", "f4"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_every_depth_comes_through(channels, dtype, byteorder):
    samples = _samples(dtype, channels)
    photometric = "rgb" if channels == 3 else "minisblack"
    data = _written(samples.squeeze(), photometric=photometric, byteorder=byteorder)
    picture = read_picture(data)
    assert picture.pixels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(picture.pixels, samples)
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(_again(data))).reshape(samples.shape), samples)
    assert read_picture(_again(data)).metadata == picture.metadata


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("extrasample", ["unassalpha", "assocalpha"])
def test_opacity_stays_straight_or_premultiplied(dtype, extrasample):
    samples = _samples(dtype, 4)
    samples[:9, :, 3] = 0
    data = _written(samples, photometric="rgb", extrasamples=[extrasample])
    picture = read_picture(data)
    np.testing.assert_array_equal(np.dstack([picture.pixels, picture.alpha]), samples)
    assert picture.metadata.premultiplied == (extrasample == "assocalpha")
    page = _page(_again(data))
    np.testing.assert_array_equal(page.asarray(), samples)
    assert [int(kind) for kind in page.extrasamples] == [1 if extrasample == "assocalpha" else 2]


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_gray_with_opacity(dtype):
    samples = _samples(dtype, 2)
    data = _written(samples, photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig")
    picture = read_picture(data)
    np.testing.assert_array_equal(np.dstack([picture.pixels, picture.alpha]), samples)
    np.testing.assert_array_equal(_page(_again(data)).asarray(), samples)


@pytest.mark.parametrize(("dtype", "channels"), [("u1", 5), ("u2", 8), ("f4", 2), ("u1", 3)])
def test_many_bands(dtype, channels):
    samples = _samples(dtype, channels)
    data = _written(samples, photometric="minisblack", planarconfig="contig")
    picture = read_picture(data)
    assert picture.kind == "multiband"
    assert to_tensor(picture).shape == (1, channels, 21, 17)
    np.testing.assert_array_equal(picture.pixels, samples)
    again = _page(_again(data))
    np.testing.assert_array_equal(again.asarray(), samples)
    assert int(again.photometric) == 1


def test_planes_of_their_own():
    samples = _samples("u2", 3)
    data = _written(np.moveaxis(samples, 2, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_picture(data).pixels, samples)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_ink_stays_ink(dtype):
    samples = _samples(dtype, 4)
    data = _written(samples, photometric="separated")
    picture = read_picture(data)
    assert picture.kind == "cmyk"
    np.testing.assert_array_equal(picture.pixels, samples)
    page = _page(_again(data))
    assert int(page.photometric) == 5
    np.testing.assert_array_equal(page.asarray(), samples)


@pytest.mark.parametrize(
    ("compression", "predictor"),
    [(None, None), ("lzw", None), ("lzw", True), ("zlib", True), ("zstd", None), ("packbits", None), ("lzma", None)],
)
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_compressions_are_kept(compression, predictor, dtype):
    samples = _samples(dtype, 3)
    data = _written(samples, photometric="rgb", compression=compression, predictor=predictor)
    again = _again(data)
    np.testing.assert_array_equal(_page(again).asarray(), samples)
    assert _page(again).compression == _page(data).compression
    assert _page(again).predictor == _page(data).predictor


def test_the_predictor_of_floats_is_kept():
    samples = _samples("f4", 3)
    data = _written(samples, photometric="rgb", compression="zlib", predictor=True)
    again = _page(_again(data))
    np.testing.assert_array_equal(again.asarray(), samples)
    assert int(again.predictor) == 3


def test_lossy_compression_becomes_deflate(colour):
    data = _saved(Image.fromarray(colour), compression="jpeg", quality=90)
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(data))))
    assert int(_page(_again(data)).compression) == 8


def test_scans_in_black_and_white_stay_so(gray):
    bilevel = Image.fromarray(gray[..., 0] > 100)
    data = _saved(bilevel, compression="group4")
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels[..., 0] > 0, np.asarray(bilevel))
    again = _page(_again(data))
    assert (int(again.compression), int(again.bitspersample)) == (4, 1)
    softened = with_pixels(picture, to_tensor(picture) * 0.9)
    page = _page(encode_picture(softened, "TIFF"))
    assert (int(page.compression), int(page.bitspersample)) == (8, 8)
    np.testing.assert_array_equal(page.asarray(), softened.pixels[..., 0])


def test_palettes(colour):
    indexed = Image.fromarray(colour).quantize(64)
    picture = read_picture(_saved(indexed))
    assert picture.kind == "palette"
    np.testing.assert_array_equal(picture.pixels, np.asarray(indexed.convert("RGB")))
    assert Image.open(io.BytesIO(encode_picture(picture, "TIFF"))).mode == "P"
    restored = with_pixels(picture, to_tensor(picture) * 0.99)
    again = Image.open(io.BytesIO(encode_picture(restored, "TIFF")))
    assert again.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(again), restored.pixels)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_white_is_zero_is_turned_over(dtype):
    samples = _samples(dtype, 1)[..., 0]
    picture = read_picture(_written(samples, photometric="miniswhite"))
    np.testing.assert_array_equal(picture.pixels[..., 0], np.iinfo(dtype).max - samples)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_pixels_come_upright(orientation, dtype, colour):
    samples = colour.astype(dtype)
    data = _written(samples, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(colour)
    image.getexif()[0x0112] = orientation
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, np.asarray(ImageOps.exif_transpose(image)))
    assert _page(_again(data)).tags.get(274) is None or _page(_again(data)).tags[274].value == 1


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_all_metadata_survive(dtype, srgb, make_exif, exif_values, xmp):
    picture = Picture(
        _samples(dtype, 3),
        metadata=Metadata(
            icc=srgb, exif=make_exif(width=17, height=21), xmp=xmp(), iptc=b"8BIM resources", dpi=(300.0, 150.5)
        ),
    )
    data = encode_picture(picture, "TIFF")
    first = read_picture(data)
    assert first.metadata.icc == srgb
    assert first.metadata.xmp == xmp()
    assert first.metadata.iptc == b"8BIM resources"
    assert first.metadata.dpi == (300.0, 150.5)
    expected = exif_values(make_exif(width=17, height=21))
    del expected[0x0112]  # a TIFF file says this of itself, and is upright
    assert exif_values(first.metadata.exif) == expected
    assert read_picture(_again(data)).metadata == first.metadata
    by_pillow = Image.open(io.BytesIO(data)) if dtype == "u1" else None
    if by_pillow:
        assert by_pillow.info["icc_profile"] == srgb
        assert by_pillow.info["dpi"] == (300.0, 150.5)
        assert by_pillow.getexif().get_ifd(0x8769)[0x9003] == "2024:02:29 12:34:56"
    tags = _page(data).tags
    assert tags["Make"].value == "Maker & Sons"
    assert tags["XMP"].value == xmp()


def test_exif_goes_from_jpeg_to_tiff_and_back(colour, make_exif, exif_values):
    stream = io.BytesIO()
    Image.fromarray(colour).save(stream, "JPEG", exif=b"Exif\0\0" + make_exif())
    as_tiff = encode_picture(read_picture(stream.getvalue()), "TIFF")
    back = read_picture(encode_picture(read_picture(as_tiff), "JPEG"))
    expected = exif_values(make_exif())
    del expected[0x0112]
    assert exif_values(back.metadata.exif) == expected


def test_places_on_the_earth_are_kept_unless_the_size_changes():
    samples = _samples("u2", 3)
    scale = (33550, 12, 3, (2.0, 2.0, 0.0), True)
    data = _written(samples, photometric="rgb", byteorder=">", extratags=[scale, (42113, 2, 0, "-9999", True)])
    assert _page(_again(data)).tags[33550].value == (2.0, 2.0, 0.0)
    assert _page(_again(data)).tags[42113].value == "-9999"
    picture = read_picture(data)
    import torch

    larger = with_pixels(picture, torch.zeros(1, 3, 42, 34))
    assert _page(encode_picture(larger, "TIFF")).tags.get(33550) is None


def test_twelve_bits_per_sample_have_their_own_white():
    imagecodecs = pytest.importorskip("imagecodecs")
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    packed = imagecodecs.packints_encode(values, 12)
    entries = [(256, 4, 64), (257, 4, 64), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 8)]
    entries += [(277, 3, 1), (278, 4, 64), (279, 4, len(packed))]
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(packed))
    data = head + packed + struct.pack("<H", len(entries)) + rows + bytes(4)
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels[..., 0], values)
    assert picture.metadata.max_value == 4095
    assert to_tensor(picture).max() == 1
    # There is no TIFF of 12 bits to write, so white goes where 16 bits have it.
    np.testing.assert_array_equal(_page(_again(data)).asarray(), np.rint(values * (65535 / 4095)).astype(np.uint16))


def test_sixteen_bit_data_of_twelve_bits_stay_what_they_are():
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    np.testing.assert_array_equal(_page(_again(_written(values))).asarray(), values)


def test_big_tiff():
    samples = _samples("u1", 3)
    data = _written(samples, photometric="rgb", bigtiff=True)
    np.testing.assert_array_equal(read_picture(data).pixels, samples)


def test_several_pages_are_refused_but_thumbnails_are_not(colour):
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(colour, photometric="rgb", metadata=None)
        writer.write(colour[::4, ::4], photometric="rgb", subfiletype=1, metadata=None)
    np.testing.assert_array_equal(read_picture(stream.getvalue()).pixels, colour)
    with pytest.raises(FileProblem, match="2 pages"):
        read_picture(_written(np.stack([colour, colour]), photometric="rgb"))


def test_without_tifffile_a_sentence_names_the_extra(monkeypatch):
    data = _written(_samples("u2", 3), photometric="rgb")
    gray = _written(_samples("u2", 1)[..., 0])
    monkeypatch.setitem(__import__("sys").modules, "tifffile", None)
    with pytest.raises(MissingDependency, match=r'pip install "restora\[io\]"'):
        read_picture(data)
    assert read_picture(gray).pixels.dtype == np.uint16
    with pytest.raises(MissingDependency, match="tifffile"):
        encode_picture(Picture(_samples("u2", 3)), "TIFF")


def test_colours_that_are_not_read_are_refused(colour):
    lab = Image.fromarray(colour).convert("LAB")
    with pytest.raises(FileProblem, match="RGB"):
        read_picture(_saved(lab))


def test_defaults_of_the_encoding():
    page = _page(encode_picture(Picture(_samples("u1", 3)), "TIFF"))
    assert int(page.compression) == TiffEncoding().compression == 8
