import numpy as np
import pytest
import torch

from restora.numerics.dct import dct2
from restora.numerics.frequencies import multiplicity, radial_frequency


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (6, 7)], ids=str)
def test_the_circular_grid_is_that_of_numpy(size):
    like = torch.zeros(1, dtype=torch.float64)
    rho = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1]))
    assert np.allclose(radial_frequency(size, "circular", like).numpy(), rho, rtol=1e-14)


def test_a_cosine_lies_at_its_frequency():
    h, w = 20, 30
    i, j = np.arange(h)[:, None] + 0.5, np.arange(w) + 0.5
    wave = torch.from_numpy(np.cos(2 * np.pi * 0.15 * i) * np.cos(2 * np.pi * 0.2 * j))
    peak = dct2(wave).abs().argmax()
    assert float(radial_frequency((h, w), "reflect", wave).flatten()[peak]) == pytest.approx(0.25, rel=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (6, 7), (4, 2)], ids=str)
def test_parseval_counts_every_coefficient(size):
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(size))
    energy = torch.fft.rfft2(x, norm="ortho").abs().square()
    assert float((multiplicity(size, "circular", x) * energy).sum()) == pytest.approx(float(x.square().sum()))
    assert float((multiplicity(size, "reflect", x) * dct2(x).square()).sum()) == pytest.approx(float(x.square().sum()))
