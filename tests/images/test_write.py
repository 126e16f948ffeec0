"""Files are written whole or not at all, and hold what the picture holds or are refused."""

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restora.core.errors import FileProblem, UnknownName
from restora.images import atomic, png, write
from restora.images.metadata import JpegEncoding, Metadata
from restora.images.picture import Picture, to_tensor, with_pixels
from restora.images.read import read_picture
from restora.images.write import encode_picture, write_picture


@pytest.fixture
def picture(colour) -> Picture:
    return Picture(colour)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".tiff", ".bmp", ".ppm", ".pnm", ".webp"])
def test_the_suffix_chooses_the_format(suffix, picture, tmp_path):
    path = tmp_path / f"a{suffix}"
    write_picture(path, picture)
    np.testing.assert_array_equal(read_picture(path).pixels, picture.pixels)
    assert os.listdir(tmp_path) == [path.name]


def test_names_may_be_strings(picture, tmp_path):
    write_picture(str(tmp_path / "a.png"), picture)
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize("name", ["a", "a.txt", "a.nef"])
def test_unknown_suffixes_are_refused_with_the_known_ones(name, picture, tmp_path):
    with pytest.raises(FileProblem, match=r"choose one of .*\.png"):
        write_picture(tmp_path / name, picture)


def test_unknown_formats_are_refused(picture):
    with pytest.raises(UnknownName, match="JPEG"):
        encode_picture(picture, "jpg-ish")
    assert encode_picture(picture, "jpeg")[:2] == b"\xff\xd8"


def test_existing_files_are_not_overwritten_unless_allowed(picture, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(FileProblem, match="exists already"):
        write_picture(path, picture)
    assert path.read_bytes() == b"precious"
    path.chmod(0o640)
    write_picture(path, picture, overwrite=True)
    assert read_picture(path).size == picture.size
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_new_files_have_the_permissions_of_the_mask(picture, tmp_path):
    old = os.umask(0o027)
    try:
        write_picture(tmp_path / "a.png", picture)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640


def test_links_stay_links(picture, tmp_path):
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_picture(link, picture, overwrite=True)
    assert link.is_symlink()
    assert read_picture(real).size == picture.size


def test_folders_are_refused(picture, tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(FileProblem, match="folder"):
        write_picture(tmp_path / "a.png", picture, overwrite=True)
    with pytest.raises(FileProblem, match="no such folder"):
        write_picture(tmp_path / "missing" / "a.png", picture)


class _FullDisk:
    def __init__(self, error):
        self.error = error

    def __call__(self, path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])
        raise self.error


def test_a_full_disk_leaves_nothing_behind(picture, tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_write", _FullDisk(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(FileProblem, match="disk is full"):
        write_picture(tmp_path / "a.png", picture)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_seen_when_it_shows_only_at_the_end(picture, tmp_path, monkeypatch):
    def fsync(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(FileProblem, match="disk is full"):
        write_picture(tmp_path / "a.png", picture, overwrite=True)
    assert os.listdir(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_a_break_while_writing_leaves_nothing_behind(picture, tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_write", _FullDisk(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_picture(tmp_path / "a.png", picture)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("encoder error -2"), ValueError("odd\nthing")])
def test_a_break_in_the_encoder_leaves_what_was_there(error, picture, tmp_path, monkeypatch):
    def save(self, stream, form):
        stream.write(b"half")
        raise error

    monkeypatch.setattr(Image.Image, "save", save)
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else FileProblem) as raised:
        write_picture(tmp_path / "a.png", picture, overwrite=True)
    assert "\n" not in str(raised.value)
    assert os.listdir(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


@pytest.mark.parametrize("error", [TypeError("ours"), ValueError("ours")])
def test_a_mistake_of_ours_is_not_called_one_of_the_file(error, picture, monkeypatch):
    def broken(*arguments):
        raise error

    data = encode_picture(picture, "PNG")
    monkeypatch.setattr(write, "_ENCODERS", {**write._ENCODERS, "PNG": broken})
    monkeypatch.setattr(png, "turned_upright", broken)
    for work in (lambda: encode_picture(picture, "PNG"), lambda: read_picture(data)):
        with pytest.raises(type(error), match="ours"):
            work()


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp", ".avif", ".heic"])
def test_sixteen_bits_are_never_lost_silently(suffix, tmp_path):
    wide = Picture(np.zeros((4, 4, 3), np.uint16))
    with pytest.raises(FileProblem, match=r"uint16.*\.png or \.tif.*as_uint8"):
        write_picture(tmp_path / f"a{suffix}", wide)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".ppm"])
def test_opacity_is_never_lost_silently(suffix, colour, opacity, tmp_path):
    with pytest.raises(FileProblem, match=r"transparency.*\.png.*without_alpha"):
        write_picture(tmp_path / f"a{suffix}", Picture(colour, opacity))
    opaque = Picture(colour, np.full_like(opacity, 255))
    write_picture(tmp_path / f"a{suffix}", opaque)  # nothing is lost with it
    assert read_picture(tmp_path / f"a{suffix}").size == (48, 64)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_floats_need_a_format_of_floats(suffix, tmp_path):
    floats = Picture(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(FileProblem, match=r"float32.*\.tif"):
        write_picture(tmp_path / f"a{suffix}", floats)


def test_ink_needs_a_format_of_ink(tmp_path):
    inks = Picture(np.zeros((4, 4, 4), np.uint8), None, "cmyk", "JPEG")
    with pytest.raises(FileProblem, match=r"cmyk.*\.tif"):
        write_picture(tmp_path / "a.png", inks)
    write_picture(tmp_path / "a.tif", inks)
    assert read_picture(tmp_path / "a.tif").kind == "cmyk"


def test_premultiplied_colours_are_not_called_straight(colour, opacity, tmp_path):
    multiplied = Picture(colour, opacity, metadata=Metadata(premultiplied=True))
    with pytest.raises(FileProblem, match="multiplied by alpha"):
        write_picture(tmp_path / "a.png", multiplied)


def test_a_declared_white_becomes_white_where_it_cannot_be_declared(tmp_path):
    twelve = Picture(np.array([[[0], [4095]]], np.uint16), None, "gray", "PGM", Metadata(max_value=4095))
    write_picture(tmp_path / "a.png", twelve)
    assert read_picture(tmp_path / "a.png").pixels.ravel().tolist() == [0, 65535]
    write_picture(tmp_path / "a.pgm", twelve)
    assert read_picture(tmp_path / "a.pgm").metadata.max_value == 4095


def test_the_encoding_of_one_format_does_not_disturb_another(picture):
    tables = ((7,) * 64,) * 3
    odd = replace(picture, metadata=Metadata(encoding=JpegEncoding(tables, ((1, 1),) * 3)))
    for name in ("PNG", "TIFF", "WEBP", "BMP", "PPM"):
        np.testing.assert_array_equal(read_picture(encode_picture(odd, name)).pixels, picture.pixels)


def test_the_input_is_left_alone(colour, make_exif):
    before = colour.copy()
    picture = Picture(colour, metadata=Metadata(exif=make_exif(1, 640, 480)))
    encode_picture(picture, "PNG")
    assert picture.metadata.exif == make_exif(1, 640, 480)
    np.testing.assert_array_equal(picture.pixels, before)


def test_a_photograph_of_the_benchmarks_keeps_its_tables(data_dir, tmp_path):
    path = sorted((data_dir / "train" / "BSDS500-color").rglob("*.jpg"))[0]
    picture = read_picture(path)
    write_picture(tmp_path / "a.jpg", with_pixels(picture, to_tensor(picture)))
    again = read_picture(tmp_path / "a.jpg")
    assert again.metadata == picture.metadata
    assert 0.8 < (tmp_path / "a.jpg").stat().st_size / path.stat().st_size < 1.2
