"""What cannot be read is refused in one line that says why."""

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from restora.core.errors import FileProblem, MissingDependency
from restora.images.picture import Picture
from restora.images.read import read_picture
from restora.images.write import encode_picture


def _refusal(source, **options) -> str:
    with pytest.raises(FileProblem) as error:
        read_picture(source, **options)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_paths_bytes_and_streams_give_the_same(tmp_path, colour):
    data = encode_picture(Picture(colour), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with path.open("rb") as stream:
        sources = [path, str(path), data, io.BytesIO(data), stream]
        for source in sources:
            np.testing.assert_array_equal(read_picture(source).pixels, colour)


def test_the_content_and_not_the_suffix_says_what_a_file_is(tmp_path, colour):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encode_picture(Picture(colour), "PNG"))
    assert read_picture(path).format == "PNG"


def test_missing_files(tmp_path):
    assert _refusal(tmp_path / "no.png") == f"{tmp_path / 'no.png'} does not exist"


def test_folders(tmp_path):
    assert "is a folder" in _refusal(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_files_one_may_not_read(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    path.chmod(0)
    assert "permission" in _refusal(path)


def test_a_refused_permission_is_said(tmp_path, monkeypatch):
    from pathlib import Path

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "permission" in _refusal(tmp_path / "a.png")


def test_empty_files(tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    assert _refusal(path) == f"{path} is empty: it holds no bytes"
    assert "empty" in _refusal(io.BytesIO())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello, this is text", "not an image"),
        (b"BM is also how a sentence may begin", "not an image"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"8BPS\0\x01" + bytes(30), "Photoshop"),
        (b"<?xml version='1.0'?>\n<svg/>", "SVG"),
        (b"\xff\x0a" + bytes(30), "JPEG XL"),
        (b"\0\0\0\x20ftypisom" + bytes(30), "video"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    ],
)
def test_what_is_no_image_or_not_read(data, message):
    assert message in _refusal(data)


KINDS = {
    "u1": ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "PPM", "AVIF", "HEIC"),
    "u2": ("PNG", "TIFF", "PPM"),
    "f4": ("TIFF", "PFM", "EXR"),
}


@pytest.fixture(params=[(dtype, form) for dtype, forms in KINDS.items() for form in forms], ids="-".join)
def sound_file(request, colour) -> bytes:
    dtype, form = request.param
    try:
        return encode_picture(Picture(colour.astype(dtype)), form)
    except MissingDependency as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_files_cut_short(part, sound_file):
    data = sound_file
    assert "cut short" in _refusal(data[: int(part * len(data))])


def test_damage_is_refused_or_read_but_never_breaks(sound_file):
    data = sound_file
    rng, messages = np.random.default_rng(0), []
    for _ in range(40):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 4):
            broken[at] = rng.integers(256)
        try:
            read_picture(bytes(broken))
        except FileProblem as problem:
            messages.append(str(problem))
    assert not any("\n" in message for message in messages)


def _huge_png(side: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_bombs_are_refused_and_the_way_out_is_said():
    message = _refusal(_huge_png(30_000))
    assert "decompression bomb" in message
    assert "max_pixels=None" in message
    assert "more than the" in _refusal(_huge_png(60_000))
    assert "cut short" in _refusal(_huge_png(200), max_pixels=None)


def test_the_limit_can_be_set(colour):
    data = encode_picture(Picture(colour), "PNG")
    assert "raise max_pixels" in _refusal(data, max_pixels=48 * 64 - 1)
    assert read_picture(data, max_pixels=48 * 64).size == (48, 64)


def test_pillow_limits_neither_apply_nor_change(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    data = encode_picture(Picture(np.zeros((20, 20, 3), np.uint8)), "BMP")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_picture(data)
    assert not caught
    assert Image.MAX_IMAGE_PIXELS == 10
