import numpy as np
import pytest
import torch
from scipy.signal import wiener

from restora.numerics.smoothing.local_wiener import local_wiener


def noise(*shape):
    return torch.from_numpy(0.5 + 0.2 * np.random.default_rng(0).standard_normal(shape))


@pytest.mark.parametrize("window", [3, 5, 9])
@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_it_is_that_of_scipy_on_the_mirrored_image(window, sigma):
    y = noise(2, 1, 40, 23)
    ours = local_wiener(y, sigma=sigma, window=window)
    r = window // 2
    for image, found in zip(y[:, 0].numpy(), ours[:, 0].numpy()):
        theirs = wiener(np.pad(image, r, mode="symmetric"), window, sigma**2)[r:-r, r:-r]
        assert np.allclose(found, theirs, rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (33, 21)], ids=str)
def test_torch_and_numba_agree(size):
    y = noise(2, 3, *size)
    torches = local_wiener(y.clone().requires_grad_(), sigma=0.1, window=7).detach()
    assert torch.allclose(local_wiener(y, sigma=0.1, window=7), torches, rtol=0, atol=1e-13)


def test_the_threaded_kernel_is_the_serial_one(monkeypatch):
    y = noise(3, 1, 70, 31)
    serial = local_wiener(y, sigma=0.1, window=5)
    monkeypatch.setattr("restora.numerics.smoothing.local_wiener._SERIAL", 0)
    assert torch.equal(local_wiener(y, sigma=0.1, window=5), serial)


def test_gradients_pass():
    assert torch.autograd.gradcheck(lambda y: local_wiener(y, sigma=0.1, window=3), noise(1, 1, 4, 5).requires_grad_())
