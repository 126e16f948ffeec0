import io

import numpy as np
import pytest
from PIL import Image

GAUSSIAN = ("--sigma", "8", "-m", "gaussian")


def test_from_standard_input_to_standard_output(run, photo, opened):
    run("denoise", photo, *GAUSSIAN)
    expected = np.asarray(opened(photo.with_name("photo.restored.png")))
    ran = run("denoise", "-", *GAUSSIAN, stdin=photo.read_bytes())
    assert ran.code == 0
    assert (np.asarray(Image.open(io.BytesIO(ran.data))) == expected).all()
    assert "standard input" in ran.err  # all reporter goes the other way


def test_from_a_file_to_standard_output(run, photo):
    ran = run("denoise", photo, *GAUSSIAN, "-o", "-", "--quiet")
    assert Image.open(io.BytesIO(ran.data)).size == (32, 24)
    assert ran.err == ""


def test_from_standard_input_to_a_file_of_another_format(run, photo, tmp_path, opened):
    ran = run("denoise", "-", *GAUSSIAN, "-o", tmp_path / "out.jpg", stdin=photo.read_bytes())
    assert ran.code == 0
    assert opened(tmp_path / "out.jpg").format == "JPEG"
    assert "standard input" in ran.out


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"", "is empty"), (b"nothing", "not an image")], ids=["empty", "text"]
)
def test_bad_standard_input(run, content, sentence):
    ran = run("denoise", "-", *GAUSSIAN, stdin=content)
    assert ran.code == 2
    assert ran.data == b""
    assert sentence in ran.complaint


def test_a_clean_picture_comes_out_byte_for_byte(run, tmp_path, opened):
    rows, columns = np.mgrid[:64, :64]
    disk = ((rows - 30) ** 2 + (columns - 34) ** 2 < 300).astype(np.uint8) * 100 + 60
    stream = io.BytesIO()
    Image.fromarray(disk).save(stream, "PNG")
    content = stream.getvalue()
    assert run("-", stdin=content).data == content
    (tmp_path / "a.png").write_bytes(content)
    ran = run(tmp_path / "a.png")
    assert "left alone" in ran.out
    assert "nothing was written" in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    for output in (tmp_path / "out", tmp_path / "copy.png"):
        run(tmp_path / "a.png", "-o", output)
    assert (tmp_path / "out" / "a.png").read_bytes() == content
    assert (tmp_path / "copy.png").read_bytes() == content
    run(tmp_path / "a.png", "-o", tmp_path / "other.tif")
    assert opened(tmp_path / "other.tif").format == "TIFF"
