import math

import numpy as np
import pytest
import torch

from restora.numerics.smoothing.domain_transform import domain_transform, reach

FORMS = ["NC", "IC", "RF"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("colour", [False, True])
def test_it_is_opencvs_filter(form, colour, camera, cat):
    ximgproc = pytest.importorskip("cv2").ximgproc
    x = (cat if colour else camera) + 0.05 * torch.randn((cat if colour else camera).shape, generator=torch.Generator())
    array = np.ascontiguousarray(x[0].movedim(0, -1).numpy())
    expected = ximgproc.dtFilter(array, array, 12.0, 0.4, mode=getattr(ximgproc, f"DTF_{form}"), numIters=3)
    found = domain_transform(x, x, sigma_s=12.0, sigma_r=0.4, form=form)[0].movedim(0, -1).numpy()
    difference = np.abs(found - expected.reshape(found.shape))
    # In NC a sample at the rim of a window may be in or out by the rounding of ct, which OpenCV keeps in float32.
    assert np.quantile(difference, 0.99 if form == "NC" else 1.0) < {"NC": 1e-3, "IC": 3e-4, "RF": 2e-6}[form]


def normalized_by_hand(row, ct, r):
    return np.array([row[(ct > t - r) & (ct <= t + r)].mean() for t in ct])


def interpolated_by_hand(row, ct, r):
    """A sum over a grid so fine that it is the integral."""
    t = (np.arange(200_000) + 0.5) / 200_000 * 2 * r - r
    return np.array([np.interp(c + t, ct, row).mean() for c in ct])


@pytest.mark.parametrize(("form", "by_hand"), [("NC", normalized_by_hand), ("IC", interpolated_by_hand)])
def test_one_pass_along_a_row_is_the_mean_in_the_stretched_coordinate(form, by_hand):
    row, guide = np.random.default_rng(0).random((2, 40))
    ct = np.cumsum(1 + 5.0 / 0.5 * np.abs(np.diff(guide, prepend=guide[0])))
    y, g = (torch.from_numpy(z)[None, None, None] for z in (row, guide))
    found = domain_transform(y, g, sigma_s=5.0, sigma_r=0.5, iterations=1, form=form)
    assert np.allclose(found[0, 0, 0].numpy(), by_hand(row, ct, math.sqrt(3) * 5.0), rtol=0, atol=1e-7)


def test_the_recursion_follows_its_formula():
    row = np.random.default_rng(1).random(30)
    v = np.exp(-math.sqrt(2) / 3.0 * (1 + 3.0 / 0.5 * np.abs(np.diff(row, prepend=row[0]))))
    x = row.copy()
    for u in range(1, 30):
        x[u] += v[u] * (x[u - 1] - x[u])
    for u in range(28, -1, -1):
        x[u] += v[u + 1] * (x[u + 1] - x[u])
    y = torch.from_numpy(row)[None, None, :, None]
    found = domain_transform(y, y, sigma_s=3.0, sigma_r=0.5, iterations=1)
    assert np.allclose(found[0, 0, :, 0].numpy(), x, rtol=0, atol=1e-13)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(1, 1), (2, 37), (150, 3), (20, 33)], ids=str)
def test_torch_and_numba_agree(form, size):
    y = torch.rand(2, 3, *size, dtype=torch.float64)
    guide = torch.rand(1, 1, *size, dtype=torch.float64)
    law = {"sigma_s": 4.0, "sigma_r": 0.7, "form": form}
    by_torch = domain_transform(y.clone().requires_grad_(True), guide, **law).detach()
    assert torch.allclose(domain_transform(y, guide, **law), by_torch, rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_the_threaded_kernel_is_the_serial_one(form, monkeypatch, camera):
    serial = domain_transform(camera, camera, sigma_s=4.0, sigma_r=0.7, form=form)
    monkeypatch.setattr("restora.numerics.smoothing.domain_transform_cpu._SERIAL", 0)
    assert torch.equal(domain_transform(camera, camera, sigma_s=4.0, sigma_r=0.7, form=form), serial)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_comes_from_beyond_the_reach(form):
    impulse, guide = torch.zeros(1, 1, 1, 161, dtype=torch.float64), torch.zeros(1, 1, 1, 161, dtype=torch.float64)
    impulse[..., 80] = 1
    spread = domain_transform(impulse, guide, sigma_s=4.0, sigma_r=0.5, form=form)[0, 0, 0]
    far = (torch.arange(161) - 80).abs() > reach(form, 4.0, 3)
    assert float(spread[far].abs().sum()) < 1e-6
    assert float(spread.abs().sum()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("form", ["RF", "IC"])
def test_gradients_pass(form):
    y = torch.rand(1, 1, 3, 4, dtype=torch.float64, requires_grad=True)
    guide = torch.rand(1, 1, 3, 4, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda y: domain_transform(y, guide, sigma_s=2.0, sigma_r=0.5, form=form), (y,))
