import math
from itertools import product

import numpy as np
import pytest
import torch

from restora.operators.boundaries import extend
from restora.patches.nonlocal_means import LEAST_WEIGHT, _nonlocal_means_torch, nonlocal_means, reach


def by_the_book(y, sigma, h, patch, window):
    """The definition, patch by patch; y is (c, h, w)."""
    f, t = patch // 2, window // 2
    c, height, width = y.shape
    r = t + 2 * f
    z = np.pad(y, ((0, 0), (r, r), (r, r)), mode="symmetric")

    def patch_at(i, j):
        return z[:, i + r - f : i + r + f + 1, j + r - f : j + r + f + 1]

    total = np.zeros((c, height + 4 * f, width + 4 * f))
    for i, j in product(range(-f, height + f), range(-f, width + f)):
        others = [patch_at(i + a, j + b) for a, b in product(range(-t, t + 1), repeat=2) if (a, b) != (0, 0)]
        w = [math.exp(-max(((patch_at(i, j) - q) ** 2).mean() - 2 * sigma**2, 0) / h**2) for q in others]
        w.append(max(w, default=1.0))
        estimate = sum(weight * q for weight, q in zip(w, [*others, patch_at(i, j)])) / sum(w)
        total[:, i + f : i + 3 * f + 1, j + f : j + 3 * f + 1] += estimate
    return total[:, 2 * f : 2 * f + height, 2 * f : 2 * f + width] / patch**2


def in_torch(y, sigma, h, patch, window):
    r = reach(patch, window)
    return _nonlocal_means_torch(extend(y, (r, r), (r, r), "reflect"), patch // 2, window // 2, sigma, h, LEAST_WEIGHT)


CASES = [
    ((1, 9, 11), 3, 7),
    ((3, 8, 7), 3, 5),
    ((2, 7, 12), 5, 9),
    ((1, 1, 1), 3, 5),
    ((1, 2, 9), 7, 3),
    ((1, 6, 5), 1, 7),
    ((1, 5, 4), 3, 1),
]


@pytest.mark.parametrize(("shape", "patch", "window"), CASES, ids=str)
def test_both_kernels_follow_the_definition(shape, patch, window):
    y = np.random.default_rng(0).random(shape)
    expected = by_the_book(y, 0.1, 0.2, patch, window)
    batch = torch.from_numpy(y)[None]
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.float64, 1e-13)):
        numba = nonlocal_means(batch.to(dtype), sigma=0.1, h=0.2, patch=patch, window=window)
        assert numba.dtype == dtype
        assert np.allclose(numba[0].numpy(), expected, rtol=0, atol=tolerance)
        assert np.allclose(in_torch(batch.to(dtype), 0.1, 0.2, patch, window)[0].numpy(), expected, atol=tolerance)


def test_the_kernels_agree_across_the_seams_of_tiles(camera):
    y = torch.cat([camera[:, :, :70].repeat(1, 1, 1, 5)[..., :530], camera[:, :, 58:].repeat(1, 1, 1, 5)[..., :530]])
    numba = nonlocal_means(y, sigma=0.05, h=0.03, patch=3, window=5)
    assert torch.allclose(numba, in_torch(y, 0.05, 0.03, 3, 5), atol=2e-6)


def test_a_window_with_its_reach_around_is_the_whole(camera):
    whole = nonlocal_means(camera, sigma=0.05, h=0.03, patch=5, window=9)
    r = reach(5, 9)
    part = nonlocal_means(camera[..., 30 - r : 50 + r, 40 - r : 70 + r], sigma=0.05, h=0.03, patch=5, window=9)
    assert torch.allclose(part[..., r:-r, r:-r], whole[..., 30:50, 40:70], atol=1e-6)
    narrower = nonlocal_means(camera[..., 31 - r : 49 + r, 40 - r : 70 + r], sigma=0.05, h=0.03, patch=5, window=9)
    assert not torch.allclose(narrower[..., r - 1 : 1 - r, r:-r], whole[..., 30:50, 40:70], atol=1e-6)


def test_patches_without_a_like_are_left_alone():
    y = torch.zeros(1, 1, 15, 15)
    y[0, 0, 7, 7] = 1
    found = nonlocal_means(y, sigma=1e-3, h=1e-3, patch=3, window=5)
    assert torch.allclose(found, y, atol=1e-6)


def test_gradients_pass():
    y = torch.rand(1, 1, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    arguments = {"sigma": 1e-3, "h": 0.5, "patch": 3, "window": 3}
    assert torch.autograd.gradcheck(lambda y: nonlocal_means(y, **arguments), (y,))


def test_half_precision_is_kept(camera):
    half = nonlocal_means(camera[..., :24, :24].half(), sigma=0.05, h=0.03, patch=3, window=5)
    assert half.dtype == torch.float16
    full = nonlocal_means(camera[..., :24, :24], sigma=0.05, h=0.03, patch=3, window=5)
    assert torch.allclose(half.float(), full, atol=5e-3)
