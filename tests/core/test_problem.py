import pytest
import torch
from jaxtyping import TypeCheckError

from restora.core.errors import InvalidInput
from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.result import Status


class Doubling(Operator):
    def __call__(self, x):
        return 2 * x

    def adjoint(self, y):
        return 2 * y

    def output_size(self, size):
        return size

    def input_size(self, size):
        return size


class Additive(Noise):
    def sample(self, x, generator=None):
        return x + torch.randn(x.shape, generator=generator)

    def log_likelihood(self, y, x):
        return torch.zeros(y.shape[0])

    @property
    def sigma(self):
        return None


def test_simulation_is_decided_by_its_seed():
    x = torch.zeros(1, 1, 4, 4)
    y0, y1, y2 = (Problem.simulate(x, Doubling(), Additive(), seed).y for seed in (3, 3, 4))
    assert torch.equal(y0, y1)
    assert not torch.equal(y0, y2)


def test_an_empty_measurement_is_refused():
    with pytest.raises(InvalidInput, match="measurement is empty"):
        Problem(torch.zeros(1, 1, 0, 4), Doubling(), Additive())


@pytest.mark.parametrize("y", [torch.zeros(4, 4), torch.zeros(1, 1, 4, 4, dtype=torch.uint8)])
def test_a_measurement_that_is_no_image_is_refused(y):
    # The run-time type checker of the tests sees it first; a user, without one, gets InvalidInput.
    with pytest.raises((InvalidInput, TypeCheckError)):
        Problem(y, Doubling(), Additive())


def test_an_unknown_noise_level_is_told():
    with pytest.raises(InvalidInput, match="unknown"):
        _ = Problem(torch.zeros(1, 1, 2, 2), Doubling(), Additive()).sigma


def test_the_general_prox_and_norm_of_a_scaling_are_exact():
    y, z, rho = torch.full((1, 1, 3, 3), 4.0), torch.zeros(1, 1, 3, 3), 0.5
    expected = (2 * y + rho * z) / (4 + rho)
    assert torch.allclose(Doubling().prox(z, y, rho), expected, rtol=1e-6)
    assert 2 <= Doubling().norm_bound((3, 3)) <= 2 * 1.011
    assert 4 <= (Doubling() @ Doubling()).norm_bound((3, 3)) <= 4 * 1.011**2


def test_a_finished_status_has_a_sentence():
    assert Status.done().sentence
