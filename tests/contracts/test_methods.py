"""What every row of the catalog must pass."""

import dataclasses
import math
from contextlib import suppress

import pytest
import torch

from contracts.cases import FIRST, FIRST_IDS, PAIR_IDS, PAIRS, cases_of, weights_of
from restora import catalog
from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter
from restora.core.parameters import members_of, parameters_of
from restora.core.problem import Problem
from restora.core.result import Result
from restora.front.configure import configure
from restora.front.restore import restore
from restora.operators.unknown import UnknownBlur
from restora.weights.store import shipped_folder

first_case = pytest.mark.parametrize(("entry", "case"), FIRST, ids=FIRST_IDS)
every_case = pytest.mark.parametrize(("entry", "case"), PAIRS, ids=PAIR_IDS)


def run(entry, problem, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return configure(entry.load(), problem, {}).run(problem, generator=generator)


def skip_unless_trained(entry, problem):
    """Skip what only a trained network can do, where random weights stand in for those of the method."""
    name = weights_of(configure(entry.load(), problem, {}))
    if name and not (shipped_folder() / f"{name}.safetensors").is_file():
        pytest.skip(f"its weights {name} are not shipped")


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_catalog_and_spec_say_the_same(entry):
    spec, method = entry.spec(), entry.load()
    assert (spec.name, spec.tasks) == (entry.name, entry.tasks)
    assert f".{entry.family}." in entry.target
    assert spec.paper
    assert spec.solves
    assert dataclasses.is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert "__slots__" in vars(method)


@every_case
def test_it_restores_a_photograph(entry, case, camera, cat):
    side = 56 if entry.family == "plug_and_play" else 96  # these run a network dozens of times
    x = (cat if case.colour_only else camera)[:, :, :side, :side]
    problem = case.problem(x)
    result = restore(problem, entry.name)
    assert result.x.shape == x.shape
    assert entry.name in result.status.sentence
    skip_unless_trained(entry, problem)
    assert psnr(result.x, x) > psnr(case.naive(problem), x) + 0.2


@first_case
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_dtype_device_and_input_are_kept(entry, case, dtype, camera):
    x = camera[:, :, :48, :40].to(dtype)
    problem = case.problem(x)
    before = problem.y.clone()
    result = run(entry, problem)
    assert isinstance(result, Result)
    assert (result.x.shape, result.x.dtype, result.x.device) == (x.shape, dtype, x.device)
    assert torch.equal(problem.y, before)


@first_case
def test_float32_agrees_with_float64(entry, case, camera):
    problem = case.problem(camera[:, :, :48, :40].double())
    single = run(entry, Problem(problem.y.float(), problem.H, problem.noise))
    double = run(entry, problem)
    if entry.spec().continuous:
        assert torch.allclose(single.x.double(), double.x, atol=2e-4)
    else:
        assert psnr(single.x.double(), double.x) > 55


@first_case
def test_the_same_seed_gives_the_same_result(entry, case, camera):
    problem = case.problem(camera[:, :, :48, :40])
    assert torch.equal(restore(problem, entry.name, seed=1).x, restore(problem, entry.name, seed=1).x)


@first_case
def test_a_batch_is_a_loop(entry, case, camera):
    x = torch.cat([camera[:, :, :40, :48], camera[:, :, 60:100, 50:98]])
    problem = case.problem(x)
    alone = torch.cat([run(entry, problem.with_y(y[None])).x for y in problem.y])
    assert torch.allclose(run(entry, problem).x, alone, atol=1e-4)


@first_case
def test_colour_is_restored(entry, case, cat):
    problem = case.problem(cat)
    result = restore(problem, entry.name)
    assert result.x.shape == cat.shape
    skip_unless_trained(entry, problem)
    assert psnr(result.x, cat) > psnr(case.naive(problem), cat) + 0.2


@first_case
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 1), (3, 4), (17, 23)], ids=str)
def test_every_size_is_taken(entry, case, size, camera):
    x = camera[:, :, 20 : 20 + size[0], 30 : 30 + size[1]]
    problem = case.problem(x)
    result = restore(problem, entry.name)
    assert result.x.shape == x.shape
    assert bool(torch.isfinite(result.x).all())


@first_case
def test_a_constant_image_stays_constant(entry, case):
    if not entry.spec().keeps_constants:
        pytest.skip("it does not promise to")
    x = torch.full((1, 1, 32, 40), 0.4)
    H = case.H((32, 40))
    problem = Problem(H(x), H, case.noise)
    assert torch.allclose(run(entry, problem).x, x, atol=2e-3)


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_an_operator_it_does_not_solve_is_refused(entry, camera):
    if entry.spec().blind:
        pytest.skip("a blind method takes an unknown operator")
    problem = Problem(camera[:, :, :16, :16], UnknownBlur(9), FIRST[0][1].noise)
    with pytest.raises(CannotSolve) as refused:
        run(entry, problem)
    assert "\n" not in str(refused.value)


@first_case
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_and_infinity_are_refused(entry, case, value, camera):
    problem = case.problem(camera[:, :, :16, :16])
    y = problem.y.clone()
    y[0, 0, 3, 3] = value
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        restore(problem.with_y(y), entry.name)


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_parameters_out_of_range_are_refused(entry, camera):
    method = entry.load()
    problem = cases_of(entry)[0].problem(camera[:, :, :16, :16])
    for parameter in parameters_of(method):
        if not {int, float} & set(members_of(parameter.type)):
            continue
        interval = parameter.interval
        assert interval is not None, f"{parameter.name} declares no range"
        beyond = [interval.low - 1, math.inf, math.nan]
        beyond += [interval.low] * (not interval.has_low) + [interval.high] * (not interval.has_high)
        beyond += [interval.high + 1] * math.isfinite(interval.high) + [interval.low + 1] * interval.odd
        for value in beyond:
            with pytest.raises(InvalidParameter, match=parameter.name.rpartition(".")[2]):
                configure(method, problem, {parameter.name: value})


@first_case
def test_tiles_equal_the_whole(entry, case, camera):
    if entry.spec().halo is None:
        pytest.skip("it looks at the whole image")
    problem = case.problem(camera)
    whole = restore(problem, entry.name)
    tiled = restore(problem, entry.name, tile=min(48, problem.y.shape[-1] // 2))
    assert "tiles" in tiled.status.sentence
    assert torch.allclose(tiled.x, whole.x, atol=1e-5)


@first_case
def test_progress_ends_at_its_total(entry, case, camera):
    seen = []

    def progress(done, total, note=""):
        seen.append((done, total))

    restore(case.problem(camera[:, :, :48, :40]), entry.name, progress=progress)
    assert all(0 <= done <= total for done, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@first_case
def test_a_raise_inside_progress_stops_it(entry, case, camera):
    calls, finished = [], False

    def progress(done, total, note=""):
        calls.append(done)
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        restore(case.problem(camera), entry.name, progress=progress, tile=None if entry.spec().halo is None else 32)
        finished = True
    assert len(calls) == (0 if finished else 1)
