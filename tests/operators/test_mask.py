import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput, InvalidParameter
from restora.operators.mask import Mask


def test_unknown_pixels_are_measured_as_zero():
    x = torch.arange(1.0, 9).reshape(1, 2, 2, 2)
    y = Mask(torch.tensor([[1.0, 0], [0, 1]]))(x)
    assert y.flatten().tolist() == [1, 0, 0, 4, 5, 0, 0, 8]


def test_random_keeps_just_that_fraction_and_its_seed_decides_which():
    a, b = (Mask.random((30, 41), 0.2, torch.Generator().manual_seed(1)).known for _ in range(2))
    assert torch.equal(a, b)
    assert int(a.sum()) == round(0.2 * 30 * 41)
    # A fair draw: each half holds about half of the 246 (standard deviation below 8).
    assert abs(int(a[:15].sum()) - 123) < 40
    assert abs(int(a[:, :20].sum()) - 120) < 40


def test_text_covers_some_of_every_part_of_the_image():
    known = Mask.text((120, 160), "restore", 14).known
    assert 0.03 < float((known == 0).float().mean()) < 0.4
    for rows in known.split(40):
        for part in rows.split(40, 1):
            assert bool((part == 0).any())


def test_rectangles_are_missing():
    known = Mask.rectangles((40, 50), 1, (5, 9), torch.Generator().manual_seed(3)).known
    rows, columns = ((known == 0).any(d).nonzero().flatten() for d in (1, 0))
    assert 5 <= len(rows) <= 9
    assert 5 <= len(columns) <= 9
    assert int((known == 0).sum()) == len(rows) * len(columns)
    assert bool((Mask.rectangles((4, 4), 0, (1, 1), torch.Generator()).known == 1).all())


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64, np.int16, np.uint16])
def test_from_array_takes_nonzero_as_known(dtype):
    array = (np.arange(12).reshape(3, 4) % 3 * 7).astype(dtype)
    assert np.array_equal(Mask.from_array(array).known.numpy(), (array != 0).astype(np.float32))
    assert np.array_equal(Mask.from_array(array[::-1, ::2]).known.numpy(), (array[::-1, ::2] != 0).astype(np.float32))


@pytest.mark.parametrize(
    ("array", "said"),
    [(np.zeros((4, 4)), "no pixel"), (np.full((2, 2), np.nan), "NaN"), (np.ones(4), "must be")],
)
def test_from_array_refuses_in_a_sentence(array, said):
    with pytest.raises(InvalidInput, match=said):
        Mask.from_array(array)


def test_values_between_zero_and_one_are_refused():
    with pytest.raises(InvalidInput, match="1 for known"):
        Mask(torch.full((3, 3), 0.5))


def test_a_window_without_any_known_pixel_is_still_a_mask():
    known = torch.zeros(6, 6)
    known[0, 0] = 1
    assert float(Mask(known).window(3, 3, 3, 3)(torch.ones(1, 1, 3, 3)).sum()) == 0


def test_a_mask_an_image_acts_image_by_image():
    known = (torch.rand(2, 1, 4, 5, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    x = torch.ones(2, 3, 4, 5)
    assert torch.equal(Mask(known)(x), known.expand(2, 3, 4, 5))
    assert torch.equal(Mask(known).channel(2)(x[:, 2:]), known)


def test_parameters_out_of_range_are_refused():
    for make, name in (
        (lambda: Mask.random((4, 4), 0.0, torch.Generator()), "keep"),
        (lambda: Mask.random((4, 4), 0.01, torch.Generator()), "keep"),
        (lambda: Mask.text((9, 9), "  "), "text"),
        (lambda: Mask.text((9, 9), height=2), "height"),
        (lambda: Mask.rectangles((9, 9), -1, (1, 2), torch.Generator()), "count"),
        (lambda: Mask.rectangles((9, 9), 1, (1, 20), torch.Generator()), "side"),
    ):
        with pytest.raises(InvalidParameter, match=name):
            make()
