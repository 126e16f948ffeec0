import math

import numpy as np
import pytest
import torch

from restora.numerics.smoothing.bilateral import bilateral

LAW = {"sigma_s": 1.3, "sigma_r": 0.2}


def by_brute_force(y, guide, sigma_s, sigma_r, radius, disc):
    r = radius
    z, g = (np.pad(image, ((0, 0), (r, r), (r, r)), mode="symmetric") for image in (y, guide))
    out = np.zeros_like(y)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            total, weight = 0.0, 0.0
            for k in range(-r, r + 1):
                for l in range(-r, r + 1):
                    if disc and k * k + l * l > r * r:
                        continue
                    difference = ((g[:, i + r + k, j + r + l] - guide[:, i, j]) ** 2).sum()
                    w = math.exp(-(k * k + l * l) / (2 * sigma_s**2) - difference / (2 * sigma_r**2))
                    total, weight = total + w * z[:, i + r + k, j + r + l], weight + w
            out[:, i, j] = total / weight
    return out


@pytest.mark.parametrize("window", ["disc", "square"])
@pytest.mark.parametrize(("channels", "of_guide"), [(1, 1), (3, 3), (1, 2)])
def test_it_is_the_sum_over_the_window(window, channels, of_guide):
    generator = np.random.default_rng(0)
    y, guide = generator.random((channels, 13, 18)), generator.random((of_guide, 13, 18))
    expected = by_brute_force(y, guide, **LAW, radius=3, disc=window == "disc")
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
        found = bilateral(*(torch.from_numpy(z)[None].to(dtype) for z in (y, guide)), **LAW, radius=3, window=window)
        assert np.allclose(found[0].numpy(), expected, rtol=0, atol=tolerance)


def test_it_is_opencvs_filter(camera):
    cv2 = pytest.importorskip("cv2")
    expected = cv2.bilateralFilter(camera[0, 0].numpy(), 11, 0.1, 2.0, borderType=cv2.BORDER_REFLECT)
    found = bilateral(camera, camera, sigma_s=2.0, sigma_r=0.1, radius=5)
    assert np.allclose(found[0, 0].numpy(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 30), (70, 5)], ids=str)
def test_torch_and_numba_agree(size):
    y = torch.rand(2, 3, *size, dtype=torch.float64)
    guide = torch.rand(1, 1, *size, dtype=torch.float64)
    by_torch = bilateral(y.clone().requires_grad_(True), guide, **LAW, radius=4).detach()
    assert torch.allclose(bilateral(y, guide, **LAW, radius=4), by_torch, rtol=0, atol=1e-13)


def test_the_threaded_kernel_is_the_serial_one_over_several_tiles(monkeypatch):
    y = torch.rand(1, 3, 70, 400)
    serial = bilateral(y, y, **LAW, radius=2)
    monkeypatch.setattr("restora.numerics.smoothing.bilateral_cpu._SERIAL", 0)
    assert torch.equal(bilateral(y, y, **LAW, radius=2), serial)


def test_gradients_pass():
    y = torch.rand(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: bilateral(y, y, sigma_s=1.0, sigma_r=0.5, radius=1), (y,))


def test_half_precision_is_kept(camera):
    found = bilateral(camera.half(), camera.half(), **LAW, radius=3)
    assert found.dtype == torch.float16
