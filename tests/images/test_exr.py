"""OpenEXR: files laid out by hand after the specification, one written by the reference library, and round trips."""

import io
import struct
import sys
import zlib
from base64 import b64decode
from itertools import pairwise

import numpy as np
import pytest

from restora.core.errors import FileProblem, MissingDependency
from restora.images.metadata import ExrEncoding, Metadata
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture

OpenEXR = pytest.importorskip("OpenEXR")


def _attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
    return name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value


def _by_hand(lines: np.ndarray, compression: int, owner: bytes = b"Ada") -> bytes:
    """A gray half file of one block a line, from (h, w) values; deflated as the specification says, in plain loops."""
    height, width = lines.shape
    window = struct.pack("<4i", 5, 7, 5 + width - 1, 7 + height - 1)
    channels = b"Y\0" + struct.pack("<iIii", 1, 0, 1, 1) + b"\0"
    header = b"".join(
        [
            b"\x76\x2f\x31\x01",
            struct.pack("<I", 2),
            _attribute(b"channels", b"chlist", channels),
            _attribute(b"compression", b"compression", bytes([compression])),
            _attribute(b"dataWindow", b"box2i", window),
            _attribute(b"displayWindow", b"box2i", window),
            _attribute(b"lineOrder", b"lineOrder", b"\0"),
            _attribute(b"owner", b"string", owner),
            _attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
            _attribute(b"screenWindowCenter", b"v2f", bytes(8)),
            _attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)),
            b"\0",
        ]
    )
    blocks = []
    for y, line in enumerate(lines):
        raw = line.astype("<f2").tobytes()
        if compression == 2:
            halves = raw[0::2] + raw[1::2]
            packed = bytes([halves[0]]) + bytes((b - a + 128) % 256 for a, b in pairwise(halves))
            packed = zlib.compress(packed)
            raw = packed if len(packed) < len(raw) else raw
        blocks.append(struct.pack("<ii", 7 + y, len(raw)) + raw)
    at, offsets = len(header) + 8 * height, []
    for block in blocks:
        offsets.append(at)
        at += len(block)
    return header + struct.pack(f"<{height}Q", *offsets) + b"".join(blocks)


@pytest.mark.parametrize("compression", [0, 2])
def test_files_laid_out_by_hand(compression):
    lines = np.outer([1.0, -2.5, 1e4], np.linspace(0, 1, 40)).astype(np.float16)
    data = _by_hand(lines, compression)
    picture = read_picture(data)
    assert picture.pixels.dtype == np.float16
    np.testing.assert_array_equal(picture.pixels[..., 0], lines)
    again = encode_picture(with_pixels(picture, to_tensor(picture)), "EXR")
    back = read_picture(again)
    np.testing.assert_array_equal(back.pixels[..., 0], lines)
    assert back.metadata == picture.metadata
    assert str(back.metadata.encoding.attributes) == str(picture.metadata.encoding.attributes)
    assert picture.metadata.encoding.attributes["owner"] == "Ada"
    np.testing.assert_array_equal(picture.metadata.encoding.attributes["dataWindow"], ((5, 7), (44, 9)))


def test_a_file_of_the_reference_library():
    # v = np.add.outer(np.arange(5) * 2.0, np.arange(24) / 8)[..., None] * [1, -1, 0.5, 0.25]
    # OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage},
    #              {"RGBA": v.astype(np.float16)}).write("b.exr")        (OpenEXR 3)
    data = b64decode(
        "di8xAQIAAABjaGFubmVscwBjaGxpc3QASQAAAEEAAQAAAAAAAAABAAAAAQAAAEIAAQAAAAAAAAABAAAAAQAAAEcAAQAAAAAAAAAB"
        "AAAAAQAAAFIAAQAAAAAAAAABAAAAAQAAAABjb21wcmVzc2lvbgBjb21wcmVzc2lvbgABAAAAA2RhdGFXaW5kb3cAYm94MmkAEAAA"
        "AAAAAAAAAAAAFwAAAAQAAABkaXNwbGF5V2luZG93AGJveDJpABAAAAAAAAAAAAAAABcAAAAEAAAAbGluZU9yZGVyAGxpbmVPcmRl"
        "cgABAAAAAHBpeGVsQXNwZWN0UmF0aW8AZmxvYXQABAAAAAAAgD9zY3JlZW5XaW5kb3dDZW50ZXIAdjJmAAgAAAAAAAAAAAAAAHNj"
        "cmVlbldpbmRvd1dpZHRoAGZsb2F0AAQAAAAAAIA/dHlwZQBzdHJpbmcADQAAAHNjYW5saW5laW1hZ2UAcAEAAAAAAAAAAAAAbAAA"
        "AHheY2iAAgYoOAAF1BJHBwuggFri9AYTIECAWuJQGh1QTXxFS1NTY2NjYwMMNoCx+xrs4oc3YBffj0O8HEojYxjAJs6AQ/wPDvEK"
        "JLOQ6SYc4kw4xP/hEKeX+TAAE2/GIc6MQ/w/DnEABuYE6A=="
    )
    picture = read_picture(data)
    v = np.add.outer(np.arange(5) * 2.0, np.arange(24) / 8)[..., None] * [1, -1, 0.5, 0.25]
    assert picture.pixels.dtype == np.float16
    np.testing.assert_array_equal(picture.pixels, v[..., :3])
    np.testing.assert_array_equal(picture.alpha, v[..., 3])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("compression", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_round_trips(dtype, compression, with_alpha):
    rng = np.random.default_rng(0)
    pixels = rng.normal(0, 3, (37, 21, 3)).astype(dtype)
    pixels[10:30, 5:15] = 0.25
    alpha = rng.random((37, 21)).astype(dtype) if with_alpha else None
    metadata = Metadata(premultiplied=with_alpha, encoding=ExrEncoding(compression))
    again = read_picture(encode_picture(Picture(pixels, alpha, metadata=metadata), "EXR"))
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.pixels.dtype == dtype
    assert isinstance(again.metadata.encoding, ExrEncoding)
    assert again.metadata.encoding.compression == compression
    if with_alpha:
        np.testing.assert_array_equal(again.alpha, alpha)


def test_windows_follow_the_size_and_other_attributes_stay():
    picture = read_picture(_by_hand(np.ones((3, 4)), 0))
    larger = Picture(np.ones((6, 8, 1), np.float16), None, "gray", "EXR", picture.metadata)
    again = read_picture(encode_picture(larger, "EXR"))
    attributes = again.metadata.encoding.attributes
    np.testing.assert_array_equal(attributes["dataWindow"], ((0, 0), (7, 5)))
    np.testing.assert_array_equal(attributes["displayWindow"], ((0, 0), (7, 5)))
    assert attributes["owner"] == "Ada"


def test_straight_colours_are_not_multiplied_unasked():
    picture = Picture(np.ones((2, 2, 3), np.float32), np.zeros((2, 2), np.float32))
    with pytest.raises(FileProblem, match="straight"):
        encode_picture(picture, "EXR")


def _written(header, channels):
    stream = io.BytesIO()
    OpenEXR.File(header, channels).write(stream)
    return stream.getvalue()


def _scan_lines(compression):
    return {"type": OpenEXR.scanlineimage, "compression": OpenEXR.Compression(compression)}


@pytest.mark.parametrize(("compression", "tolerance"), [(4, 0), (5, 2e-5), (6, 0.05), (7, 0.05), (8, 0.05), (9, 0.05)])
def test_what_loses_is_read_and_written_without_loss(compression, tolerance):
    rows, columns = np.mgrid[:64, :48] / 64
    colours = np.stack([rows, columns, rows * columns], axis=2).astype(np.float32)
    picture = read_picture(_written(_scan_lines(compression), {"RGB": colours}))
    np.testing.assert_allclose(picture.pixels, colours, rtol=0, atol=tolerance)
    again = read_picture(encode_picture(picture, "EXR"))
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    assert again.metadata.encoding.compression == (4 if compression == 4 else 3)


def test_tiles_are_read_and_become_scan_lines():
    gray = np.arange(70 * 80, dtype=np.float32).reshape(70, 80)
    header = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription(), "compression": OpenEXR.ZIP_COMPRESSION}
    picture = read_picture(_written(header, {"Y": gray}))
    np.testing.assert_array_equal(picture.pixels[..., 0], gray)
    again = encode_picture(picture, "EXR")
    np.testing.assert_array_equal(read_picture(again).pixels[..., 0], gray)
    assert OpenEXR.File(io.BytesIO(again)).header()["type"] == OpenEXR.scanlineimage


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({"Z": np.ones((4, 5), np.float32)}, "channels Z"),
        ({"Y": np.ones((4, 5), np.uint32)}, "integers"),
        ({name: np.ones((4, 5), np.float32) for name in ("R", "G", "B", "diffuse.R")}, "diffuse.R"),
    ],
)
def test_what_is_not_read_is_named(channels, message):
    with pytest.raises(FileProblem, match=message):
        read_picture(_written(_scan_lines(3), channels))


def test_several_parts_are_refused():
    parts = [OpenEXR.Part(_scan_lines(3) | {"name": name}, {"Y": np.ones((4, 5), np.float32)}) for name in "ab"]
    stream = io.BytesIO()
    OpenEXR.File(parts).write(stream)
    with pytest.raises(FileProblem, match="2 parts"):
        read_picture(stream.getvalue())


def test_an_image_over_the_limit_is_refused_before_its_pixels_are_read():
    data = _by_hand(np.ones((40, 50)), 0)
    with pytest.raises(FileProblem, match="more than the 100 allowed"):
        read_picture(data, max_pixels=100)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(MissingDependency, match=r"restora\[io\]"):
        read_picture(_by_hand(np.ones((2, 3)), 0))
    with pytest.raises(MissingDependency, match=r"restora\[io\]"):
        encode_picture(Picture(np.ones((2, 2, 3), np.float32)), "EXR")


@pytest.mark.parametrize("end", [30, 250, -5])
def test_files_cut_short_are_refused(end, capsys):
    with pytest.raises(FileProblem, match="cut short"):
        read_picture(_by_hand(np.ones((4, 5)), 0)[:end])
    assert capsys.readouterr().out == ""
