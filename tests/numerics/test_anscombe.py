import pytest
import torch

from restora.core.errors import InvalidParameter
from restora.noise.camera import CameraNoise
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.numerics.anscombe import Anscombe

LEVELS = torch.tensor([0.05, 0.1, 0.3, 0.6, 1.0], dtype=torch.float64)[None, :, None, None].expand(1, 5, 300, 300)


def statistics(y):
    flat = y.flatten(2)[0]
    return flat.mean(1), flat.std(1)


def test_the_noise_becomes_white(generator):
    noise = PoissonGaussian(100.0, 0.01)
    transform = Anscombe(1 / 100, 0.01**2)
    before = statistics(noise.sample(LEVELS, generator))[1]
    after = statistics(transform.forward(noise.sample(LEVELS, generator)))[1] / transform.sigma
    assert before.max() > 3 * before.min()
    assert torch.allclose(after, torch.ones_like(after), atol=0.05)


def test_the_inverse_is_unbiased(generator):
    noise = PoissonGaussian(60.0, 0.02)
    transform = Anscombe(1 / 60, 0.02**2)
    means, _ = statistics(transform.forward(noise.sample(LEVELS, generator)))
    brought_back = transform.inverse(means[None, :, None, None])[0, :, 0, 0]
    assert torch.allclose(brought_back, LEVELS[0, :, 0, 0], rtol=0.01, atol=1e-3)
    naive = ((means * transform._span + transform._dark) / 2).square() - 3 / 8 - transform._s2
    assert float(((naive / 60 - LEVELS[0, :, 0, 0]) / LEVELS[0, :, 0, 0]).abs().max()) > 0.02


def test_black_and_white_stay_where_they_are():
    transform = Anscombe(0.01, 1e-4)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)[None, None, None]
    assert torch.allclose(transform.forward(ends), ends)


def test_a_sensor_of_little_light_stays_finite(generator):
    y = CameraNoise(0.05, 0.001).sample(torch.zeros(1, 1, 20, 20), generator)
    transform = Anscombe(0.05, 0.001)
    assert bool(torch.isfinite(transform.inverse(transform.forward(y))).all())


@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (-1.0, 0.0), (1.0, -1.0), (float("nan"), 0.0)])
def test_variances_out_of_range_are_refused(a, b):
    with pytest.raises(InvalidParameter):
        Anscombe(a, b)
