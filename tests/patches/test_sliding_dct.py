import numpy as np
import pytest
import torch
from scipy import fft

from restora.operators.boundaries import extend
from restora.patches import sliding_dct as room
from restora.patches.block_transforms import block_transform
from restora.patches.sliding_dct import sliding_dct


def by_the_book(y, pilot, n, sigma, threshold):
    """One plane, patch by patch, with SciPy."""
    pad = [(n - 1, n - 1)] * 2
    y = np.pad(y, pad, mode="symmetric")
    pilot = None if pilot is None else np.pad(pilot, pad, mode="symmetric")
    total, weight = np.zeros_like(y), np.zeros_like(y)
    for i in range(y.shape[0] - n + 1):
        for j in range(y.shape[1] - n + 1):
            place = (slice(i, i + n), slice(j, j + n))
            theta = fft.dctn(y[place], norm="ortho")
            if pilot is None:
                gain = (np.abs(theta) >= threshold * sigma).astype(float)
                gain[0, 0] = 1
            else:
                p = fft.dctn(pilot[place], norm="ortho")
                gain = p**2 / (p**2 + sigma**2)
            share = 1 / np.sum(gain**2)
            total[place] += share * fft.idctn(gain * theta, norm="ortho")
            weight[place] += share
    inner = slice(n - 1, 1 - n)
    return (total / weight)[inner, inner]


@pytest.mark.parametrize("n", [2, 5, 8])
@pytest.mark.parametrize("with_pilot", [False, True])
@pytest.mark.parametrize("size", [(11, 14), (3, 70)], ids=str)
def test_it_is_the_algorithm_written_patch_by_patch(n, with_pilot, size):
    y = torch.rand(1, 2, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pilot = y.flip(-1) * 0.9 if with_pilot else None
    found = sliding_dct(y, side=n, sigma=0.1, threshold=2.5, pilot=pilot)
    for c in range(2):
        expected = by_the_book(y[0, c].numpy(), None if pilot is None else pilot[0, c].numpy(), n, 0.1, 2.5)
        assert np.allclose(found[0, c], expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("with_pilot", [False, True])
def test_both_kernels_agree_across_tiles(with_pilot, monkeypatch):
    monkeypatch.setattr(room, "_CHUNK", 1 << 20)
    y = torch.rand(1, 1, 140, 520, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pilot = y.flip(-1) if with_pilot else None
    found = sliding_dct(y, side=4, sigma=0.1, threshold=2.5, pilot=pilot)
    z, p = (None if x is None else extend(x, (3, 3), (3, 3), "reflect") for x in (y, pilot))
    expected = room._sliding_dct_torch(z, p, block_transform("dct", 4).forward, 0.1, 2.5)
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)


def test_gradients_pass():
    y = torch.rand(1, 1, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    p = torch.rand(1, 1, 6, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y, p: sliding_dct(y, side=3, sigma=0.2, threshold=1.0, pilot=p), (y, p))
