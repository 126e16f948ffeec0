import csv

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.errors import CannotSolve, InvalidParameter, MissingData, RestoraError, UnknownName
from restora.core.result import Result
from restora.evaluation import runner
from restora.evaluation.measurements import read_rows
from restora.evaluation.runner import default_folder, recorded, run_bench
from restora.evaluation.suites import Selection
from restora.numerics.imresize import imresize

HALVING = """
from dataclasses import dataclass
from typing import ClassVar
from restora.core.method import Method
from restora.core.result import Result
from restora.core.spec import Spec
from restora.operators.identity import Identity

@dataclass(frozen=True, slots=True)
class Halving(Method):
    spec: ClassVar[Spec] = Spec(
        name="halving", tasks=("denoise",), solves=(Identity,), colour="per-channel", paper="none"
    )

    def solve(self, problem, context):
        return Result(problem.y / 2)
"""


class Counting:
    """A restoration that returns y, counts what it was asked for on whole images, and may break at one of them."""

    def __init__(self, breaks_at=None, error=KeyboardInterrupt):
        self.calls = []
        self.breaks_at, self.error = breaks_at, error

    def __call__(self, problem, method):
        if problem.y.shape[-2:] == (24, 30):
            self.calls.append(method)
            if len(self.calls) == self.breaks_at:
                raise self.error("broken")
        return Result(problem.y.clone())


@pytest.fixture
def bench(small_data, tmp_path, monkeypatch):
    """Runs Set12 at σ = 25 on small pictures, with a warm-up that is told apart by its size."""
    monkeypatch.setattr("restora.evaluation.runner.WARM_UP_SIDE", 16)

    def run(restore, **options):
        given = {
            "methods": ["gaussian"],
            "sets": ["Set12"],
            "sigmas": [25],
            "data": small_data,
            "out": tmp_path / "out",
        }
        return list(run_bench("denoise-gray", restore=restore, **{**given, **options}))

    return run


def test_there_is_a_row_a_metric_of_each_image_and_of_the_mean(bench, tmp_path):
    rows = bench(Counting())
    assert [(row.image, row.metric) for row in rows[:3]] == [("01", "psnr"), ("01", "ssim"), ("02", "psnr")]
    assert [(row.image, row.metric) for row in rows[-2:]] == [("mean", "psnr"), ("mean", "ssim")]
    assert len(rows) == 2 * 13
    assert list(read_rows(tmp_path / "out/measurements.csv")) == rows
    of_images = [row.value for row in rows[:-2] if row.metric == "psnr"]
    assert rows[-2].value == pytest.approx(np.mean(of_images), abs=1e-4)


def test_ours_stands_beside_the_published_value(bench):
    rows = bench(Counting())
    first, mean = rows[0], rows[-2]
    assert first.published == 25.46
    assert mean.published == 26.57
    assert mean.difference == pytest.approx(mean.value - 26.57, abs=1e-4)
    assert rows[1].published is None
    assert rows[1].difference is None


def test_a_limited_mean_is_compared_with_the_same_images(bench):
    rows = bench(Counting(), limit=2)
    assert [row.image for row in rows if row.metric == "psnr"] == ["01", "02", "mean"]
    assert rows[-2].published == pytest.approx((25.46 + 27.98) / 2)


def test_the_file_has_the_columns_users_parse(bench, tmp_path):
    bench(Counting(), limit=1)
    with (tmp_path / "out/measurements.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["suite"] == "denoise-gray"
    assert row["protocol"] == "set12-gray-awgn-s25-noclip-seed0"
    assert row["set"] == "Set12"
    assert row["device"].startswith("cpu (")
    assert float(row["seconds"]) >= 0
    assert float(row["peak_mib"]) > 1
    assert row["date"].endswith("+00:00")


def test_an_interrupted_run_goes_on_where_it_was(bench):
    broken = Counting(breaks_at=4)
    with pytest.raises(KeyboardInterrupt):
        bench(broken)
    rest = Counting()
    rows = bench(rest)
    assert len(rest.calls) == 12 - 3
    assert len(rows) == 2 * 13
    again = Counting()
    assert bench(again) == rows
    assert again.calls == []


def test_what_other_code_measured_does_not_count(bench, monkeypatch):
    bench(Counting(), limit=2)
    monkeypatch.setattr(runner, "fingerprint", lambda entry, method: "another")
    again = Counting()
    rows = bench(again, limit=2)
    assert len(again.calls) == 2
    assert {row.code for row in rows} == {"another"}


def test_other_parameters_are_measured_beside_those_of_the_paper(bench):
    paper = bench(Counting(), limit=1, methods=["nlm"])
    ours = Counting()
    rows = bench(ours, limit=1, methods=["nlm"], parameters={"h_over_sigma": "0.123"})
    assert len(ours.calls) == 1
    assert {row.label for row in rows} == {"nlm (h_over_sigma=0.123)"}
    assert {row.published for row in rows} == {None}
    same = Counting()
    assert bench(same, limit=1, methods=["nlm"]) == paper
    assert same.calls == []
    with pytest.raises(UnknownName, match="parameter 'h'"):
        bench(Counting(), methods=["nlm"], parameters={"h": 1})
    with pytest.raises(InvalidParameter, match="one method"):
        bench(Counting(), methods=["nlm", "tv"], parameters={"h_over_sigma": 1})


def test_what_is_recorded_is_told_without_running_anything(bench, tmp_path):
    rows = bench(Counting(), limit=2)
    selection = Selection(("Set12",), (25,))
    assert list(recorded("denoise-gray", ["gaussian"], selection, tmp_path / "out")) == rows
    assert list(recorded("denoise-gray", ["nlm"], selection, tmp_path / "out")) == []
    assert list(recorded("denoise-gray", [], Selection(("BSD68",)), tmp_path / "out")) == []


def test_measurements_lie_in_the_users_cache_unless_a_folder_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder("deblur") == tmp_path / "restora/bench/deblur"


def test_a_folder_of_ones_own_is_measured_without_any_benchmark_data(tmp_path, monkeypatch):
    monkeypatch.delenv("RESTORA_DATA", raising=False)
    (tmp_path / "My Scans").mkdir()
    Image.fromarray(np.random.RandomState(0).randint(0, 256, (24, 30)).astype(np.uint8)).save(
        tmp_path / "My Scans/a.tif"
    )
    given = {"sigmas": [25], "out": tmp_path / "out", "restore": Counting()}
    rows = list(run_bench("denoise-gray", ["gaussian"], [str(tmp_path / "My Scans")], **given))
    (first,) = {row.protocol for row in rows if row.protocol.endswith("-gray-awgn-s25-noclip-seed0")}
    assert first.startswith("my_scans_")
    assert {row.image for row in rows} == {"a.tif", "mean"}


def test_a_class_of_somebody_else_is_measured(small_data, tmp_path, monkeypatch):
    (tmp_path / "elsewhere.py").write_text(HALVING)
    monkeypatch.syspath_prepend(str(tmp_path))
    given = {"data": small_data, "out": tmp_path / "out", "sets": ["Set12"], "sigmas": [25], "limit": 1}
    rows = list(run_bench("denoise-gray", ["elsewhere:Halving"], **given))
    assert {row.method for row in rows} == {"elsewhere:Halving"}
    clean = np.asarray(Image.open(small_data / "test/Set12/01.png"))
    noisy = clean + np.random.RandomState(0).normal(0, 25, clean.shape)
    error = np.clip(noisy / 2, 0, 255) - clean
    assert rows[0].value == pytest.approx(10 * np.log10(255**2 / np.mean(error**2)), abs=1e-3)


def test_an_image_whose_rows_were_torn_is_measured_again(bench, tmp_path):
    bench(Counting(), limit=2)
    path = tmp_path / "out/measurements.csv"
    text = path.read_text()
    path.write_text(text[: text.index(",02,ssim") + 5])
    rest = Counting()
    rows = bench(rest, limit=2)
    assert len(rest.calls) == 1
    assert len(rows) == 6


def test_a_complete_mean_survives_a_limited_run(bench, tmp_path):
    whole = bench(Counting())
    limited = bench(Counting(), limit=2)
    assert limited[-2:] == whole[-2:]
    before = (tmp_path / "out/measurements.csv").read_text()
    bench(Counting())
    assert (tmp_path / "out/measurements.csv").read_text() == before


def test_pictures_show_what_was_measured_and_what_came_out(bench, tmp_path, small_data):
    bench(lambda problem, method: Result(problem.y * 0 + 0.5), limit=1)
    folder = tmp_path / "out/pictures"
    protocol = "set12-gray-awgn-s25-noclip-seed0"
    restored = np.asarray(Image.open(folder / "gaussian" / protocol / "01.png"))
    assert np.unique(restored).tolist() == [128]
    clean = np.asarray(Image.open(small_data / "test/Set12/01.png"))
    noisy = clean + np.random.RandomState(0).normal(0, 25, clean.shape)
    degraded = np.asarray(Image.open(folder / "degraded" / protocol / "01.png"))
    np.testing.assert_allclose(degraded, noisy.clip(0, 255), atol=0.51)


def test_every_method_is_warmed_up_on_a_corner_before_its_first_image(bench):
    sizes = []

    def restore(problem, method):
        sizes.append(tuple(problem.y.shape[-2:]))
        return Result(problem.y)

    bench(restore, limit=2)
    assert sizes == [(16, 16), (24, 30), (24, 30)]


def test_a_method_that_gives_up_is_skipped_with_a_sentence(bench):
    notes = []
    rows = bench(
        lambda problem, method: Counting()(problem, method) if method == "gaussian" else _refuse(),
        methods=["nlm", "gaussian"],
        limit=2,
        progress=lambda done, total, note="": notes.append((done, total, note)),
    )
    assert {row.method for row in rows} == {"gaussian"}
    assert (2, 4, "nlm skipped on set12-gray-awgn-s25-noclip-seed0: not today") in notes
    assert notes[-1][:2] == (4, 4)


def _refuse():
    raise RestoraError("not today")


def test_methods_that_do_not_solve_the_operator_are_skipped_or_refused(bench):
    notes = []
    bench(
        Counting(),
        methods=["gaussian", "bicubic"],
        limit=1,
        progress=lambda done, total, note="": notes.append(note),
    )
    assert any("bicubic skipped" in note and "not Identity" in note for note in notes)
    with pytest.raises(CannotSolve, match="bicubic"):
        bench(Counting(), methods=["bicubic"])


def test_super_resolution_is_measured_inside_the_border(small_data, tmp_path):
    def enlarge(problem, method):
        return Result(imresize(problem.y, size=problem.size))

    rows = list(
        run_bench(
            "super-resolve", ["bicubic"], ["Set5"], scales=[3], limit=1, data=small_data, out=tmp_path, restore=enlarge
        )
    )
    assert {row.protocol for row in rows} == {
        "set5-x3-matlab-bicubic-y-shave3",
        "set5-x3-matlab-bicubic-8bit-rgb-shave3",
    }
    assert {row.metric for row in rows} == {"psnr", "ssim", "psnr-y", "ssim-y"}


def test_what_does_not_exist_is_refused_before_anything_runs(small_data, tmp_path):
    with pytest.raises(UnknownName, match="denoise-gray"):
        run_bench("denoise-grey", data=small_data, out=tmp_path / "out")
    with pytest.raises(UnknownName, match="method 'gausian'"):
        run_bench("denoise-gray", ["gausian"], data=small_data, out=tmp_path / "out")
    with pytest.raises(MissingData, match="BSD68"):
        run_bench("denoise-gray", ["gaussian"], data=small_data, out=tmp_path / "out")
    with pytest.raises(MissingData, match="nowhere"):
        run_bench("denoise-gray", ["gaussian"], data=tmp_path / "nowhere", out=tmp_path / "out")
    with pytest.raises(InvalidParameter, match="limit"):
        run_bench("denoise-gray", limit=0, data=small_data, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_data_folder_may_come_from_the_environment(small_data, tmp_path, monkeypatch):
    monkeypatch.delenv("RESTORA_DATA", raising=False)
    with pytest.raises(MissingData, match="RESTORA_DATA"):
        run_bench("denoise-gray", ["gaussian"], ["Set12"], out=tmp_path)
    monkeypatch.setenv("RESTORA_DATA", str(small_data))
    rows = run_bench("denoise-gray", ["gaussian"], ["Set12"], [25], limit=1, out=tmp_path, restore=Counting())
    assert next(rows).image == "01"


def test_a_gpu_that_is_not_there_is_refused(small_data, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InvalidParameter, match="CUDA"):
        run_bench("denoise-gray", ["gaussian"], ["Set12"], data=small_data, out=tmp_path, device="cuda")
