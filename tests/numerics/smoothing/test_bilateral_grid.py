import math

import numpy as np
import pytest
import torch
from PIL import Image

from restora.numerics.smoothing.bilateral import bilateral
from restora.numerics.smoothing.bilateral_grid import bilateral_grid


def agreement(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


@pytest.mark.parametrize(("sampling", "least"), [(1.0, 48.0), (0.5, 57.0)])
def test_it_agrees_with_the_exact_filter(sampling, least, data_dir):
    # 43.5 and 54.6 dB where the blur of splat and slice is not made up for
    house = torch.from_numpy(np.asarray(Image.open(data_dir / "test" / "Set12" / "02.png")) / 255).float()[None, None]
    exact = bilateral(house, house, sigma_s=16.0, sigma_r=0.1, radius=48)
    assert agreement(bilateral_grid(house, house, sigma_s=16.0, sigma_r=0.1, sampling=sampling), exact) > least


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (33, 20)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_torch_and_numba_agree(size, channels):
    y = torch.rand(2, channels, *size, dtype=torch.float64)
    law = {"sigma_s": 4.0, "sigma_r": 0.2, "sampling": 0.5}
    by_torch = bilateral_grid(y.clone().requires_grad_(True), y[:, :1], **law).detach()
    assert torch.allclose(bilateral_grid(y, y[:, :1], **law), by_torch, rtol=0, atol=1e-12)


def test_the_threaded_slice_is_the_serial_one(monkeypatch):
    y = torch.rand(1, 1, 50, 40)
    law = {"sigma_s": 4.0, "sigma_r": 0.2, "sampling": 1.0}
    serial = bilateral_grid(y, y, **law)
    monkeypatch.setattr("restora.numerics.smoothing.bilateral_grid_cpu._SERIAL", 0)
    assert torch.equal(bilateral_grid(y, y, **law), serial)


def test_levels_far_apart_do_not_mix():
    y = torch.zeros(1, 1, 20, 20, dtype=torch.float64)
    y[..., 10:] = 1.0
    assert torch.allclose(bilateral_grid(y, y, sigma_s=5.0, sigma_r=0.05, sampling=1.0), y, rtol=0, atol=1e-12)
