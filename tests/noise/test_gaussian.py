import math

import pytest
import torch
from scipy import stats

from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian


def test_the_likelihood_is_scipys_normal_density():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.rand(1, 3, 4, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    expected = stats.norm.logpdf(y.numpy(), x.numpy(), 0.2).sum()
    assert float(Gaussian(0.2).log_likelihood(y, x)) == pytest.approx(expected, rel=1e-12)
    scale = (0.1 * x + 0.02).sqrt().numpy()
    expected = stats.norm.logpdf(y.numpy(), x.numpy(), scale).sum()
    assert float(CameraNoise(0.1, 0.02).log_likelihood(y, x)) == pytest.approx(expected, rel=1e-12)


def test_without_noise_the_likelihood_is_a_point_mass():
    x = torch.rand(1, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    for noise in (Gaussian(0.0), CameraNoise(0.0, 0.0)):
        assert float(noise.log_likelihood(x, x)) == 0
        assert float(noise.log_likelihood(x + 0.1, x)) == -math.inf
        assert torch.equal(noise.sample(x), x)


def test_the_dark_of_a_camera_without_read_out_noise_is_silent():
    x = torch.tensor([[[[-0.1, 0.0]]]])
    assert torch.equal(CameraNoise(0.5, 0.0).sample(x, torch.Generator().manual_seed(0)), x)
