from dataclasses import replace

import pytest

from restora.core.errors import FileProblem, MissingData
from restora.evaluation.measurements import Measurements, Row
from restora.evaluation.report import write_report

PROTOCOL = "set12-gray-awgn-s25-noclip-seed0"
NLM = Row(
    "denoise-gray", "nlm", PROTOCOL, "Set12", "mean", "psnr", 28.70, 28.85, -0.15, 1.5, 200.0, "cpu (X)", "0.1.0", "d"
)


def _report(tmp_path, *rows, suite="denoise-gray"):
    """The report of means over whole sets: each row of a mean comes with rows of all its images."""
    images = [replace(r, image=f"{k:02d}", published=None) for r in rows if r.image == "mean" for k in range(12)]
    Measurements(tmp_path / "results" / suite / "measurements.csv").append([*images, *rows])
    write_report(tmp_path / "results", tmp_path / "RESULTS.md")
    return (tmp_path / "RESULTS.md").read_text()


def _line(text, method):
    (found,) = [line for line in text.splitlines() if line.startswith(f"| **{method}**")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_a_missed_bar_is_seen_at_the_top_and_in_its_table(tmp_path):
    text = _report(tmp_path, NLM)
    assert "0 of 1 bars are met." in text
    assert f"| 0.150 | nlm | `{PROTOCOL}` | psnr |" in text
    assert _line(text, "nlm")[:7] == ["**nlm**", "28.700", "28.850", "-0.150", "**missed**", "measured", "1.5"]


def test_a_bar_within_tolerance_is_met(tmp_path):
    text = _report(tmp_path, replace(NLM, value=28.81, difference=-0.04))
    assert "1 of 1 bars are met." in text
    assert _line(text, "nlm")[4] == "met"


def test_numbers_from_memory_are_no_bars(tmp_path):
    text = _report(tmp_path, replace(NLM, method="restormer", value=20.0, published=31.08, difference=-11.08))
    assert "0 of 0 bars are met." in text
    assert _line(text, "restormer")[4:6] == ["", "unverified"]


def test_ours_and_the_literature_stand_in_one_table_best_first(tmp_path):
    text = _report(tmp_path, NLM, replace(NLM, method="new", value=40.0, published=None, difference=None))
    table = text[text.index(f"### `{PROTOCOL}`, psnr") :]
    methods = [line.split("|")[1].strip(" *") for line in table.splitlines() if line.startswith("| ")][2:]
    assert methods[0] == "new"
    assert methods.index("scunet") < methods.index("bm3d") < methods.index("nlm") < methods.index("gaussian")
    assert methods.count("nlm") == 1


def test_single_images_are_told_where_only_they_are_published(tmp_path):
    scenario = "deblur4-gray-scenario1-noclip-matlabv4"
    mean = replace(
        NLM, suite="deblur", method="tv", protocol=scenario, metric="isnr", value=7.0, published=None, difference=None
    )
    image = replace(mean, image="cameraman256", value=7.0, published=7.33, difference=-0.33)
    text = _report(tmp_path, mean, image, replace(mean, image="lena512"), suite="deblur")
    assert _line(text, "tv, cameraman256")[1:6] == ["7.000", "7.330", "-0.330", "**missed**", "measured"]
    assert "lena512" not in text
    assert "| 0.330 | tv, cameraman256 |" in text


def test_of_a_cell_measured_twice_the_later_is_told(tmp_path):
    text = _report(tmp_path, NLM, replace(NLM, value=29.0, difference=0.15))
    assert "1 of 1 bars are met." in text
    assert "28.700" not in text


def test_a_mean_over_a_part_of_the_set_says_so(tmp_path):
    Measurements(tmp_path / "results/denoise-gray/measurements.csv").append([replace(NLM, image="01"), NLM])
    write_report(tmp_path / "results", tmp_path / "RESULTS.md")
    assert "| **nlm (1 of 12 images)** | 28.700 |" in (tmp_path / "RESULTS.md").read_text()


def test_other_csv_files_become_tables(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/speed-nlm.csv").write_text("peer,seconds\nopencv,0.1\n")
    (tmp_path / "results/noise-estimation.csv").write_text("sigma,error\n")
    write_report(tmp_path / "results", tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text()
    assert "## speed-nlm\n\n| peer | seconds |\n| --- | --- |\n| opencv | 0.1 |\n" in text
    assert text.index("## noise-estimation") < text.index("## speed-nlm")


def test_no_results_make_no_report(tmp_path):
    with pytest.raises(MissingData, match="restora bench"):
        write_report(tmp_path, tmp_path / "RESULTS.md")
    assert not (tmp_path / "RESULTS.md").exists()


def test_a_report_that_cannot_be_written_is_said(tmp_path):
    Measurements(tmp_path / "results/denoise-gray/measurements.csv").append([NLM])
    with pytest.raises(FileProblem, match="cannot write"):
        write_report(tmp_path / "results", tmp_path / "absent" / "RESULTS.md")
