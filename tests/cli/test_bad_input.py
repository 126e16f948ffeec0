import errno
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

GAUSSIAN = ("--sigma", "8", "-m", "gaussian")


def bomb():
    """A PNG that claims 60000 x 60000 pixels in some hundred bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("command", [("denoise",), ("auto",), ("inspect",), ()])
def test_a_missing_file(run, tmp_path, command):
    ran = run(*command, tmp_path / "no.png")
    assert ran.code == 2
    assert "no.png does not exist" in ran.complaint


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"not a picture at all, just words", "not an image"),
        (b"%PDF-1.7 and so on", "a PDF document"),
        (bomb(), "60000 x 60000"),
    ],
    ids=["empty", "text", "pdf", "bomb"],
)
def test_a_file_that_is_no_good_image(run, tmp_path, content, sentence):
    (tmp_path / "bad.png").write_bytes(content)
    ran = run("denoise", tmp_path / "bad.png", *GAUSSIAN)
    assert ran.code == 2
    assert sentence in ran.complaint
    assert files(tmp_path) == ["bad.png"]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_truncated_file(run, tmp_path, levels, suffix):
    whole = tmp_path / f"whole.{suffix}"
    Image.fromarray(levels).save(whole)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    ran = run("denoise", cut, *GAUSSIAN)
    assert ran.code == 2
    assert f"cut.{suffix} cannot be read" in ran.complaint
    assert files(tmp_path) == [cut.name, whole.name]


def test_a_file_that_may_not_be_read(run, photo, monkeypatch):
    # To root everything is permitted, so the refusal is made here.
    def refuse(self):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    ran = run("denoise", photo, *GAUSSIAN)
    assert ran.code == 2
    assert "permission" in ran.complaint


def test_an_output_that_exists_is_refused_and_kept(run, photo):
    target = photo.with_name("photo.restored.png")
    target.write_bytes(b"precious")
    ran = run("denoise", photo, *GAUSSIAN)
    assert ran.code == 2
    assert "exists already" in ran.complaint
    assert target.read_bytes() == b"precious"
    assert run("denoise", photo, *GAUSSIAN, "--overwrite").code == 0
    assert target.read_bytes() != b"precious"


def test_a_full_disk_leaves_nothing_behind(run, photo, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ran = run("denoise", photo, *GAUSSIAN)
    assert ran.code == 2
    assert "the disk is full" in ran.complaint
    assert files(photo.parent) == ["photo.png"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-m", "nlmm"), "did you mean nlm"),
        (("-m", "wiener"), "wiener does not denoise"),
        (("-m", "nlm", "-p", "patsch=3"), "did you mean patch?"),
        (("-m", "nlm", "-p", "patch=two"), "patch = 'two' is not allowed"),
        (("-m", "nlm", "-p", "patch=-1"), "patch"),
        (("-m", "nlm", "-p", "patch"), "NAME=VALUE"),
        (("-p", "patch=3"), "name it with --method"),
        (("--device", "cuda:99"), "cuda:99"),
        (("--device", "abacus"), "abacus"),
        (("--seed", "-1"), "seed"),
        (("-o", "out.xyz"), "'.xyz'"),
        (("-o", "no/such/folder/out.png"), "there is no folder"),
        (("-o", "-", "--json"), "standard output"),
    ],
)
def test_a_wrong_option_is_refused(run, photo, monkeypatch, words, sentence):
    monkeypatch.chdir(photo.parent)
    ran = run("denoise", photo, "--sigma", "8", *words)
    assert ran.code == 2
    assert sentence in ran.complaint
    assert files(photo.parent) == ["photo.png"]


def test_several_pictures_do_not_go_into_one_file(run, photo, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(photo.read_bytes())
    ran = run("denoise", photo, other, *GAUSSIAN, "-o", tmp_path / "out.png")
    assert ran.code == 2
    assert "give a folder" in ran.complaint


def test_two_pictures_of_one_name_are_refused_before_any_is_done(run, tmp_path, photo):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "photo.png").write_bytes(photo.read_bytes())
    ran = run("denoise", photo, tmp_path / "deep" / "photo.png", *GAUSSIAN, "-o", tmp_path / "out")
    assert ran.code == 2
    assert "would both become" in ran.complaint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (np.zeros((5, 5)), "sums to 0"),
        (np.ones((99, 99)), "larger than the picture"),
        (np.full((3, 3), np.nan), "NaN"),
        (np.ones(7), "two-dimensional"),
    ],
    ids=["zero", "large", "nan", "flat"],
)
def test_a_kernel_that_cannot_be(run, photo, tmp_path, content, sentence):
    np.save(tmp_path / "kernel.npy", content)
    ran = run("deblur", photo, "--kernel", tmp_path / "kernel.npy", "--sigma", "2", "-m", "wiener")
    assert ran.code == 2
    assert sentence in ran.complaint


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("gausian:2", "did you mean gaussian"),
        ("gaussian", "write gaussian:SIGMA"),
        ("motion:a:b", "write motion:LENGTH:DEGREES"),
        ("gaussian:-1", "sigma"),
        ("kernels/none.npy", "there is no file"),
        ("uniform:2.5", "a whole number"),
    ],
)
def test_a_kernel_spec_that_cannot_be(run, photo, spec, sentence):
    ran = run("deblur", photo, "--kernel", spec, "--sigma", "2")
    assert ran.code == 2
    assert sentence in ran.complaint


@pytest.mark.parametrize(
    ("mask", "words", "sentence"),
    [
        (np.zeros((10, 12), np.uint8), (), "12 x 10"),
        (np.zeros((24, 32), np.uint8), (), "marks nothing as missing"),
        (np.zeros((24, 32), np.uint8), ("--missing", "black"), "marks all as missing"),
        (np.zeros((24, 32), np.uint8), ("--missing", "alpha"), "no transparency"),
        (np.zeros((24, 32), np.uint8), ("--missing", "mauve"), "no colour 'mauve'"),
    ],
    ids=["size", "nothing", "all", "alpha", "colour"],
)
def test_a_mask_that_cannot_be(run, photo, tmp_path, mask, words, sentence):
    Image.fromarray(mask).save(tmp_path / "holes.png")
    ran = run("inpaint", photo, "--mask", tmp_path / "holes.png", *words, "-m", "harmonic")
    assert ran.code == 2
    assert sentence in ran.complaint
    assert not (tmp_path / "photo.restored.png").exists()


def test_holes_must_be_told(run, photo, tmp_path):
    assert "where are the holes" in run("inpaint", photo).complaint
    assert "does not exist" in run("inpaint", photo, "--mask", tmp_path / "none.png").complaint


def test_a_colour_that_is_not_in_the_picture(run, photo):
    ran = run("inpaint", photo, "--missing", "#00ff00", "-m", "harmonic")
    assert ran.code == 2
    assert "marks nothing" in ran.complaint


def test_a_scale_of_one_is_refused(run, photo):
    ran = run("upscale", photo, "--scale", "1")
    assert ran.code == 2
    assert "scale = 1" in ran.complaint


def test_a_folder_without_pictures(run, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    ran = run("denoise", tmp_path)
    assert ran.code == 2
    assert "there is no picture" in ran.complaint


def test_a_glob_that_matches_nothing(run, tmp_path):
    ran = run("denoise", tmp_path / "*.png")
    assert ran.code == 2
    assert "no file is named like" in ran.complaint


def test_a_name_that_is_too_long(run, photo, tmp_path):
    for words in ((tmp_path / ("x" * 300 + ".png"),), (photo, "-o", tmp_path / ("y" * 300 + ".png"))):
        ran = run("denoise", *words, *GAUSSIAN)
        assert ran.code == 2
        assert "too long" in ran.complaint


def test_a_mask_is_not_lost_on_standard_output(run, photo):
    ran = run("degrade", photo, "--mask", "random:0.5", "-o", "-")
    assert ran.code == 2
    assert ran.data == b""
    assert "give -o FILE" in ran.complaint
