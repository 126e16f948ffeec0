import numpy as np
import pytest
from skimage import data

import restora
from restora.core.errors import InvalidInput

CAT = data.chelsea()[60:108, 120:176]
GRAY = data.camera()[100:148, 200:256]


def noisy(image, sigma=20.0):
    return image + np.random.default_rng(0).normal(0, sigma, image.shape)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, np.float16])
@pytest.mark.parametrize("image", [GRAY, CAT], ids=["gray", "colour"])
def test_dtype_and_shape_come_back(image, dtype):
    scale = {"u": 1, "i": 1, "f": 1 / 255}[np.dtype(dtype).kind]
    given = np.clip(noisy(image) * scale, 0, 255).astype(dtype)
    restored = restora.denoise(given, sigma=20 / 255, method="gaussian", data_range=255 * scale)
    assert (restored.shape, restored.dtype) == (given.shape, given.dtype)
    error = np.abs(restored.astype(float) - image * scale).mean()
    assert error < np.abs(given.astype(float) - image * scale).mean() * 0.7


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_channel_axis_may_lie_anywhere(axis):
    given = noisy(CAT).astype(np.float32) / 255
    moved = restora.denoise(np.moveaxis(given, -1, axis), sigma=0.08, method="gaussian", channel_axis=axis)
    assert np.allclose(np.moveaxis(moved, axis, -1), restora.denoise(given, sigma=0.08, method="gaussian"))


def test_leading_axes_are_a_batch():
    stack = np.stack([noisy(GRAY), noisy(GRAY[::-1])]).astype(np.float32) / 255
    restored = restora.denoise(stack, sigma=0.08, method="gaussian", channel_axis=None)
    assert restored.shape == stack.shape
    assert np.allclose(restored[1], restora.denoise(stack[1], sigma=0.08, method="gaussian"), atol=1e-6)


def test_twelve_bits_in_sixteen_stay_twelve():
    given = (GRAY.astype(np.uint16) * 16).astype(np.uint16)
    restored = restora.denoise(given, sigma=5 / 255, method="gaussian", data_range=4095)
    assert np.abs(restored.astype(float) - given).mean() < 40
    assert restored.max() > 2000


def test_floats_are_neither_clipped_nor_rescaled():
    given = np.linspace(-2, 3, 64 * 64).reshape(64, 64)
    restored = restora.denoise(given, sigma=0.01, method="gaussian")
    assert restored.min() < -1.9
    assert restored.max() > 2.9


def test_the_input_is_not_touched():
    given = noisy(CAT).clip(0, 255).astype(np.uint8)
    before = given.copy()
    restora.denoise(given, sigma=20 / 255)
    assert np.array_equal(given, before)


def test_upscaling_keeps_dtype_and_channels():
    assert restora.upscale(CAT, 2).shape == (96, 112, 3)
    assert restora.upscale(GRAY, 1.5).shape == (72, 84)
    assert restora.upscale(GRAY, 3).dtype == np.uint8


def test_what_lies_in_a_hole_does_not_matter():
    missing = np.zeros(GRAY.shape, bool)
    missing[10:14, 20:30] = True
    image = GRAY / 255.0
    holed = np.where(missing, np.nan, image)
    restored = restora.inpaint(holed, missing)
    assert np.isfinite(restored).all()
    assert np.allclose(restored[~missing], image[~missing], atol=2e-3)
    assert np.abs(restored - image)[missing].mean() < 0.1


def test_a_deblurred_picture_is_nearer_the_scene():
    scene, kernel = GRAY / 255.0, np.full((3, 3), 2.0)
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    circular = sum(np.roll(scene, shift, (0, 1)) for shift in shifts) / 9
    restored = restora.deblur(circular, restora.Blur(_tensor(kernel / kernel.sum()), "circular"), sigma=1 / 255)
    assert np.square(restored - scene).mean() < 0.4 * np.square(circular - scene).mean()
    beyond = data.camera()[99:149, 199:257] / 255.0  # a real border: the scene goes on outside
    real = sum(beyond[1 + i : 49 + i, 1 + j : 57 + j] for i, j in shifts) / 9
    by_array = restora.deblur(real, kernel, sigma=1 / 255)
    inner = (slice(4, -4), slice(4, -4))  # what came in from beyond the border cannot be told
    assert np.square(by_array - scene)[inner].mean() < 0.5 * np.square(real - scene)[inner].mean()


def _tensor(array):
    import torch

    return torch.from_numpy(array)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((0, 4)), "at least one pixel"),
        (np.zeros(4), "two axes"),
        (np.zeros((4, 4), complex), "real numbers"),
        (np.array([["a", "b"]]), "real numbers"),
        (np.full((4, 4), np.nan), "NaN"),
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(image, words):
    with pytest.raises(InvalidInput, match=words) as refused:
        restora.denoise(image, sigma=0.1)
    assert "\n" not in str(refused.value)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(InvalidInput, match="equal"):
        restora.inpaint(GRAY, np.zeros((3, 3), bool))


@pytest.mark.parametrize("kernel", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.ones(3)])
def test_a_kernel_that_is_none_is_refused(kernel):
    with pytest.raises(InvalidInput, match="kernel"):
        restora.deblur(GRAY, kernel, sigma=0.01)
