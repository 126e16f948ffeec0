import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import InvalidParameter
from restora.numerics.imresize import imresize, imresize_uint8


def image(array):
    array = np.asarray(array)
    return torch.from_numpy(array)[None, None] if array.ndim == 2 else torch.from_numpy(array).movedim(-1, 0)[None]


def keys(t):
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t <= 2 else 0.0


def bicubic_by_definition(signal, n, scale):
    """imresize of one axis as its documentation states it, an output at a time."""
    c, out = min(scale, 1), []
    mirrored = [*signal, *signal[::-1]]
    for o in range(1, n + 1):
        u = o / scale + 0.5 * (1 - 1 / scale)
        first = int(np.floor(u - 2 / c)) - 1
        taps = range(first, first + int(np.ceil(4 / c)) + 4)
        weights = np.array([c * keys(c * (u - i)) for i in taps])
        values = np.array([mirrored[(i - 1) % len(mirrored)] for i in taps])
        out.append((weights * values).sum() / weights.sum())
    return np.array(out)


@pytest.mark.parametrize(("n", "scale"), [(7, 2), (9, 1 / 3), (5, 1.7), (10, 0.45), (2, 0.25), (1, 3)])
def test_an_axis_by_the_definition(n, scale):
    signal = np.random.default_rng(0).random(n)
    length = int(np.ceil(n * scale))
    expected = bicubic_by_definition(signal, length, scale)
    columns = imresize(image(np.tile(signal, (4, 1))), scale=scale)[0, 0]
    assert np.allclose(columns[0].numpy(), expected, rtol=1e-12)
    rows = imresize(image(np.tile(signal[:, None], (1, 4))), scale=scale)[0, 0]
    assert np.allclose(rows[:, 0].numpy(), expected, rtol=1e-12)


def test_size_gives_each_axis_its_own_scale():
    x = np.random.default_rng(1).random((6, 9))
    result = imresize(image(x), size=(9, 3))[0, 0].numpy()
    rows = np.stack([bicubic_by_definition(column, 9, 1.5) for column in x.T], axis=1)
    expected = np.stack([bicubic_by_definition(row, 3, 1 / 3) for row in rows])
    assert np.allclose(result, expected, rtol=1e-12)


def test_without_antialiasing_it_samples_the_interpolant():
    x = np.random.default_rng(2).random((1, 12))
    result = imresize(image(x), size=(1, 4), antialias=False)
    assert np.allclose(result[0, 0, 0].numpy(), x[0, 1::3], rtol=1e-12)


def test_scale_one_and_the_same_size_change_nothing(cat):
    assert torch.equal(imresize(cat, scale=1), cat)
    assert torch.equal(imresize(cat, size=(96, 112)), cat)


@pytest.mark.parametrize("arguments", [{}, {"scale": 2.0, "size": (4, 4)}, {"scale": 0.0}, {"size": (0, 4)}])
def test_a_request_that_means_nothing_is_refused(arguments, cat):
    with pytest.raises(InvalidParameter):
        imresize(cat, **arguments)


@pytest.mark.parametrize(("file", "scale"), [("butterfly_GT_x3", 3), ("woman_GT_x4", 4)])
def test_matlabs_double_results(data_dir, file, scale):
    stored = np.load(data_dir / f"test/Set5-LR-matlab/{file}.npz")
    low = imresize(image(stored["im_gt_y"] / 255), scale=1 / scale)[0, 0].numpy()
    assert np.abs(low - stored["im_l_y"] / 255).max() < 2e-13
    high = imresize(image(stored["im_l_y"] / 255), scale=scale)[0, 0].numpy()
    assert np.abs(high - stored["im_b_y"] / 255).max() < 2e-13
    if "im_gt" in stored:
        low = imresize(image(stored["im_gt"] / 255.0), scale=1 / scale)[0].movedim(0, -1).numpy()
        assert np.abs(low - stored["im_l"] / 255).max() < 2e-13


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
def test_the_published_low_resolution_files_bit_for_bit(data_dir, name, scale):
    high = np.array(Image.open(data_dir / f"test/Set5/{name}_GT.png").convert("RGB"))
    high = high[: high.shape[0] // scale * scale, : high.shape[1] // scale * scale]
    low = np.array(Image.open(data_dir / f"test/Set5-LR-matlab/x{scale}/{name}.png").convert("RGB"))
    assert np.array_equal(imresize_uint8(image(high), scale=1 / scale)[0].movedim(0, -1).numpy(), low)


def test_8_bit_results_saturate():
    step = torch.tensor([0, 0, 255, 255], dtype=torch.uint8).view(1, 1, 1, 4)
    overshooting = imresize(step.double(), scale=4)
    assert float(overshooting.max()) > 255
    enlarged = imresize_uint8(step, scale=4)
    assert enlarged.dtype == torch.uint8
    assert int(enlarged[0, 0, 0, 0]) == 0
    assert int(enlarged[0, 0, 0, 10]) == 255
