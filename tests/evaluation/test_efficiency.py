import csv
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from restora.cli.app import app
from restora.cli.measuring import print_challenge
from restora.cli.reporter import Reporter
from restora.core.errors import CannotSolve, InvalidParameter, MissingData, UnknownName
from restora.core.result import Result
from restora.degradations.degradation import Degradation
from restora.evaluation.complexity import Complexity, complexity
from restora.evaluation.degradations import Simulated
from restora.evaluation.efficiency import (
    CHALLENGES,
    COLUMNS,
    SHARES,
    Candidate,
    Line,
    baseline_of,
    candidates_of,
    counted,
    esr_score,
    lines_of,
    measure,
    protocols_of,
    references,
    table,
    write_table,
)
from restora.evaluation.measurements import Row
from restora.evaluation.runner import run_bench
from restora.nets.srresnet import SRResNet

CPU = torch.device("cpu")
BASE = Line("base", "Set5", 5, 28.0, 0.8, 0.01, 100.0, Complexity(1000, 2_000_000, 300))


@pytest.fixture(scope="module")
def tiny():
    """A super-resolving network that takes no time."""
    return SRResNet(scale=4, width=4, blocks=1).eval().requires_grad_(False)


def enlarged(network):
    return lambda problem: Result(network(problem.y))


def test_the_score_by_hand():
    slow = replace(BASE, method="slow", seconds=0.02, complexity=Complexity(500, 1_000_000, 300))
    assert esr_score(BASE, BASE, SHARES["2025"]) == pytest.approx(math.e**2)
    assert esr_score(slow, BASE, SHARES["2025"]) == pytest.approx(0.7 * math.e**4 + 0.3 * math.e)
    assert esr_score(slow, BASE, SHARES["2026"]) == pytest.approx(0.8 * math.e**4 + 0.2 * math.e)
    assert esr_score(replace(BASE, complexity=None), BASE, SHARES["2025"]) is None


def test_a_network_of_2026_by_hand():
    # SPANV2 against SPAN, published figures: 0.8 exp(2·5.24/7.74) + 0.1 exp(2·1.59/9.83) + 0.1 exp(2·0.139/0.151).
    span = replace(BASE, seconds=7.74e-3, complexity=Complexity(151_000, 9_830_000_000, 0))
    second = replace(BASE, seconds=5.24e-3, complexity=Complexity(139_000, 1_590_000_000, 0))
    assert esr_score(second, span, SHARES["2026"]) == pytest.approx(3.8668, abs=1e-3)


def test_the_best_score_stands_first_and_what_has_none_last():
    fast = replace(BASE, method="fast", seconds=0.005, psnr=27.0)
    plain = replace(BASE, method="bicubic", complexity=None, psnr=26.0, peak_mib=None)
    other = replace(BASE, set="Set14", method="fast")
    lines = [dict(zip(COLUMNS, line)) for line in table([plain, BASE, fast, other], "base")]
    assert [(line["set"], line["method"]) for line in lines] == [
        ("Set5", "fast"),
        ("Set5", "base"),
        ("Set5", "bicubic"),
        ("Set14", "fast"),
    ]
    assert lines[1] == {
        "set": "Set5",
        "method": "base",
        "images": "5",
        "psnr": "28.00",
        "ssim": "0.8000",
        "parameters_m": "0.001",
        "macs_g": "0.00",
        "activations_m": "0.00",
        "milliseconds": "10.00",
        "peak_mib": "100",
        "score_2025": "7.389",
        "score_2026": "7.389",
    }
    assert [lines[2][c] for c in ("parameters_m", "macs_g", "activations_m", "peak_mib", "score_2026")] == [""] * 5
    assert lines[3]["score_2026"] == ""  # its baseline did not take part on that set
    assert [line[1] for line in table([plain, fast, BASE], None)] == ["base", "fast", "bicubic"]


def test_candidates_are_measured_as_by_hand(small_data, tiny):
    (protocol,) = protocols_of("ntire-esr", ["Set5"])
    nearest = Candidate("nearest", lambda p: Result(p.y.repeat_interleave(4, 2).repeat_interleave(4, 3)))
    network = counted(Candidate("tiny", enlarged(tiny)), protocol)
    first, second = measure(protocol, [nearest, network], small_data, CPU, limit=1)
    assert (first.complexity, second.complexity) == (None, complexity(tiny, (3, 256, 256)))
    assert (first.method, first.set, first.images, second.images) == ("nearest", "Set5", 1, 1)
    case = protocol.case(small_data, "baby")
    small = case.problem.y[0].double().numpy()
    assert case.reference.shape == (1, 3, 44, 40)
    assert small.shape == (3, 11, 10)
    assert np.abs(small * 255 - np.round(small * 255)).max() < 1e-4  # an 8-bit file
    error = np.round(np.kron(small, np.ones((1, 4, 4))) * 255) / 255 - case.reference[0].numpy()
    assert first.psnr == pytest.approx(-10 * np.log10(np.mean(error[:, 4:-4, 4:-4] ** 2)), abs=1e-6)
    assert first.seconds > 0


def test_the_noisy_pictures_have_eight_bits():
    by_name = {protocol.images.name: protocol for protocol in protocols_of("ntire-denoise50")}
    assert set(by_name) == {"CBSD68", "Kodak24"}
    noisy = Simulated(Degradation.read({"noise": "numpy:50", "multiple": 8}))
    assert all(
        (p.measurement, p.estimate, p.degradation, p.space) == ("rounded", "rounded", noisy, "rgb")
        for p in by_name.values()
    )


def test_a_folder_of_ones_own_is_a_set(tmp_path, tiny):
    folder = tmp_path / "DIV2K_LSDIR_valid_HR"
    folder.mkdir()
    levels = np.random.RandomState(0).randint(0, 256, (41, 50, 3)).astype(np.uint8)
    Image.fromarray(levels).save(folder / "0801.png")
    (protocol,) = protocols_of("ntire-esr", [str(folder)])
    assert re.fullmatch("div2k_lsdir_valid_hr_[0-9a-f]{8}-ntire-esr-x4-rgb-shave4", protocol.id)
    assert (protocol.degradation, protocol.border) == (Simulated(Degradation(scale=4)), 4)
    (entry,) = measure(protocol, [Candidate("tiny", enlarged(tiny))], tmp_path, CPU)
    assert (entry.set, entry.images) == (protocol.images.name, 1)
    assert [p.images.name for p in protocols_of("ntire-esr", ["Set5", str(folder)])] == ["Set5", protocol.images.name]
    with pytest.raises(MissingData, match="holds no pictures"):
        protocols_of("ntire-esr", [str(tmp_path)])


def test_unknown_challenges_and_methods_are_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="ntire-esr"):
        protocols_of("ntire-sr")
    with pytest.raises(UnknownName, match="did you mean bicubic"):
        candidates_of(["bicubik"])


def test_the_baseline_has_a_network():
    found = {"bicubic": None, "a": BASE.complexity, "b": BASE.complexity}
    assert (baseline_of(found), baseline_of(found, "b"), baseline_of({"bicubic": None})) == ("a", "b", None)
    with pytest.raises(InvalidParameter, match="bicubic cannot be the baseline"):
        baseline_of(found, "bicubic")
    with pytest.raises(UnknownName):
        baseline_of(found, "c")


def test_what_bench_measured_becomes_the_same_lines():
    row = Row("ntire-esr", "m", "p", "Set5", "baby", "psnr", 30.0, None, None, 2.0, 50.0, "cpu (X)", "0.1.0", "d")
    rows = [
        row,
        replace(row, metric="ssim", value=0.9),
        replace(row, image="bird", value=32.0),
        replace(row, image="bird", metric="ssim", value=0.7),
        replace(row, image="mean", value=31.0),
        replace(row, image="mean", metric="ssim", value=0.8),
    ]
    assert list(lines_of(rows, {"m": BASE.complexity})) == [Line("m", "Set5", 2, 31.0, 0.8, 2.0, 50.0, BASE.complexity)]


def test_the_published_baselines_fit_the_table(tmp_path):
    assert [line[5:9] for line in references()] == [
        ("0.317", "19.67", "", "13.54"),
        ("0.276", "16.70", "", "16.69"),
        ("0.151", "9.83", "", "7.74"),
    ]
    write_table(tmp_path / "new" / "x.csv", references(), CPU)
    with (tmp_path / "new" / "x.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["psnr"] for row in rows] == ["26.96", "26.93", "26.94"]
    assert rows[0]["device"].startswith("cpu (")


@pytest.fixture
def run(capsys):
    def call(*words):
        parsed = app(args=["challenge", *map(str, words)], standalone_mode=False)
        assert parsed.run() == 0
        return capsys.readouterr().out

    return call


def test_the_command(run, small_data, tmp_path):
    assert run().split() == list(CHALLENGES)
    out = tmp_path / "esr.csv"
    given = ["ntire-esr", "-m", "bicubic", "--sets", "set5", "--limit", "2", "--data", small_data]
    told = run(*given, "-o", out)
    shown = [c for c in COLUMNS if c != "activations_m" and not c.startswith("score")]  # the others are empty
    assert told.splitlines()[0].split() == shown
    assert told.splitlines()[1].split()[:3] == ["Set5", "bicubic", "2"]
    assert "SPAN (NTIRE 2026)" in told
    assert out.read_text(encoding="utf-8").startswith("set,method,images,psnr")
    lines = run(*given, "-o", out, "--json").splitlines()
    assert json.loads(lines[0])["method"] == "bicubic"
    assert json.loads(lines[0])["macs_g"] is None


def test_the_rows_of_bench_are_told_as_a_table(small_data, capsys):
    rows = list(run_bench("ntire-esr", ["bicubic"], sets=["Set5"], limit=1, data=small_data, out=small_data / "out"))
    print_challenge(Reporter(json=True), "ntire-esr", rows, (), "cpu")
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    psnr = next(row.value for row in rows if row.image == "mean" and row.metric == "psnr")
    assert (told[0]["method"], told[0]["images"], told[0]["psnr"]) == ("bicubic", 1, round(psnr, 2))
    assert told[1]["method"] == "RLFN (NTIRE 2024, RTX 3090)"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], InvalidParameter),  # nothing is named
        (["-m", "bicubic", "--baseline", "srresnet"], UnknownName),
        (["-m", "bicubic", "--baseline", "bicubic"], InvalidParameter),
        (["-m", "nlm"], CannotSolve),
    ],
)
def test_the_command_refuses(run, small_data, words, error):
    with pytest.raises(error):
        run("ntire-esr", "--data", small_data, *words)
