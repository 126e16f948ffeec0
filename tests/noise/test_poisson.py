import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp

from restora.noise.poisson import Poisson
from restora.noise.poisson_gaussian import PoissonGaussian


def _image(value):
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)


def test_the_likelihood_of_counts_is_scipys_mass():
    k = torch.arange(12.0, dtype=torch.float64).reshape(1, 1, 3, 4)
    x = torch.rand(1, 1, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = stats.poisson.logpmf(k.numpy(), 7 * x.numpy()).sum()
    assert float(Poisson(7.0).log_likelihood(k / 7, x)) == pytest.approx(expected, rel=1e-12)


def test_no_light_gives_no_counts():
    assert float(Poisson(10.0).sample(_image(0.0))) == 0
    assert float(Poisson(10.0).sample(_image(-0.5))) == 0
    assert float(Poisson(10.0).log_likelihood(_image(0.0), _image(0.0))) == 0
    assert float(Poisson(10.0).log_likelihood(_image(0.1), _image(0.0))) == -math.inf


def _brute_force(y, x, peak, sigma):
    """log of the sum over every count that matters."""
    rate = peak * x
    k = np.arange(int(rate + 40 * math.sqrt(rate) + 60))
    return logsumexp(stats.poisson.logpmf(k, rate) + stats.norm.logpdf(y, k / peak, sigma))


@pytest.mark.parametrize(("peak", "sigma"), [(0.5, 0.3), (5.0, 0.1), (20.0, 0.02), (255.0, 0.01), (1e4, 0.01)])
@pytest.mark.parametrize("x", [0.0, 1e-3, 0.1, 0.5, 1.0, 2.0])
def test_the_convolution_is_that_of_brute_force(peak, sigma, x):
    spread = math.sqrt(x / peak + sigma**2)
    for z in (-4, -1, 0, 3):
        y = x + z * spread
        got = float(PoissonGaussian(peak, sigma).log_likelihood(_image(y), _image(x)))
        assert got == pytest.approx(_brute_force(y, x, peak, sigma), rel=1e-9, abs=1e-9)


def test_many_photons_are_nearly_normal():
    x, peak, sigma = 0.5, 1e6, 0.001
    spread = math.sqrt(x / peak + sigma**2)
    y = x + 0.7 * spread
    got = float(PoissonGaussian(peak, sigma).log_likelihood(_image(y), _image(x)))
    assert got == pytest.approx(stats.norm.logpdf(y, x, spread), abs=1e-3)


def test_without_read_out_noise_it_is_poisson():
    y, x = _image(0.4), _image(0.3)
    expected = Poisson(10.0).log_likelihood(y, x)
    assert torch.equal(PoissonGaussian(10.0, 0.0).log_likelihood(y, x), expected)
