import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from restora.core.errors import InvalidParameter, MissingData, UnknownName
from restora.degradations.degradation import Degradation
from restora.degradations.words import KERNELS, read_kernel
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.noise.unknown import UnknownNoise
from restora.numerics.imresize import imresize


def _image(channels=1, size=(21, 18)):
    return torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _problem(x, data=None, **table):
    found = Degradation.read(table)(x, torch.Generator().manual_seed(0), *([] if data is None else [data]))
    return found.problem


def test_numpy_noise_is_drawn_in_the_order_of_rows_columns_channels():
    x = _image(channels=3)
    problem = _problem(x, noise="numpy:25:3")
    expected = np.random.RandomState(3).normal(0, 25, (21, 18, 3)) / 255
    np.testing.assert_allclose((problem.y - x)[0].movedim(0, -1), expected, atol=1e-12)
    assert problem.sigma == pytest.approx(25 / 255)


def test_matlab_noise_begins_with_the_published_values_down_the_first_column():
    x = _image()
    noise = 255 / 10 * (_problem(x, noise="matlab-v4:10").y - x)[0, 0]
    np.testing.assert_allclose(noise[:6, 0], [1.1650, 0.6268, 0.0751, 0.3516, -0.6965, 1.6961], atol=5e-5)


def test_blur_is_circular_convolution_and_bsnr_sets_the_noise():
    x = _image()
    problem = _problem(x, blur="uniform-9", boundary="circular", noise="numpy:40dB")
    blurred = ndimage.uniform_filter(x[0, 0].numpy(), 9, mode="wrap")
    np.testing.assert_allclose(problem.H(x)[0, 0], blurred, atol=1e-12)
    assert problem.sigma == pytest.approx(blurred.std() / 100, rel=1e-9)
    residual = (problem.y - problem.H(x))[0].movedim(0, -1).numpy() / problem.sigma
    np.testing.assert_allclose(residual, np.random.RandomState(0).standard_normal((21, 18, 1)), atol=1e-9)


def test_kernels_are_those_of_the_papers(tmp_path):
    i, j = np.mgrid[-7:8, -7:8]
    h = 1 / (1 + i**2 + j**2)
    np.testing.assert_allclose(KERNELS.make(read_kernel("inverse-quadratic-15"), tmp_path), h / h.sum(), rtol=1e-12)
    row = np.array([1, 4, 6, 4, 1]) / 16
    np.testing.assert_allclose(KERNELS.make(read_kernel("binomial-5"), tmp_path), np.outer(row, row), rtol=1e-12)
    impulse = np.zeros((25, 25))
    impulse[12, 12] = 1
    gaussian = ndimage.gaussian_filter(impulse, 1.6, radius=12)
    np.testing.assert_allclose(KERNELS.make(read_kernel("gaussian-25-1.6"), tmp_path), gaussian, atol=1e-12)
    with pytest.raises(UnknownName, match="did you mean"):
        KERNELS.make(read_kernel("unifrom-9"), tmp_path)
    with pytest.raises(MissingData, match=r"levin09\.npz"):
        KERNELS.make(read_kernel("levin-1"), tmp_path)


def test_the_small_picture_is_matlabs_imresize():
    x = _image(size=(20, 16))
    problem = _problem(x, scale=4)
    torch.testing.assert_close(problem.y, imresize(x, 1 / 4), rtol=0, atol=1e-12)
    assert problem.size == (20, 16)


@pytest.mark.parametrize("generator", ["numpy", "matlab-v4"])
def test_missing_pixels_are_zero_and_the_others_untouched(generator):
    x = _image(channels=3, size=(64, 64))
    problem = _problem(x, mask=f"{generator}:0.2")
    missing = (problem.y == 0).all(dim=1)[0]
    assert missing.double().mean().item() == pytest.approx(0.8, abs=0.02)
    assert torch.equal(problem.y[0][:, ~missing], x[0][:, ~missing])
    if generator == "matlab-v4":
        # rand('seed', 0) begins 0.2190 0.0470 0.6789 0.6793 0.9347 0.3835, down the first column.
        assert missing[:6, 0].tolist() == [True, True, True, True, False, True]


def test_a_mask_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingData, match=r"text\.png"):
        _problem(_image(), tmp_path, mask="known:text.png")


def test_a_mask_file_is_white_where_pixels_are_known_and_is_cut_to_the_image(tmp_path):
    levels = np.full((30, 40), 255, np.uint8)
    levels[3:5, 7] = 0
    Image.fromarray(levels).save(tmp_path / "m.png")
    x = _image()
    y = _problem(x, tmp_path, mask="known:m.png").y
    expected = x.clone()
    expected[..., 3:5, 7] = 0
    assert torch.equal(y, expected)


def test_the_steps_are_those_of_the_equation_in_order():
    x = _image(size=(32, 40))
    table = {"jpeg": 50, "mask": "numpy:0.5", "noise": "numpy:10", "scale": 2, "blur": "gaussian:1"}
    found = Degradation.read(table)(x, torch.Generator())
    blurred = ndimage.gaussian_filter(x[0, 0].numpy(), 1.0, mode="nearest", radius=4)
    small = imresize(torch.from_numpy(blurred)[None, None], 1 / 2)[0, 0].numpy()
    noisy = small + 10 / 255 * np.random.RandomState(0).standard_normal((16, 20, 1))[..., 0]
    holes = np.where(np.random.RandomState(0).random_sample((16, 20)) > 0.5, noisy, 0)
    stream = io.BytesIO()
    Image.fromarray(np.round(holes.clip(0, 1) * 255).astype(np.uint8)).save(stream, "JPEG", quality=50)
    np.testing.assert_array_equal(found.y[0, 0] * 255, np.asarray(Image.open(stream)).astype(float))
    assert found.problem.noise == UnknownNoise()
    H = found.problem.H
    assert torch.equal(H(x), found.operators[2](found.operators[1](found.operators[0](x))))


@pytest.mark.parametrize(
    ("table", "noise"),
    [
        ({}, Gaussian(0.0)),
        ({"noise": "numpy:25"}, Gaussian(25 / 255)),
        ({"noise": "matlab-v4:25:3"}, Gaussian(25 / 255)),
        ({"jpeg": 10}, Jpeg(10)),
        ({"scale": 2, "enlarged": True}, UnknownNoise()),
    ],
)
def test_the_problem_tells_the_noise(table, noise):
    assert _problem(_image(), **table).noise == noise


def test_an_enlarged_image_has_its_size_again():
    x = _image(size=(24, 20))
    found = Degradation.read({"scale": 4, "enlarged": True})(x, torch.Generator())
    torch.testing.assert_close(found.y, imresize(imresize(x, 1 / 4), 4), rtol=0, atol=1e-12)


def test_what_is_random_is_drawn_for_each_image():
    degradation = Degradation.read(
        {
            "blur": "gaussian:1..2",
            "noise": "poisson:10..20",
            "mask": "random:0.2..0.9",
            "jpeg": "30..60",
            "scale": [2, 3],
        }
    )
    drawn = degradation.drawn(50, torch.Generator().manual_seed(0))
    assert len(drawn) == 50
    assert len({one.scale for one in drawn}) == 1
    for name, low, high in (("blur", 1, 2), ("noise", 10, 20), ("mask", 0.2, 0.9)):
        values = [getattr(one, name).values[0] for one in drawn]
        assert low <= min(values) < max(values) <= high
        assert len(set(values)) == 50
    assert {one.jpeg for one in drawn} <= set(range(30, 61))
    assert drawn[0].drawn(50, torch.Generator()) == (drawn[0],)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"scale": 1}, "> 1"),
        ({"scale": "two"}, "a number"),
        ({"jpeg": 0}, "between 1 and 100"),
        ({"jpeg": "50..101"}, "between 1 and 100"),
        ({"jpeg": 50.5}, "a whole number"),
        ({"jpeg": "60..50"}, "low <= high"),
        ({"enlarged": True}, "give a scale"),
        ({"boundary": "mirror"}, "circular, replicate"),
    ],
)
def test_wrong_values_are_refused(table, says):
    with pytest.raises(InvalidParameter, match=says):
        Degradation.read(table)


def test_unknown_keys_are_named():
    with pytest.raises(UnknownName, match="did you mean noise"):
        Degradation.read({"nois": "gaussian:3"})
