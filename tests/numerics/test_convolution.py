import math

import numpy as np
import pytest
import scipy.ndimage
import torch

from restora.numerics.convolution import _convolve_torch, convolve_separable, gaussian_kernel, gaussian_radius

SCIPY_MODE = {"reflect": "reflect", "replicate": "nearest"}


def test_the_kernel_is_the_sampled_gaussian():
    kernel = gaussian_kernel(2.0)
    assert len(kernel) == 2 * gaussian_radius(2.0) + 1 == 17
    assert float(kernel.sum()) == pytest.approx(1.0, rel=1e-14)
    assert float(kernel[8] / kernel[11]) == pytest.approx(math.exp(9 / 8), rel=1e-13)


def test_a_width_of_zero_is_the_impulse():
    x = torch.rand(1, 1, 3, 4)
    assert gaussian_kernel(0.0).tolist() == [1.0]
    assert torch.equal(convolve_separable(x, gaussian_kernel(0.0)), x)


@pytest.mark.parametrize("boundary", ["reflect", "replicate"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 3), (33, 70)], ids=str)
@pytest.mark.parametrize("s", [0.3, 0.6, 1.0, 1.3, 5.0])
def test_it_is_scipys_gaussian_filter(boundary, size, s):
    x = np.random.default_rng(0).random(size)
    expected = scipy.ndimage.gaussian_filter(x, s, mode=SCIPY_MODE[boundary])
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.float64, 1e-14)):
        ours = convolve_separable(torch.from_numpy(x).to(dtype)[None, None], gaussian_kernel(s), boundary)
        assert ours.dtype == dtype
        assert np.allclose(ours[0, 0].numpy(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("boundary", ["reflect", "replicate"])
@pytest.mark.parametrize("s", [0.4, 0.8, 1.5])
def test_torch_and_numba_agree(boundary, s):
    x = torch.from_numpy(np.random.default_rng(1).random((2, 3, 17, 40)))
    kernel = gaussian_kernel(s)
    assert torch.allclose(convolve_separable(x, kernel, boundary), _convolve_torch(x, kernel, boundary), atol=1e-14)


def test_the_threaded_kernel_is_the_serial_one(monkeypatch):
    x = torch.from_numpy(np.random.default_rng(2).random((2, 3, 70, 50)))
    serial = convolve_separable(x, gaussian_kernel(1.3))
    monkeypatch.setattr("restora.numerics.convolution._SERIAL", 0)
    assert torch.equal(convolve_separable(x, gaussian_kernel(1.3)), serial)


def test_gradients_pass():
    x = torch.rand(1, 1, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: convolve_separable(x, gaussian_kernel(0.7)), (x,))


def test_half_precision_is_kept():
    x = torch.rand(1, 1, 20, 20).half()
    blurred = convolve_separable(x, gaussian_kernel(1.0))
    assert blurred.dtype == torch.float16
    assert torch.allclose(blurred.float(), convolve_separable(x.float(), gaussian_kernel(1.0)), atol=1e-3)
