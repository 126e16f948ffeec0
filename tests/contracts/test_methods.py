"""What every row of the catalog must pass: the checks for any method, and what only ours are held to."""

import math
from contextlib import suppress

import pytest

from contracts.cases import FIRST, FIRST_IDS, PAIR_IDS, PAIRS, naive, weights_of
from restora import catalog
from restora.evaluation.contract import contract_checks
from restora.front.configure import configure
from restora.front.restore import restore
from restora.weights.store import shipped_folder

first_case = pytest.mark.parametrize(("entry", "case"), FIRST, ids=FIRST_IDS)
every_case = pytest.mark.parametrize(("entry", "case"), PAIRS, ids=PAIR_IDS)


def skip_unless_trained(entry, problem):
    """Skip what only a trained network can do, where random weights stand in for those of the method."""
    name = weights_of(configure(entry.load(), problem, {}))
    if name and not (shipped_folder() / f"{name}.safetensors").is_file():
        pytest.skip(f"its weights {name} are not shipped")


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_catalog_and_spec_say_the_same(entry):
    spec = entry.spec()
    assert (spec.name, spec.tasks) == (entry.name, entry.tasks)
    assert f".{entry.family}." in entry.target


@pytest.mark.parametrize(
    "check", [check for entry, case in FIRST for check in contract_checks(entry.load(), case)], ids=str
)
def test_contract(check):
    check()


@every_case
def test_it_restores_a_photograph(entry, case, camera, cat):
    side = 56 if entry.family == "plug_and_play" else 96  # these run a network dozens of times
    x = (cat if case.colour_only else camera)[:, :, :side, :side]
    problem = case.problem(x)
    result = restore(problem, entry.name)
    assert result.x.shape == x.shape
    assert entry.name in result.status.sentence
    skip_unless_trained(entry, problem)
    assert psnr(result.x, x) > psnr(naive(problem), x) + 0.2


@first_case
def test_colour_is_restored(entry, case, cat):
    problem = case.problem(cat)
    result = restore(problem, entry.name)
    assert result.x.shape == cat.shape
    assert all(part.shape == cat.shape for part in result.parts.values())
    skip_unless_trained(entry, problem)
    assert psnr(result.x, cat) > psnr(naive(problem), cat) + 0.2


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
