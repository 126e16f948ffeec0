import json
import math

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from restora import catalog
from restora.cli.profile import meanings_of, profile_of


@pytest.fixture
def pair(tmp_path, levels):
    rng = np.random.default_rng(3)
    other = np.clip(levels + rng.integers(-9, 10, levels.shape), 0, 255).astype(np.uint8)
    a, b = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(levels).save(a)
    Image.fromarray(other).save(b)
    return a, b, levels, other


def test_compare_agrees_with_scikit_image(run, pair):
    a, b, x, y = pair
    figures = json.loads(run("compare", a, b, "--json").out)
    assert figures["psnr"] == pytest.approx(peak_signal_noise_ratio(x, y), rel=1e-5)
    assert figures["largest_difference"] == pytest.approx(np.abs(x.astype(int) - y).max(), rel=1e-5)
    assert {"ssim", "psnr_y", "ssim_y"} <= set(figures)


def test_compare_leaves_out_the_border(run, pair):
    a, b, x, y = pair
    inside = (slice(4, -4), slice(4, -4))
    figures = json.loads(run("compare", a, b, "--border", "4", "--json").out)
    assert figures["psnr"] == pytest.approx(peak_signal_noise_ratio(x[inside], y[inside]), rel=1e-5)


def test_a_picture_is_equal_to_itself_in_any_depth(run, pair, tmp_path):
    a, _, x, _ = pair
    gray = tmp_path / "8.png"
    Image.fromarray(x[..., 0]).save(gray)
    deep = tmp_path / "16.png"
    Image.fromarray(x[..., 0].astype(np.uint16) * 257).save(deep)
    assert math.isinf(json.loads(run("compare", a, a, "--json").out)["psnr"])
    assert json.loads(run("compare", gray, deep, "--json").out)["largest_difference"] < 1e-4


def test_pictures_of_different_sizes_are_not_compared(run, pair, tmp_path):
    Image.fromarray(pair[2][:10]).save(tmp_path / "c.png")
    ran = run("compare", pair[0], tmp_path / "c.png")
    assert ran.code == 2
    assert "32 x 24" in ran.complaint
    assert "32 x 10" in ran.complaint


def test_inspect_tells_what_the_file_holds(run, tmp_path, levels):
    path = tmp_path / "a.jpg"
    Image.fromarray(levels).save(path, quality=61, dpi=(150, 150))
    record = json.loads(run("inspect", path, "--json").out)
    assert record["format"] == "JPEG"
    assert record["size"] == [32, 24]
    assert record["samples"] == "uint8"
    assert record["jpeg_quality"] == 61
    assert record["dpi"] == [150, 150]
    assert record["alpha"] is False
    assert len(record["sentences"]) == 4


def test_inspect_for_a_person_and_for_many(run, photo, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"x")
    ran = run("inspect", photo, tmp_path / "bad.png")
    assert ran.code == 1
    assert "32 x 24" in ran.out
    assert "bad.png" in ran.complaint


def test_methods_lists_all_and_filters(run):
    rows = [json.loads(line) for line in run("methods", "--json").out.splitlines()]
    assert [row["name"] for row in rows] == list(catalog.names())
    few = [json.loads(line) for line in run("methods", "--task", "deblur", "--json").out.splitlines()]
    assert {row["name"] for row in few} == {e.name for e in catalog.entries(task="deblur")}
    assert len(run("methods", "--family", "filters").out.splitlines()) == len(catalog.entries(family="filters"))
    assert "did you mean deblur" in run("methods", "--task", "deblurr").complaint


def test_a_method_is_shown_with_its_parameters(run):
    out = run("methods", "nlm").out
    profile = profile_of(catalog.find("nlm"))
    assert profile.facts["doi"] in out
    for parameter in profile.parameters:
        assert f"{parameter.name}: {parameter.type} = {parameter.default}" in out
        assert parameter.meaning
    assert json.loads(run("methods", "nlm", "--json").out)["parameters"][0]["name"] == profile.parameters[0].name


def test_meanings_are_read_from_the_docstring():
    class Example:
        """An example.

        Args:
            one: the first,
                on two lines.
            two_more: the rest.

        Raises:
            ValueError: never.
        """

    assert meanings_of(Example.__doc__) == {"one": "the first, on two lines.", "two_more": "the rest."}


def test_bench_lists_its_suites(run):
    assert "denoise-gray" in run("bench").out.split()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("denoise-grey",), "did you mean denoise-gray"),
        (("denoise-gray", "--sigma", "a,b"), "numbers separated by commas"),
        (("denoise-gray", "--methods", "nml"), "did you mean nlm"),
        (("sr", "--scale", "2.5"), "whole numbers"),
    ],
)
def test_bench_refuses_what_is_not_there(run, words, sentence):
    ran = run("bench", *words)
    assert ran.code == 2
    assert sentence in ran.complaint


def test_bench_needs_data(run, monkeypatch):
    monkeypatch.delenv("RESTORA_DATA", raising=False)
    assert "RESTORA_DATA" in run("bench", "denoise-gray", "--methods", "gaussian").complaint


def test_bench_tells_rows_as_they_come(run, data_dir, tmp_path):
    words = ("--methods", "gaussian", "--sets", "Set12", "--sigma", "25", "--limit", "1", "--out", tmp_path / "r")
    ran = run("bench", "denoise-gray", *words, "--data", data_dir, "--json")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert {row["metric"] for row in rows} >= {"psnr"}
    assert {row["image"] for row in rows} >= {"mean"}
    assert run("report", tmp_path, "-o", tmp_path / "R.md").code == 0
    assert "gaussian" in (tmp_path / "R.md").read_text()


def test_report_without_results(run, tmp_path):
    ran = run("report", tmp_path)
    assert ran.code == 2
    assert "holds no results" in ran.complaint
