"""Raw files: a small DNG made by hand (tifffile), developed by LibRaw."""

import io
import sys

import numpy as np
import pytest

from restora.core.errors import FileProblem, MissingDependency
from restora.images.read import read_picture
from restora.images.write import write_picture

tifffile = pytest.importorskip("tifffile")
pytest.importorskip("rawpy")


@pytest.fixture(scope="module")
def dng() -> bytes:
    """A mosaic RGGB of 12 bits: a gray ramp under a neutral light."""
    mosaic = np.tile(np.linspace(200, 3500, 96).astype(np.uint16), (64, 1))
    neutral = [(10000, 10000)] * 3
    matrix = [(10000, 10000), 0, 0, 0, (10000, 10000), 0, 0, 0, (10000, 10000)]
    flat = [part for value in matrix for part in (value if isinstance(value, tuple) else (0, 10000))]
    stream = io.BytesIO()
    tags = [
        (50706, 1, 4, (1, 4, 0, 0), True),
        (50708, 2, 0, "Maker Camera", True),
        (50721, 10, 9, tuple(flat), True),
        (50728, 5, 3, tuple(part for pair in neutral for part in pair), True),
        (50717, 4, 1, 4095, True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, (0, 1, 1, 2), True),
        (271, 2, 0, "Maker", True),
        (272, 2, 0, "Camera", True),
    ]
    tifffile.imwrite(stream, mosaic, photometric="cfa", extratags=tags, metadata=None, software=False)
    return stream.getvalue()


def test_a_mosaic_is_developed_into_sixteen_bits(dng, exif_values):
    picture = read_picture(dng)
    assert (picture.format, picture.kind, picture.pixels.dtype) == ("RAW", "rgb", np.uint16)
    assert picture.pixels.shape[2] == 3
    ramp = picture.pixels[32, 8:-8].astype(float).mean(axis=1)
    assert (np.diff(ramp) >= 0).mean() > 0.9
    assert picture.metadata.exif is not None
    assert exif_values(picture.metadata.exif)[271] == "Maker"


def test_raw_files_are_not_written(dng, tmp_path):
    picture = read_picture(dng)
    with pytest.raises(FileProblem, match="does not write"):
        write_picture(tmp_path / "a.dng", picture)
    write_picture(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, picture.pixels)


def test_the_suffix_tells_raw_files_that_look_like_tiff(tmp_path, colour):
    path = tmp_path / "a.nef"
    with path.open("wb") as file:
        tifffile.imwrite(file, colour, photometric="rgb", metadata=None)
    with pytest.raises(FileProblem, match="LibRaw"):
        read_picture(path)


def test_without_the_extra_a_sentence_names_it(dng, monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(MissingDependency, match=r'pip install "restora\[io\]"'):
        read_picture(dng)
