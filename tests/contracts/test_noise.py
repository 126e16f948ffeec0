"""What every noise model promises."""

import math
from dataclasses import dataclass

import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.noise import Noise
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.noise.matlab_v4 import MatlabV4Gaussian
from restora.noise.numpy_seeded import NumpyGaussian
from restora.noise.poisson import Poisson
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.noise.unknown import UnknownNoise


@dataclass(frozen=True)
class Case:
    """A model, its mean and variance at intensity x, and the values y can take where those are countable."""

    noise: Noise
    mean: float
    variance: float
    values: tuple[float, ...] = ()


X = 0.3
CASES = [
    Case(Gaussian(0.1), X, 0.01),
    Case(Poisson(20.0), X, X / 20, tuple(k / 20 for k in range(60))),
    Case(PoissonGaussian(20.0, 0.05), X, X / 20 + 0.05**2),
    Case(PoissonGaussian(2000.0, 0.02), X, X / 2000 + 0.02**2),
    Case(CameraNoise(0.02, 0.001), X, 0.02 * X + 0.001),
    Case(SaltAndPepper(0.2, 0.3), 0.8 * X + 0.06, 0.8 * X**2 + 0.06 - (0.8 * X + 0.06) ** 2, (0.0, X, 1.0)),
    Case(MatlabV4Gaussian(0.1), X, 0.01),
    Case(NumpyGaussian(0.1), X, 0.01),
]
DRAWN = [*(case.noise for case in CASES), Jpeg(40)]


def _name(case):
    return repr(case.noise if isinstance(case, Case) else case)


def _flat(size=300):
    return torch.full((1, 1, size, size), X, dtype=torch.float64)


@pytest.mark.parametrize("noise", DRAWN, ids=_name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 9, 16)])
def test_a_sample_keeps_shape_and_dtype_and_leaves_its_input(noise, dtype, shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    before = x.clone()
    y = noise.sample(x, torch.Generator().manual_seed(2))
    assert (y.shape, y.dtype, y.device) == (x.shape, x.dtype, x.device)
    assert torch.equal(x, before)
    assert torch.isfinite(y).all()


@pytest.mark.parametrize("noise", DRAWN, ids=_name)
def test_a_sample_is_decided_by_the_seed_of_its_generator(noise):
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    first, again, other = (noise.sample(x, torch.Generator().manual_seed(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == isinstance(noise, Jpeg | MatlabV4Gaussian | NumpyGaussian)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_mean_and_variance_of_samples_are_those_of_the_model(case):
    y = case.noise.sample(_flat(), torch.Generator().manual_seed(3))
    residual = y - case.mean
    # Five standard errors, of the mean and of the mean square.
    assert abs(float(residual.mean())) < 5 * math.sqrt(case.variance / y.numel())
    error = float((residual**2).std()) / math.sqrt(y.numel())
    assert abs(float((residual**2).mean()) - case.variance) < 5 * error


@pytest.mark.parametrize("case", [case for case in CASES if not case.values], ids=_name)
def test_the_density_of_a_pixel_integrates_to_one_with_the_right_moments(case):
    spread = math.sqrt(case.variance)
    y = torch.linspace(X - 12 * spread, X + 14 * spread, 20001, dtype=torch.float64)
    log_p = case.noise.log_likelihood(y[:, None, None, None], torch.full((len(y), 1, 1, 1), X, dtype=torch.float64))
    p = log_p.exp()
    assert float(torch.trapezoid(p, y)) == pytest.approx(1, rel=1e-6)
    assert float(torch.trapezoid(p * y, y)) == pytest.approx(case.mean, rel=1e-6)
    assert float(torch.trapezoid(p * (y - case.mean) ** 2, y)) == pytest.approx(case.variance, rel=1e-5)


@pytest.mark.parametrize("case", [case for case in CASES if case.values], ids=_name)
def test_the_masses_of_a_pixel_sum_to_one_with_the_right_moments(case):
    y = torch.tensor(case.values, dtype=torch.float64)
    log_p = case.noise.log_likelihood(y[:, None, None, None], torch.full((len(y), 1, 1, 1), X, dtype=torch.float64))
    p = log_p.exp()
    assert float(p.sum()) == pytest.approx(1, rel=1e-9)
    assert float((p * y).sum()) == pytest.approx(case.mean, rel=1e-9)
    assert float((p * (y - case.mean) ** 2).sum()) == pytest.approx(case.variance, rel=1e-9)


@pytest.mark.parametrize("noise", DRAWN, ids=_name)
def test_the_likelihood_of_a_sample_is_finite_and_one_value_an_image(noise):
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(7))
    y = noise.sample(x, torch.Generator().manual_seed(8))
    log_p = noise.log_likelihood(y, x)
    assert log_p.shape == (3,)
    assert log_p.dtype == y.dtype
    assert torch.isfinite(log_p).all()
    alone = torch.cat([noise.log_likelihood(y[i : i + 1], x[i : i + 1]) for i in range(3)])
    assert torch.allclose(log_p, alone, rtol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_sigma_is_that_of_middle_gray(case):
    x = torch.full((1, 1, 300, 300), 0.5, dtype=torch.float64)
    y = case.noise.sample(x, torch.Generator().manual_seed(4))
    assert case.noise.sigma == pytest.approx(float((y - x).square().mean().sqrt()), rel=0.02)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gaussian(-0.1),
        lambda: Gaussian(float("nan")),
        lambda: Poisson(0.0),
        lambda: PoissonGaussian(-1.0, 0.1),
        lambda: PoissonGaussian(1.0, -0.1),
        lambda: CameraNoise(-0.1, 0.0),
        lambda: CameraNoise(0.0, float("inf")),
        lambda: SaltAndPepper(1.1),
        lambda: SaltAndPepper(0.1, -0.5),
        lambda: Jpeg(0),
        lambda: Jpeg(101),
        lambda: MatlabV4Gaussian(-0.1),
        lambda: MatlabV4Gaussian(0.1, -1),
        lambda: NumpyGaussian(0.1, -1),
    ],
)
def test_parameters_out_of_range_are_refused_with_what_is_allowed(make):
    with pytest.raises(InvalidParameter, match="must be"):
        make()


def test_a_level_is_never_left_out():
    with pytest.raises(TypeError, match="sigma"):
        Gaussian()


def test_unknown_noise_is_neither_drawn_nor_weighed():
    x = torch.zeros(1, 1, 2, 2)
    assert UnknownNoise().sigma is None
    with pytest.raises(CannotSolve, match="unknown"):
        UnknownNoise().sample(x)
    with pytest.raises(CannotSolve, match="unknown"):
        UnknownNoise().log_likelihood(x, x)
