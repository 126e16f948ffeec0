import numpy as np
import pytest
import scipy.ndimage
import torch

from restora.numerics.smoothing.recursive_gaussian import ACCURACY, recursive_gaussian


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 3), (70, 130)], ids=str)
@pytest.mark.parametrize("s", [2.0, 8.0, 30.0])
def test_it_is_the_sampled_gaussian_to_its_accuracy(size, s):
    x = np.random.default_rng(0).random(size)
    expected = scipy.ndimage.gaussian_filter(x, s, truncate=8.0, mode="reflect")
    for dtype in (torch.float32, torch.float64):
        ours = recursive_gaussian(torch.from_numpy(x).to(dtype)[None, None], s)
        assert ours.dtype == dtype
        assert np.abs(ours[0, 0].numpy() - expected).max() < ACCURACY


def test_the_sum_of_the_errors_of_the_kernel_is_the_stated_accuracy():
    impulse = torch.zeros(1, 1, 1, 401, dtype=torch.float64)
    impulse[..., 200] = 1
    kernel = recursive_gaussian(impulse, 10.0)[0, 0, 0].numpy()
    u = np.arange(-200, 201)
    g = np.exp(-(u**2) / 200)
    assert 0.8 * ACCURACY < np.abs(kernel - g / g.sum()).sum() < ACCURACY
    assert np.allclose(kernel, kernel[::-1], rtol=0, atol=1e-12)


def test_constants_stay_and_rounding_does_not_grow_with_the_scale():
    x = torch.rand(1, 2, 60, 50)
    assert torch.allclose(recursive_gaussian(torch.full((1, 1, 30, 40), 0.7), 60.0), torch.tensor(0.7), atol=1e-5)
    assert torch.allclose(recursive_gaussian(x, 60.0).double(), recursive_gaussian(x.double(), 60.0), atol=3e-6)


def test_the_threaded_kernel_is_the_serial_one(monkeypatch):
    x = torch.rand(2, 1, 150, 90)
    serial = recursive_gaussian(x, 5.0)
    monkeypatch.setattr("restora.numerics.smoothing.recursive_gaussian._SERIAL_PIXELS", 0)
    assert torch.equal(recursive_gaussian(x, 5.0), serial)
