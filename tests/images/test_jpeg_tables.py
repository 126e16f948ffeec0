"""The quality of a JPEG file, against the tables libjpeg itself writes."""

import io

import numpy as np
import pytest
from PIL import Image

from restora.images.jpeg_tables import quality_of_tables, tables_of_quality


def _tables_by_libjpeg(quality: int) -> list[list[int]]:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(stream, "JPEG", quality=quality)
    stored = Image.open(stream).quantization
    return [list(stored[i]) for i in sorted(stored)]


@pytest.mark.parametrize("quality", range(1, 101))
def test_every_quality_is_found_again(quality):
    tables = _tables_by_libjpeg(quality)
    assert [list(table) for table in tables_of_quality(quality)] == tables
    assert quality_of_tables(tables) == quality
    assert quality_of_tables(tables[:1]) == quality


def test_tables_of_a_turned_picture_are_recognised():
    turned = [np.array(table).reshape(8, 8).T.ravel().tolist() for table in _tables_by_libjpeg(40)]
    assert quality_of_tables(turned) == 40


def test_other_tables_get_the_nearest_quality():
    tables = [[step + (i % 7 == 0) for i, step in enumerate(table)] for table in _tables_by_libjpeg(60)]
    assert abs((quality_of_tables(tables) or 0) - 60) <= 2


def test_no_tables_have_no_quality():
    assert quality_of_tables([]) is None
