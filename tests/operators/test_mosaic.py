import pytest
import torch

from restora.core.errors import InvalidInput
from restora.operators.mosaic import Mosaic


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        ("RGGB", ["RGR", "GBG", "RGR"]),
        ("BGGR", ["BGB", "GRG", "BGB"]),
        ("GRBG", ["GRG", "BGB", "GRG"]),
        ("GBRG", ["GBG", "RGR", "GBG"]),
    ],
)
def test_convention_each_pixel_sees_the_colour_of_its_filter(pattern, rows):
    x = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1).expand(1, 3, 3, 3)
    seen = Mosaic(pattern)(x)[0, 0].tolist()
    assert ["".join("?RGB"[int(v)] for v in row) for row in seen] == rows


@pytest.mark.parametrize(("top", "left", "pattern"), [(0, 1, "GRBG"), (1, 0, "GBRG"), (3, 5, "BGGR"), (2, 4, "RGGB")])
def test_a_window_keeps_the_phase(top, left, pattern):
    assert Mosaic("RGGB").window(top, left, 4, 4).pattern == pattern


def test_images_of_other_channels_are_refused():
    with pytest.raises((InvalidInput, Exception), match=r"three channels|shape|typ"):
        Mosaic()(torch.zeros(1, 1, 4, 4))
    with pytest.raises(InvalidInput, match="one channel"):
        Mosaic().input_channels(3)
