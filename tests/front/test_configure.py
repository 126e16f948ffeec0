from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
import torch

from restora.core.denoiser import Denoiser
from restora.core.errors import CannotSolve, InvalidParameter, UnknownName
from restora.core.method import Method
from restora.core.parameters import parameters_of, positive
from restora.core.problem import Problem
from restora.front.configure import configure
from restora.front.denoisers import MethodDenoiser
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.weights.denoiser import FFDNET_GRAY


@dataclass(frozen=True, slots=True)
class Toy(Method):
    width: int = 3
    weight: Annotated[float, positive] = 0.5
    limit: float | None = None
    rule: Literal["a", "b"] = "a"
    fast: bool = False

    @classmethod
    def for_problem(cls, problem):
        return cls(weight=problem.sigma)

    def solve(self, problem, context):
        raise NotImplementedError


PROBLEM = Problem(torch.zeros(1, 1, 2, 2), Identity(), Gaussian(0.25))


def test_the_paper_s_parameters_hold_unless_others_are_given():
    assert configure(Toy, PROBLEM, {}) == Toy(weight=0.25)
    assert configure(Toy, PROBLEM, {"width": 5}) == Toy(width=5, weight=0.25)


def test_strings_are_read_as_the_type_of_the_field():
    given = {"width": "7", "weight": "1e-2", "limit": "2", "rule": "b", "fast": "yes"}
    assert configure(Toy, PROBLEM, given) == Toy(7, 0.01, 2.0, "b", True)
    assert configure(Toy, PROBLEM, {"limit": "none"}).limit is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", "2.5"), ("width", "wide"), ("rule", "c"), ("fast", "maybe"), ("width", True), ("weight", "-1")],
)
def test_wrong_values_are_refused_in_one_line_with_the_name(name, value):
    with pytest.raises(InvalidParameter, match=name) as refused:
        configure(Toy, PROBLEM, {name: value})
    assert "\n" not in str(refused.value)


def test_an_unknown_parameter_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean width"):
        configure(Toy, PROBLEM, {"widht": 3})


def test_parameters_are_listed_in_words():
    words = {parameter.name: parameter.words for parameter in parameters_of(Toy)}
    assert words == {
        "width": "a whole number",
        "weight": "a number, > 0",
        "limit": "a number or none",
        "rule": "one of a, b",
        "fast": "true or false",
    }


@dataclass(frozen=True, slots=True)
class ToyWithDenoiser(Method):
    denoiser: Denoiser = FFDNET_GRAY

    @classmethod
    def for_problem(cls, problem):
        return cls()

    def solve(self, problem, context):
        raise NotImplementedError


def test_a_denoiser_is_given_by_name_or_as_a_function():
    assert configure(ToyWithDenoiser, PROBLEM, {"denoiser": "tv"}) == ToyWithDenoiser(MethodDenoiser("tv"))

    def half(x, sigma):
        return x / 2

    assert configure(ToyWithDenoiser, PROBLEM, {"denoiser": half}).denoiser is half
    assert configure(ToyWithDenoiser, PROBLEM, {}).denoiser is FFDNET_GRAY


def test_what_is_no_denoiser_is_refused():
    with pytest.raises(CannotSolve, match="wiener is no denoiser"):
        configure(ToyWithDenoiser, PROBLEM, {"denoiser": "wiener"})
    with pytest.raises(InvalidParameter, match="denoiser = 3 is not allowed: denoiser must be a method that denoises"):
        configure(ToyWithDenoiser, PROBLEM, {"denoiser": 3})


def test_a_denoiser_is_one_parameter_whatever_it_is_made_of():
    (parameter,) = parameters_of(ToyWithDenoiser)
    assert (parameter.name, parameter.words, str(parameter.default)) == (
        *("denoiser", "a method that denoises, or weights"),
        "ffdnet-gray",
    )
