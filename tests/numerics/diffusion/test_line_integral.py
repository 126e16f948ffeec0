import math

import numpy as np
import pytest
import torch

from restora.numerics.diffusion.line_integral import line_integral, line_reach


def field(size, x, y):
    return torch.tensor([x, y], dtype=torch.float64).reshape(1, 2, 1, 1).expand(1, 2, *size)


def picture(size, channels=1):
    return torch.from_numpy(np.random.default_rng(0).random((1, channels, *size)))


@pytest.mark.parametrize("length", [0.3, 1.0])
def test_along_a_row_it_is_a_one_sided_gaussian_mean(length):
    u = picture((3, 60))
    f, dl, precision = length * math.sqrt(2 * 20), 0.8, 2.0
    arcs = np.arange(0, precision * f, dl)
    weights = np.exp(-(arcs**2) / (2 * f**2)) * np.clip((precision * f - arcs) / dl, 0, 1)
    weights[0] = 1
    for j in (0, 7, 40, 59):
        places = np.clip(j + arcs, 0, 59)
        expected = weights @ np.interp(places, np.arange(60), u[0, 0, 1].numpy()) / weights.sum()
        found = line_integral(u, field((3, 60), length, 0.0), amplitude=20, dl=dl, precision=precision)
        assert float(found[0, 0, 1, j]) == pytest.approx(expected, rel=1e-12)


def test_circles_are_followed():
    y, x = torch.meshgrid(*(torch.arange(61.0, dtype=torch.float64) - 30,) * 2, indexing="ij")
    r = torch.hypot(x, y).clamp_min(1e-3)
    u = torch.sin(r / 2)[None, None]
    w = torch.stack((-y / r, x / r))[None]
    there = (r > 12) & (r < 20)
    along = line_integral(u, w, amplitude=15, dl=0.25, precision=2.0)[0, 0]
    across = line_integral(u, torch.stack((x / r, y / r))[None], amplitude=15, dl=0.25, precision=2.0)[0, 0]
    assert (along - u[0, 0])[there].abs().max() < 0.08
    assert (across - u[0, 0])[there].abs().max() > 0.5


def test_without_a_vector_a_pixel_keeps_its_value():
    u = picture((5, 6), 3)
    assert torch.equal(line_integral(u, torch.zeros(1, 2, 5, 6).double(), amplitude=60, dl=0.8, precision=2.0), u)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (2, 3), (40, 50)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_torch_and_numba_agree(size, channels):
    draws = torch.Generator().manual_seed(0)
    u, w = picture(size, channels), torch.randn(1, 2, *size, generator=draws, dtype=torch.float64) / 3
    by_torch = line_integral(u.clone().requires_grad_(), w, amplitude=10, dl=0.8, precision=2.0).detach()
    assert torch.allclose(line_integral(u, w, amplitude=10, dl=0.8, precision=2.0), by_torch, rtol=0, atol=1e-12)
    single = line_integral(u.float(), w.float(), amplitude=10, dl=0.8, precision=2.0)
    assert torch.allclose(single.double(), by_torch, rtol=0, atol=5e-5)


def test_nothing_is_felt_beyond_its_reach():
    u = torch.zeros(1, 1, 1, 90)
    u[..., 80] = 1
    v = line_integral(u, field((1, 90), 1.0, 0.0).float(), amplitude=60, dl=0.8, precision=2.0)[0, 0, 0]
    assert not v[: 80 - line_reach(60, 2.0)].any()
    assert v[80 - line_reach(60, 2.0) + 2 :].any()
