"""From the samples of a file to a tensor and back."""

import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput
from restora.images.metadata import Metadata
from restora.images.picture import (
    Picture,
    as_uint8,
    full_range,
    resized_alpha,
    to_tensor,
    with_pixels,
    without_alpha,
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_of_an_integer_type_survives_the_round_trip(dtype):
    top = np.iinfo(dtype).max
    values = np.arange(top + 1, dtype=dtype).reshape(-1, 256, 1)
    picture = Picture(values, kind="gray")
    x = to_tensor(picture)
    assert x.dtype == torch.float32
    assert x.shape == (1, 1, values.shape[0], 256)
    assert x.max() == 1
    np.testing.assert_array_equal(x[0, 0].numpy(), values[..., 0].astype(np.float32) / np.float32(top))
    np.testing.assert_array_equal(with_pixels(picture, x).pixels, values)


def test_channels_come_first_in_the_tensor(colour):
    x = to_tensor(Picture(colour))
    assert x.shape == (1, 3, 48, 64)
    assert x[0, 2, 5, 7] == pytest.approx(colour[5, 7, 2] / 255)


def test_twelve_bits_kept_in_sixteen_stay_what_they_are():
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1)
    picture = Picture(values, kind="gray")
    x = to_tensor(picture)
    assert float(x.max()) == pytest.approx(4095 / 65535)
    np.testing.assert_array_equal(with_pixels(picture, x).pixels, values)


def test_a_declared_white_counts_as_one():
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1)
    picture = Picture(values, kind="gray", metadata=Metadata(max_value=4095))
    x = to_tensor(picture)
    assert x.max() == 1
    np.testing.assert_array_equal(with_pixels(picture, x).pixels, values)
    assert with_pixels(picture, x * 2).pixels.max() == 4095
    wide = full_range(picture)
    assert wide.metadata.max_value is None
    assert wide.pixels.max() == 65535
    assert len(np.unique(wide.pixels)) == 4096


def test_floats_are_neither_scaled_nor_clipped():
    values = np.array([[[-3.5], [0.0], [1.0], [1e4]]], dtype=np.float32)
    picture = Picture(values, kind="gray")
    np.testing.assert_array_equal(to_tensor(picture)[0, 0].numpy(), values[..., 0])
    np.testing.assert_array_equal(with_pixels(picture, to_tensor(picture)).pixels, values)


def test_halves_are_rounded_to_even_and_ends_are_cut():
    picture = Picture(np.zeros((1, 6, 1), np.uint8), kind="gray")
    x = torch.tensor([0.5, 1.5, 2.5, -4.0, 254.6, 300.0], dtype=torch.float64).reshape(1, 1, 1, 6) / 255
    assert with_pixels(picture, x).pixels.ravel().tolist() == [0, 2, 2, 0, 255, 255]


def test_integers_of_32_bits_need_float64():
    picture = Picture(np.array([[[2**31 + 1], [7]]], dtype=np.uint32), kind="gray")
    with pytest.raises(InvalidInput, match="float64"):
        to_tensor(picture)
    x = to_tensor(picture, torch.float64)
    np.testing.assert_array_equal(with_pixels(picture, x).pixels, picture.pixels)


def test_negative_samples_survive():
    picture = Picture(np.array([[[-1000], [3000]]], dtype=np.int16), kind="gray")
    x = to_tensor(picture)
    assert x.ravel().tolist() == pytest.approx([-1000 / 32767, 3000 / 32767])
    np.testing.assert_array_equal(with_pixels(picture, x).pixels, picture.pixels)


def test_inputs_are_left_alone(colour):
    picture, before = Picture(colour.copy()), colour.copy()
    x = to_tensor(picture)
    y = x.clone()
    with_pixels(picture, x)
    assert torch.equal(x, y)
    np.testing.assert_array_equal(picture.pixels, before)


def test_enlarging_resizes_opacity_and_keeps_the_rest(colour, opacity, srgb):
    picture = Picture(colour, opacity, metadata=Metadata(icc=srgb, dpi=(300.0, 300.0)))
    larger = with_pixels(picture, torch.full((1, 3, 96, 128), 0.5))
    assert larger.alpha is not None
    assert larger.alpha.shape == (96, 128)
    assert larger.alpha.dtype == np.uint8
    assert larger.metadata == picture.metadata
    # Far from its edges, a ramp enlarged twice runs half as steep.
    ramp = larger.alpha[60].astype(float)
    assert (
        np.abs(ramp[20:-20] - np.interp((np.arange(20, 108) + 0.5) / 2 - 0.5, np.arange(64), opacity[30])).max() < 1.5
    )


def test_constant_opacity_stays_constant_in_sixteen_bits():
    alpha = np.full((5, 7), 40001, np.uint16)
    assert (resized_alpha(alpha, (11, 9)) == 40001).all()


def test_other_channels_drop_the_profile_that_was_for_the_old_ones(gray, srgb):
    picture = Picture(gray, kind="gray", metadata=Metadata(icc=srgb, comment=b"kept"))
    developed = with_pixels(picture, torch.zeros(1, 3, 48, 64))
    assert developed.kind == "rgb"
    assert developed.metadata == Metadata(comment=b"kept")


def test_nan_is_refused(gray):
    x = torch.zeros(1, 1, 48, 64)
    x[0, 0, 3, 3] = torch.nan
    with pytest.raises(InvalidInput, match="NaN"):
        with_pixels(Picture(gray, kind="gray"), x)


def test_a_batch_is_refused(gray):
    with pytest.raises(InvalidInput, match="takes a tensor"):
        with_pixels(Picture(gray, kind="gray"), torch.zeros(2, 1, 48, 64))


@pytest.mark.parametrize("pixels", [np.zeros((3, 4)), np.zeros((0, 4, 1)), np.zeros((3, 4, 1), bool)])
def test_arrays_that_are_no_picture_are_refused(pixels):
    with pytest.raises(InvalidInput):
        Picture(pixels)


def test_opacity_must_fit(colour):
    with pytest.raises(InvalidInput, match="alpha"):
        Picture(colour, np.zeros((48, 63), np.uint8))
    with pytest.raises(InvalidInput, match="alpha"):
        Picture(colour, np.zeros((48, 64), np.uint16))


def test_rounding_to_eight_bits_and_dropping_opacity(colour, opacity):
    wide = Picture(colour.astype(np.uint16) * 257, opacity.astype(np.uint16) * 257)
    narrow = as_uint8(wide)
    np.testing.assert_array_equal(narrow.pixels, colour)
    np.testing.assert_array_equal(narrow.alpha, opacity)
    assert without_alpha(narrow).alpha is None
    floats = Picture(np.array([[[-1.0], [0.5], [7.0]]], np.float32), kind="gray")
    assert as_uint8(floats).pixels.ravel().tolist() == [0, 128, 255]
