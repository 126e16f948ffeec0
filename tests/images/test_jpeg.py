"""JPEG: tables, subsampling and metadata in are tables, subsampling and metadata out; libjpeg (Pillow) is the judge."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from restora.core.errors import FileProblem
from restora.images.jpeg_tables import quality_of_tables
from restora.images.metadata import JpegEncoding, Metadata
from restora.images.orientation import turned_upright
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture


def _saved(pixels: np.ndarray | Image.Image, **options) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels.squeeze())
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _xmp_segment(xmp: bytes) -> bytes:
    return _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)


def _encoding(data: bytes) -> JpegEncoding:
    encoding = read_picture(data).metadata.encoding
    assert isinstance(encoding, JpegEncoding)
    return encoding


def _again(data: bytes) -> bytes:
    picture = read_picture(data)
    return encode_picture(with_pixels(picture, to_tensor(picture)), "JPEG")


@pytest.mark.parametrize("quality", [5, 50, 75, 92, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_tables_and_subsampling_in_are_out(quality, subsampling, colour):
    data = _saved(colour, quality=quality, subsampling=subsampling)
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(data))))
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(_again(data)))
    assert before.quantization == after.quantization
    assert before.layer == after.layer
    encoding = _encoding(data)
    assert list(encoding.tables[0]) == before.quantization[0]
    assert quality_of_tables(encoding.tables) == quality


def test_encoding_again_hardly_changes_the_size(colour):
    data = _saved(colour, quality=85)
    assert abs(len(_again(data)) - len(data)) < 0.05 * len(data)


@pytest.mark.parametrize("progressive", [False, True])
def test_gray_stays_gray_and_scans_stay_progressive(progressive, gray):
    data = _saved(gray, quality=80, progressive=progressive)
    picture = read_picture(data)
    assert picture.pixels.shape == (48, 64, 1)
    again = Image.open(io.BytesIO(_again(data)))
    assert again.mode == "L"
    assert again.info.get("progressive", 0) == int(progressive)
    assert again.quantization == Image.open(io.BytesIO(data)).quantization


def test_three_tables_of_ones_own_are_kept(colour):
    tables = [[(i * k) % 40 + 1 for i in range(64)] for k in (3, 5, 7)]
    data = _saved(colour, qtables=tables, subsampling=0)
    assert [list(table) for table in _encoding(data).tables] == tables
    assert _encoding(_again(data)).tables == _encoding(data).tables


def test_noise_at_the_finest_tables_is_encoded():
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    encoding = JpegEncoding(((1,) * 64,) * 3, ((1, 1),) * 3, progressive=True)
    data = encode_picture(Picture(noise, metadata=Metadata(encoding=encoding)), "JPEG")
    assert _encoding(data).tables == encoding.tables
    assert np.abs(read_picture(data).pixels.astype(int) - noise).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_come_upright_and_the_tag_is_reset(orientation, colour, make_exif, xmp):
    data = _saved(colour, quality=95, exif=b"Exif\0\0" + make_exif(orientation), extra=_xmp_segment(xmp(orientation)))
    picture = read_picture(data)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(picture.pixels, np.asarray(upright))
    written = encode_picture(picture, "JPEG")
    again = Image.open(io.BytesIO(written))
    assert again.size == upright.size
    assert again.getexif()[0x0112] == 1
    assert _xmp_segment(xmp(1)) in written


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [[1, 2, 3], [4, 5, 6]]),
        (2, [[3, 2, 1], [6, 5, 4]]),
        (3, [[6, 5, 4], [3, 2, 1]]),
        (4, [[4, 5, 6], [1, 2, 3]]),
        (5, [[1, 4], [2, 5], [3, 6]]),
        (6, [[4, 1], [5, 2], [6, 3]]),
        (7, [[6, 3], [5, 2], [4, 1]]),
        (8, [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_the_eight_orientations_made_by_hand(orientation, expected):
    assert turned_upright(np.array([[1, 2, 3], [4, 5, 6]]), orientation).tolist() == expected


def test_a_turned_picture_is_quantised_as_it_was(colour, make_exif):
    table = [(i * 3) % 40 + 1 for i in range(64)]
    data = _saved(colour, qtables=[table, table], subsampling="4:2:2", exif=b"Exif\0\0" + make_exif(6))
    encoding = _encoding(data)
    assert list(encoding.tables[0]) == np.array(table).reshape(8, 8).T.ravel().tolist()
    assert encoding.sampling[0] == (1, 2)
    layers = Image.open(io.BytesIO(_again(data))).layer
    assert [layer[1:3] for layer in layers] == [(1, 1)] * 3  # 4:4:0 is written 4:4:4
    # The blocks are the same ones, turned, so quantising them again hardly changes them.
    first, second = read_picture(data).pixels, read_picture(_again(data)).pixels
    assert np.abs(first.astype(int) - second).mean() < 1.5


def test_all_metadata_survive(colour, srgb, make_exif, exif_values, xmp):
    resources = b"8BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02\x78\0\x07Caption\0"
    app13 = _segment(0xED, b"Photoshop 3.0\0" + resources)
    data = _saved(
        colour,
        icc_profile=srgb * 120,  # long enough to need several segments
        exif=b"Exif\0\0" + make_exif(),
        dpi=(300, 240),
        comment=b"by hand",
        extra=_xmp_segment(xmp()) + app13,
    )
    assert len(srgb * 120) > 2**16
    picture = read_picture(data)
    assert picture.metadata.icc == srgb * 120
    assert picture.metadata.exif == make_exif()
    assert picture.metadata.xmp == xmp()
    assert picture.metadata.dpi == (300, 240)
    assert picture.metadata.comment == b"by hand"
    assert picture.metadata.iptc == resources
    again = _again(data)
    assert read_picture(again).metadata == picture.metadata
    by_pillow = Image.open(io.BytesIO(again))
    assert by_pillow.info["icc_profile"] == srgb * 120
    assert by_pillow.info["dpi"] == (300, 240)
    assert _xmp_segment(xmp()) in again
    assert app13 in again
    assert by_pillow.info["comment"] == b"by hand"
    assert exif_values(by_pillow.info["exif"]) == exif_values(make_exif())
    assert exif_values(make_exif())[0x9003] == "2024:02:29 12:34:56"


def test_a_profile_of_many_segments_is_put_together_in_order(colour):
    profile = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8).tobytes()
    assert read_picture(_again(_saved(colour, icc_profile=profile))).metadata.icc == profile


def test_sizes_in_exif_follow_the_pixels(colour, make_exif, exif_values):
    picture = read_picture(_saved(colour, exif=b"Exif\0\0" + make_exif(6)))
    values = exif_values(Image.open(io.BytesIO(encode_picture(picture, "JPEG"))).info["exif"])
    assert (values[0xA002], values[0xA003]) == (48, 64)


def test_files_without_density_get_none(colour):
    data = _saved(colour)
    assert read_picture(data).metadata.dpi is None
    assert "dpi" not in Image.open(io.BytesIO(_again(data))).info


def test_ink_survives(colour):
    inks = Image.fromarray(colour).convert("CMYK")
    data = _saved(inks, quality=95)
    picture = read_picture(data)
    assert picture.kind == "cmyk"
    assert to_tensor(picture).shape == (1, 4, 48, 64)
    np.testing.assert_array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(data))))
    again = Image.open(io.BytesIO(_again(data)))
    assert again.mode == "CMYK"
    assert np.abs(np.asarray(again).astype(int) - picture.pixels).max() <= 6
    assert again.quantization[0] == Image.open(io.BytesIO(data)).quantization[0]


def test_inks_stored_as_ycck(colour):
    imagecodecs = pytest.importorskip("imagecodecs")
    stored = np.dstack([colour, colour[..., :1]])
    data = imagecodecs.jpeg8_encode(stored, level=95, colorspace="CMYK", outcolorspace="YCCK", subsampling="420")
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(data))))
    np.testing.assert_allclose(255 - picture.pixels[..., 3].astype(int), stored[..., 3], atol=10)
    again = read_picture(_again(data))
    assert np.abs(again.pixels.astype(int) - picture.pixels).mean() < 1.5


def test_colours_stored_as_rgb_stay_so(colour):
    data = _saved(colour, keep_rgb=True, quality=90)
    assert _encoding(data).transform is False
    assert Image.open(io.BytesIO(_again(data))).layer == Image.open(io.BytesIO(data)).layer


def test_other_formats_become_jpeg_of_good_quality(colour):
    data = encode_picture(Picture(colour), "JPEG")
    assert quality_of_tables(_encoding(data).tables) == 95
    assert _encoding(data).sampling == ((1, 1),) * 3


def test_metadata_too_large_for_jpeg_are_not_dropped_silently(colour):
    with pytest.raises(FileProblem, match="XMP"):
        encode_picture(Picture(colour, metadata=Metadata(xmp=bytes(70_000))), "JPEG")


@pytest.mark.parametrize("end", [20, 200, -300])
def test_files_cut_short_are_refused(end, colour):
    with pytest.raises(FileProblem, match="cut short"):
        read_picture(_saved(colour, quality=95)[:end])


def test_twelve_bits_and_lossless_are_refused(colour):
    data = bytearray(_saved(colour))
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    with pytest.raises(FileProblem, match="12 bits"):
        read_picture(bytes(data))
    data[frame + 1] = 0xC3
    with pytest.raises(FileProblem, match="lossless"):
        read_picture(bytes(data))
