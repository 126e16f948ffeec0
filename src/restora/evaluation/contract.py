"""Contract: the checks that every method must pass, for those of this package and of others.

A package that has a method of its own tests it by

    import pytest
    from restora.evaluation.contract import contract_checks

    @pytest.mark.parametrize("check", contract_checks(MyMethod), ids=str)
    def test_contract(check):
        check()

Each check makes a small problem for the first operator that the method declares to solve, and raises AssertionError
with what is wrong.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter, RestoraError
from restora.core.method import Method
from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.parameters import Parameter, members_of, parameters_of
from restora.core.problem import Problem
from restora.core.result import Result
from restora.front.configure import configure
from restora.front.restore import restore
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic
from restora.operators.psf import disk_psf, gaussian_psf
from restora.operators.spatially_varying_blur import SpatiallyVaryingBlur
from restora.operators.unknown import UnknownBlur

SIZES = ((1, 1), (1, 7), (6, 1), (3, 4), (17, 23))
"""Heights and widths that every method must take."""


@dataclass(frozen=True)
class Case:
    """An operator for images of a size, and the noise behind it."""

    name: str
    H: Callable[[tuple[int, int]], Operator]
    noise: Noise
    colour_only: bool = False

    def problem(self, x: Float[Tensor, "b c h w"], seed: int = 0) -> Problem:
        """The measurement of ``x``."""
        return Problem.simulate(x, self.H((x.shape[-2], x.shape[-1])), self.noise, seed)


def _holes(size: tuple[int, int], keep: float) -> Operator:
    """A random mask that knows at least one pixel."""
    return Mask.random(size, max(keep, 1 / (size[0] * size[1])), torch.Generator().manual_seed(0))


def _varying_blur(size: tuple[int, int]) -> Operator:
    radii = torch.linspace(1.0, 3.0, size[1]).expand(*size)
    return SpatiallyVaryingBlur.from_defocus(radii.clone())


CASES = (
    Case("identity", lambda size: Identity(), Gaussian(25 / 255)),
    Case("blur", lambda size: Blur(gaussian_psf(1.6), "circular"), Gaussian(2 / 255)),
    Case("blur-replicate", lambda size: Blur(disk_psf(2.0), "replicate"), Gaussian(2 / 255)),
    Case("varying-blur", _varying_blur, Gaussian(1 / 255)),
    Case("downsample", lambda size: Downsample(2.0, size=size), Gaussian(0.0)),
    Case("blur-decimate", lambda size: BlurDecimate(gaussian_psf(1.0), 2), Gaussian(0.0)),
    Case("mask", lambda size: _holes(size, 0.5), Gaussian(0.0)),
    Case("mosaic", lambda size: Mosaic("RGGB"), Gaussian(1 / 255), colour_only=True),
    Case("composition", lambda size: _holes(size, 0.7) @ Blur(gaussian_psf(1.0), "reflect"), Gaussian(1 / 255)),
)
"""One problem of each kind of H."""


def cases_for(method: type[Method]) -> tuple[Case, ...]:
    """The cases whose operator the method declares to solve."""
    return tuple(case for case in CASES if method.spec.refusal(case.H((32, 32))) is None)


def scene(height: int, width: int, channels: int = 1) -> Float[Tensor, "1 c h w"]:
    """A synthetic photograph: shaded discs, edges and a fine texture, the same at every call."""
    generator = torch.Generator().manual_seed(7)
    rows, columns = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    x = 0.35 + 0.3 * rows.expand(channels, -1, -1).clone()
    for _ in range(8):
        centre, radius = torch.rand(2, generator=generator), 0.08 + 0.2 * float(torch.rand(1, generator=generator))
        colour = torch.rand(channels, 1, 1, generator=generator)
        inside = (rows - centre[0]).square() + (columns - centre[1]).square() < radius**2
        x = torch.where(inside, 0.15 + 0.7 * colour + 0.1 * columns, x)
    return (x + 0.02 * torch.sin(40 * (rows + 2 * columns)))[None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one method; called, it raises AssertionError where the method fails it."""

    name: str
    method: type[Method]
    case: Case
    function: Callable[[type[Method], Case], None]

    def __call__(self) -> None:
        self.function(self.method, self.case)

    def __str__(self) -> str:
        return f"{self.method.spec.name}-{self.name}"


def contract_checks(method: type[Method], case: Case | None = None) -> tuple[Check, ...]:
    """The checks for a method, one a rule of the contract.

    Args:
        method: the class.
        case: the problem on which it is tried; None takes the first of :data:`CASES` that it solves.

    Raises:
        CannotSolve: the method solves none of the operators that checks are made for.
    """
    cases = cases_for(method) if case is None else (case,)
    if not cases:
        raise CannotSolve(f"{method.spec.name} solves no operator that a check is made for: H, masks, blurs …")
    functions = (
        is_frozen_and_slotted,
        keeps_shape_dtype_and_input,
        agrees_in_float32_and_float64,
        repeats_itself,
        takes_a_batch_as_a_loop,
        takes_every_size,
        keeps_constants,
        refuses_what_it_does_not_solve,
        refuses_nan,
        refuses_parameters_out_of_range,
        tiles_equal_the_whole,
    )
    return tuple(Check(function.__name__, method, cases[0], function) for function in functions)


def run(method: type[Method], problem: Problem) -> Result:
    """The method with the parameters of its paper, as it is."""
    return configure(method, problem, {}).run(problem)


def is_frozen_and_slotted(method: type[Method], case: Case) -> None:
    """A method is a frozen dataclass with slots, of which the spec names a paper, a task and what it solves."""
    assert dataclasses.is_dataclass(method), "it must be a dataclass"
    assert "__slots__" in vars(method), "it must have slots"
    frozen = getattr(method, "__dataclass_params__").frozen  # noqa: B009 (a name type checkers do not know)
    assert frozen, "it must be frozen"
    assert method.spec.paper, "its spec must name a paper"
    assert method.spec.tasks, "its spec must name a task"


def keeps_shape_dtype_and_input(method: type[Method], case: Case) -> None:
    """x has the shape of the scene and the type of y, and y is left untouched."""
    for dtype in (torch.float16, torch.float32, torch.float64):
        x = _scene_for(case, 48, 40).double()
        problem = case.problem(x)
        problem = problem.with_y(problem.y.to(dtype))
        before = problem.y.clone()
        result = run(method, problem)
        assert (result.x.shape, result.x.dtype) == (x.shape, dtype), f"x is {result.x.dtype} {tuple(result.x.shape)}"
        assert torch.equal(problem.y, before), "it changed its input"


def agrees_in_float32_and_float64(method: type[Method], case: Case) -> None:
    """Single and double precision agree, to 2e-4 where the method is continuous."""
    problem = case.problem(_scene_for(case, 48, 40).double())
    single, double = run(method, problem.with_y(problem.y.float())).x.double(), run(method, problem).x
    if method.spec.continuous:
        assert torch.allclose(single, double, atol=2e-4)
    else:
        assert _psnr(single, double) > 55


def repeats_itself(method: type[Method], case: Case) -> None:
    """The same seed gives the same result."""
    problem = case.problem(_scene_for(case, 48, 40))
    assert torch.equal(restore(problem, method, seed=1).x, restore(problem, method, seed=1).x)


def takes_a_batch_as_a_loop(method: type[Method], case: Case) -> None:
    """A batch is restored as its images one by one."""
    x = _scene_for(case, 80, 48)
    problem = case.problem(torch.cat((x[:, :, :40], x[:, :, 40:])))
    configured = configure(method, problem, {})
    alone = torch.cat([configured.run(problem.with_y(y[None])).x for y in problem.y])
    assert torch.allclose(configured.run(problem).x, alone, atol=1e-4)


def takes_every_size(method: type[Method], case: Case) -> None:
    """Sides down to one pixel, and odd ones, behind the front door."""
    for height, width in SIZES:
        x = _scene_for(case, 32, 32)[:, :, :height, :width]
        result = restore(case.problem(x), method)
        assert result.x.shape == x.shape, f"{tuple(x.shape)} came back as {tuple(result.x.shape)}"
        assert bool(torch.isfinite(result.x).all()), f"not finite at {height}x{width}"


def keeps_constants(method: type[Method], case: Case) -> None:
    """A constant image stays constant, where the spec promises it."""
    if not method.spec.keeps_constants:
        return
    x = torch.full((1, 3 if case.colour_only else 1, 32, 40), 0.4)
    H = case.H((32, 40))
    assert torch.allclose(run(method, Problem(H(x), H, case.noise)).x, x, atol=2e-3)


def refuses_what_it_does_not_solve(method: type[Method], case: Case) -> None:
    """An operator that the spec leaves out is refused, in one line."""
    if method.spec.blind:
        return
    problem = Problem(scene(16, 16), UnknownBlur(9), Gaussian(0.1))
    refusal = _refusal(CannotSolve, lambda: method().run(problem))
    assert "\n" not in refusal, "a refusal is one line"


def refuses_nan(method: type[Method], case: Case) -> None:
    """NaN and infinity are refused by the front door."""
    problem = case.problem(_scene_for(case, 16, 16))
    for value in (math.nan, math.inf):
        y = problem.y.clone()
        y[0, 0, 3, 3] = value
        assert "NaN or infinite" in _refusal(InvalidInput, partial(restore, problem.with_y(y), method))


def refuses_parameters_out_of_range(method: type[Method], case: Case) -> None:
    """Every number declares its range, and what lies outside is refused by name."""
    problem = case.problem(_scene_for(case, 16, 16))
    for parameter in parameters_of(method):
        if {int, float} & set(members_of(parameter.type)):
            assert parameter.interval is not None, f"{parameter.name} declares no range"
            for value in _beyond(parameter):
                given = {parameter.name: value}
                refusal = _refusal(InvalidParameter, partial(configure, method, problem, given))
                assert parameter.name.rpartition(".")[2] in refusal, f"the refusal does not name {parameter.name}"


def tiles_equal_the_whole(method: type[Method], case: Case) -> None:
    """Restored in tiles, a local method gives what it gives at once."""
    problem = case.problem(_scene_for(case, 96, 120))
    if method.spec.reach(configure(method, problem, {})) is None or problem.H.reach is None:
        return
    whole = restore(problem, method)
    tiled = restore(problem, method, tile=min(48, problem.y.shape[-1] // 2))
    assert torch.allclose(tiled.x, whole.x, atol=1e-5)


def _beyond(parameter: Parameter) -> Iterator[float]:
    """Numbers just outside the range of a parameter."""
    interval = parameter.interval
    if interval is None:
        return
    yield from (interval.low - 1, math.inf, math.nan)
    if not interval.has_low:
        yield interval.low
    if interval.odd:
        yield interval.low + 1
    if math.isfinite(interval.high):
        yield interval.high + 1 if interval.has_high else interval.high


def _refusal(kind: type[RestoraError], call: Callable[[], object]) -> str:
    """The sentence with which a call is refused."""
    try:
        call()
    except kind as refusal:
        return str(refusal)
    raise AssertionError(f"nothing is refused with {kind.__name__}")


def _scene_for(case: Case, height: int, width: int) -> Float[Tensor, "1 c h w"]:
    return scene(height, width, 3 if case.colour_only else 1)


def _psnr(x: Tensor, reference: Tensor) -> float:
    return -10 * math.log10(max(float((x - reference).square().mean()), 1e-30))
