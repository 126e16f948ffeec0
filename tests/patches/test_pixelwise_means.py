import numpy as np
import pytest
import torch

from restora.operators.boundaries import extend
from restora.patches import pixelwise_means as room
from restora.patches.pixelwise_means import pixelwise_means, reach


def by_the_book(y, sigma, h, patch, window):
    """Pixel by pixel; y is (c, h, w)."""
    f, t = patch // 2, window // 2
    z = np.pad(y, [(0, 0), (t + f,) * 2, (t + f,) * 2], mode="symmetric")
    out = np.empty_like(y)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            p = z[:, i + t : i + t + patch, j + t : j + t + patch]
            total, weight, largest = 0, 0, 1e-24
            for k in range(window):
                for l in range(window):
                    if (k, l) != (t, t):
                        d = np.mean((p - z[:, i + k : i + k + patch, j + l : j + l + patch]) ** 2)
                        w = np.exp(-max(d - 2 * sigma**2, 0) / h**2)
                        total, weight = total + w * z[:, i + k + f, j + l + f], weight + w
                        largest = max(largest, w)
            out[:, i, j] = (total + largest * y[:, i, j]) / (weight + largest)
    return out


@pytest.mark.parametrize(("patch", "window"), [(3, 5), (1, 7), (5, 3), (3, 1)])
@pytest.mark.parametrize("size", [(9, 13), (1, 4)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_algorithm_written_pixel_by_pixel(patch, window, size, channels):
    y = np.random.default_rng(0).random((channels, *size))
    found = pixelwise_means(torch.from_numpy(y)[None], sigma=0.1, h=0.2, patch=patch, window=window)
    assert np.allclose(found[0], by_the_book(y, 0.1, 0.2, patch, window), rtol=0, atol=1e-12)


def test_both_kernels_agree_across_strips(monkeypatch):
    monkeypatch.setattr(room, "_CHUNK", 1 << 16)
    y = torch.rand(2, 1, 150, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = extend(y, (10, 10), (10, 10), "reflect")
    expected = room._pixelwise_means_torch(z, 2, 4, 0.1, 0.1, 1e-24)
    assert torch.allclose(pixelwise_means(y, sigma=0.1, h=0.1, patch=5, window=9), expected, rtol=0, atol=1e-12)


def test_a_pixel_depends_on_nothing_beyond_its_reach():
    y = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    changed = y.clone()
    changed[..., 10] += 0.1
    moved = pixelwise_means(changed, sigma=0.3, h=0.3, patch=3, window=9) != pixelwise_means(
        y, sigma=0.3, h=0.3, patch=3, window=9
    )
    columns = torch.nonzero(moved.any(-2))[:, -1]
    assert (int(columns.min()), int(columns.max())) == (10 - reach(3, 9), 10 + reach(3, 9))


def test_gradients_pass():
    y = torch.rand(1, 1, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: pixelwise_means(y, sigma=0.05, h=0.5, patch=3, window=3), y)
