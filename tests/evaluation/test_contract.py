"""The contract checks pass a method of another package that keeps the contract, and fail those that break it."""

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
import torch

from restora import catalog
from restora.core.errors import InvalidInput, UnknownName
from restora.core.method import Method
from restora.core.parameters import odd
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec
from restora.evaluation.contract import contract_checks, scene
from restora.front.arrays import denoise
from restora.front.restore import restore
from restora.noise.gaussian import Gaussian
from restora.operators.boundaries import extend
from restora.operators.identity import Identity

EXAMPLE = Path(__file__).parents[2] / "examples" / "box_filter"
"""A package of somebody else: one file with a method, and an entry point."""


@pytest.fixture
def foreign(monkeypatch):
    """The module of the example package."""
    monkeypatch.syspath_prepend(EXAMPLE)
    yield "box_filter:BoxFilter"
    sys.modules.pop("box_filter", None)


def _box_spec(**changes):
    return Spec(name="toy", tasks=("denoise",), solves=(Identity,), colour="native", paper="none", **changes)


@dataclass(frozen=True, slots=True)
class Brightens(Method):
    spec: ClassVar[Spec] = _box_spec()

    def solve(self, problem, context):
        return Result(problem.y + 0.1)


@dataclass(frozen=True, slots=True)
class WritesIntoItsInput(Method):
    spec: ClassVar[Spec] = _box_spec()

    def solve(self, problem, context):
        return Result(problem.y.mul_(0.5))


@dataclass(frozen=True, slots=True)
class LooksFurtherThanItSays(Method):
    spec: ClassVar[Spec] = _box_spec(halo=lambda method: 0)

    def solve(self, problem, context):
        return Result(torch.nn.functional.avg_pool2d(extend(problem.y, (9, 9), (9, 9), "reflect"), 19, stride=1))


@dataclass(frozen=True, slots=True)
class DeclaresNoRange(Method):
    spec: ClassVar[Spec] = _box_spec()
    side: int = 3

    def solve(self, problem, context):
        return Result(problem.y)


@dataclass(frozen=True, slots=True)
class MixesItsBatch(Method):
    spec: ClassVar[Spec] = _box_spec()

    def solve(self, problem, context):
        return Result(problem.y.mean(dim=0, keepdim=True).expand_as(problem.y).clone())


@pytest.mark.parametrize(
    ("method", "broken"),
    [
        (Brightens, "keeps_constants"),
        (WritesIntoItsInput, "keeps_shape_dtype_and_input"),
        (LooksFurtherThanItSays, "tiles_equal_the_whole"),
        (DeclaresNoRange, "refuses_parameters_out_of_range"),
        (MixesItsBatch, "takes_a_batch_as_a_loop"),
    ],
)
def test_a_method_that_breaks_a_rule_fails_its_check(method, broken):
    (check,) = (check for check in contract_checks(method) if check.name == broken)
    with pytest.raises(AssertionError):
        check()


def test_a_method_of_another_package_passes_every_check(foreign):
    for check in contract_checks(catalog.find(foreign).load()):
        check()


def test_a_class_is_restored_by_like_a_name(foreign):
    problem = Problem.simulate(scene(40, 48, 3), Identity(), Gaussian(0.1), 0)
    method = catalog.find(foreign).load()
    by_name = restore(problem, foreign, parameters={"side": "5"}).x
    assert torch.equal(by_name, restore(problem, method(side=5)).x)
    assert torch.equal(by_name, restore(problem, method, parameters={"side": 5}).x)
    array = problem.y[0, 0].numpy()
    assert denoise(array, 0.1, method=method).shape == array.shape


@pytest.fixture
def announced(monkeypatch):
    """Entry points of installed packages: one that works, and one whose module is missing."""
    points = [
        EntryPoint("box", "box_filter:BoxFilter", catalog.GROUP),
        EntryPoint("gone", "no_such:Gone", catalog.GROUP),
    ]
    monkeypatch.setattr(catalog, "entry_points", lambda group: [point for point in points if point.group == group])


def test_an_announced_method_is_a_row_and_a_broken_package_hides_none(foreign, announced):
    with pytest.warns(UserWarning, match="no_such:Gone cannot be imported"):
        rows = catalog.entries()
    assert (rows[-1].name, rows[-1].target, rows[-1].tasks) == ("box", foreign, ("denoise",))
    assert catalog.find("box") == rows[-1]
    assert rows[:-1] == catalog._own_entries()
    assert catalog.names()[-2:] == ("box", "gone")
    with pytest.raises(InvalidInput, match="cannot be imported"):
        catalog.find("gone")


def test_a_method_is_called_as_its_package_announces_it(foreign, monkeypatch):
    point = EntryPoint("mean-filter", foreign, catalog.GROUP)
    monkeypatch.setattr(catalog, "entry_points", lambda group: [point])
    assert catalog.entries()[-1] == catalog.find("mean-filter")
    assert catalog.find("mean-filter").name == "mean-filter"


def test_what_is_no_method_is_refused_in_a_sentence():
    with pytest.raises(InvalidInput, match="cannot be imported"):
        catalog.find("no_such_module:Thing")
    with pytest.raises(InvalidInput, match="is no method"):
        catalog.find("restora.core.problem:Problem")
    with pytest.raises(UnknownName):
        catalog.find("box-of-somebody")


def test_an_odd_side_is_all_that_the_example_takes(foreign):
    side = catalog.find(foreign).load().__annotations__["side"]
    assert side == Annotated[int, odd]
