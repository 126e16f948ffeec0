import numpy as np
import pytest
import scipy.ndimage
import torch

from restora.numerics.smoothing.median import median


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 3), (35, 52)], ids=str)
@pytest.mark.parametrize("side", [1, 3, 5, 7, 13])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_scipys_median(size, side, dtype):
    x = torch.from_numpy(np.random.default_rng(0).random(size)).to(dtype)
    expected = scipy.ndimage.median_filter(x.numpy(), side, mode="reflect")
    assert np.array_equal(median(x[None, None], side)[0, 0].numpy(), expected)
    by_torch = median(x[None, None].clone().requires_grad_(True), side)[0, 0].detach()
    assert np.array_equal(by_torch.numpy(), expected)


@pytest.mark.parametrize("side", [3, 5, 9])
def test_ties_are_no_trouble(side):
    x = np.random.default_rng(1).integers(0, 3, (30, 40)).astype(np.float32)
    expected = scipy.ndimage.median_filter(x, side, mode="reflect")
    assert np.array_equal(median(torch.from_numpy(x)[None, None], side)[0, 0].numpy(), expected)


@pytest.mark.parametrize("side", [3, 5, 9])
def test_the_threaded_kernel_is_the_serial_one(side, monkeypatch):
    x = torch.rand(2, 3, 70, 40)
    serial = median(x, side)
    monkeypatch.setattr("restora.numerics.smoothing.median_cpu._SERIAL", 0)
    assert torch.equal(median(x, side), serial)


def test_the_rows_of_the_torch_kernel_may_come_in_bands(monkeypatch):
    x = torch.rand(1, 2, 23, 15)
    monkeypatch.setattr("restora.numerics.smoothing.median._CHUNK", 2 * 15 * 25 * 4)
    assert torch.equal(median(x.clone().requires_grad_(True), 5).detach(), median(x, 5))
