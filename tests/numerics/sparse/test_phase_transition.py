"""A few cells of the textbook picture: far below the border all signals come back, far above it none."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "phase_transition.py"


@pytest.mark.parametrize(("m", "few", "many"), [(50, 5, 40), (30, 2, 24)])
def test_few_non_zeros_are_found_by_counting_and_by_l1_but_not_by_l2(m, few, many):
    spec = importlib.util.spec_from_file_location("phase_transition_example", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.successes(m, [few, many], trials=10)
    assert min(float(found["omp"][0]), float(found["l1"][0])) >= 0.9
    assert max(float(found["omp"][1]), float(found["l1"][1])) <= 0.1
    assert float(found["l2"].max()) == 0
