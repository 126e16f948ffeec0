import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.front.restore import restore
from restora.methods.filters.median import Median
from restora.noise.gaussian import Gaussian
from restora.noise.salt_and_pepper import SaltAndPepper
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def test_lone_impulses_go_and_a_straight_edge_stays():
    x = torch.zeros(1, 1, 20, 21)
    x[..., 10:] = 0.5
    y = x.clone()
    y[..., 5, 4], y[..., 12, 15], y[..., 3, 10] = 1, 0, 1
    assert torch.equal(Median(3).run(Problem(y, Identity(), SaltAndPepper(0.01))).x, x)


@pytest.mark.parametrize("amount", [0.05, 0.3, 0.5])
def test_it_removes_salt_and_pepper_by_the_front_door(amount, cat):
    problem = Problem.simulate(cat, Identity(), SaltAndPepper(amount), seed=0)
    before, after = (float((x - cat).square().mean()) for x in (problem.y, restore(problem, "median").x))
    assert after < 0.1 * before


def test_the_rules():
    assert [Median.for_noise(level / 255).side for level in (0, 10, 15, 25, 40, 50)] == [1, 1, 3, 3, 5, 7]
    assert [Median.for_impulses(amount).side for amount in (0.0, 0.1, 0.3, 0.5, 0.6, 0.9)] == [1, 3, 5, 7, 9, 11]
    y = torch.rand(1, 1, 9, 9)
    assert Median.for_problem(Problem(y, Identity(), SaltAndPepper(0.3))) == Median(5)


def test_a_side_of_one_leaves_the_image_alone(camera):
    result = Median.for_noise(0.0).run(Problem(camera, Identity(), Gaussian(0.0)))
    assert result.status.code is Code.LEFT_ALONE
    assert torch.equal(result.x, camera)


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        Median().run(Problem(cat, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="side = 4"):
        Median(side=4)
