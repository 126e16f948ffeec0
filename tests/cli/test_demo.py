from dataclasses import replace

import numpy as np
import pytest

from restora.cli.demo import run as demo
from restora.cli.demo.cases import CASES, HEIGHT, WIDTH, photograph
from restora.core.errors import FileProblem


@pytest.fixture
def one_case(monkeypatch):
    case = replace(CASES[0], restore=("denoise", "--sigma", "25", "-m", "gaussian"))
    monkeypatch.setattr(demo, "CASES", (case,))


def test_every_photograph_is_in_the_wheel_and_large_enough(opened):
    for case in CASES:
        width, height = opened(photograph(case.photograph)).size
        assert case.corner[0] + WIDTH <= width
        assert case.corner[1] + HEIGHT <= height


def test_a_photograph_that_is_not_there():
    with pytest.raises(FileProblem, match="does not bring nothing"):
        photograph("nothing.png")


def test_the_demo_writes_before_after_truth_and_a_sheet(run, tmp_path, one_case, opened):
    ran = run("demo", "-o", tmp_path / "demo")
    assert ran.code == 0
    names = sorted(path.name for path in (tmp_path / "demo").iterdir())
    assert names == ["noise-1-degraded.png", "noise-2-restored.png", "noise-3-reference.png", "sheet.png"]
    assert "restora denoise" in ran.out
    assert str(tmp_path / "demo") in ran.out
    sheet = np.asarray(opened(tmp_path / "demo" / "sheet.png"))
    reference = np.asarray(opened(tmp_path / "demo" / "noise-3-reference.png"))
    assert any(
        (sheet[top : top + HEIGHT, -36 - WIDTH : -36] == reference).all() for top in range(sheet.shape[0] - HEIGHT)
    )


def test_the_demo_does_not_write_over_what_is_there(run, tmp_path, one_case):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "sheet.png").write_bytes(b"mine")
    assert "exists already" in run("demo", "-o", tmp_path / "demo").complaint
    assert (tmp_path / "demo" / "sheet.png").read_bytes() == b"mine"
