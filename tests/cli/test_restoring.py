import json

import numpy as np
import pytest
from PIL import Image

FIELDS = {
    "input": str,
    "output": str,
    "command": str,
    "method": str,
    "status": str,
    "sigma": float,
    "size": list,
    "stats": dict,
    "sentence": str,
    "seen": list,
    "seconds": float,
}


def mse(a, b):
    return float(((np.asarray(a, float) - np.asarray(b, float)) ** 2).mean())


@pytest.fixture
def scene():
    """A clean gray picture with a bright disk, 64 x 72."""
    rows, columns = np.mgrid[:64, :72]
    return (60 + columns + 80 * ((rows - 30) ** 2 + (columns - 40) ** 2 < 250)).astype(np.uint8)


@pytest.fixture
def clean(tmp_path, scene):
    path = tmp_path / "clean.png"
    Image.fromarray(scene).save(path)
    return path


def test_json_has_these_fields(run, photo):
    ran = run("denoise", photo, "--sigma", "8", "-m", "gaussian", "--json")
    record = json.loads(ran.out)
    assert {name: type(record[name]) for name in FIELDS} == FIELDS
    assert set(record) == set(FIELDS)
    assert record["method"] == "gaussian"
    assert record["sigma"] == 8
    assert record["size"] == [32, 24]
    assert ran.err == ""


def test_an_unknown_noise_level_is_found_and_told(run, clean, tmp_path, scene):
    run("degrade", clean, "--noise", "gaussian:20")
    record = json.loads(run("denoise", tmp_path / "clean.degraded.png", "-m", "gaussian", "--json").out)
    assert abs(record["sigma"] - 20) < 4
    assert record["seen"]


def test_auto_mends_noise(run, clean, tmp_path, scene, opened):
    run("degrade", clean, "--noise", "gaussian:20")
    noisy = tmp_path / "clean.degraded.png"
    ran = run(noisy, "-o", tmp_path / "out.png")
    assert ran.code == 0
    assert "seen" in ran.out
    assert mse(opened(tmp_path / "out.png"), scene) < 0.3 * mse(opened(noisy), scene)


@pytest.mark.parametrize("kernel", ["spec", "file"])
def test_deblur_with_a_known_kernel(run, clean, tmp_path, scene, kernel, opened):
    run("degrade", clean, "--blur", "motion:7:0", "--noise", "gaussian:1")
    blurred = tmp_path / "clean.degraded.png"
    np.save(tmp_path / "psf.npy", np.full((1, 7), 3.0))
    psf = "motion:7:0" if kernel == "spec" else tmp_path / "psf.npy"
    assert run("deblur", blurred, "--kernel", psf, "--sigma", "1", "-m", "wiener", "-o", tmp_path / "out.png").code == 0
    assert mse(opened(tmp_path / "out.png"), scene) < 0.6 * mse(opened(blurred), scene)


def test_upscale_gives_the_size_that_is_asked_for(run, clean, tmp_path, opened):
    assert run("upscale", clean, "--scale", "3", "-m", "bicubic").code == 0
    assert opened(tmp_path / "clean.restored.png").size == (216, 192)


def test_inpaint_with_a_mask_of_either_colour(run, clean, tmp_path, scene, opened):
    missing = np.zeros(scene.shape, bool)
    missing[20:24, 10:60] = True
    damaged = np.where(missing, 0, scene)
    Image.fromarray(damaged.astype(np.uint8)).save(tmp_path / "d.png")
    Image.fromarray(missing).save(tmp_path / "white.png")
    Image.fromarray((~missing).astype(np.uint8) * 255).save(tmp_path / "black.png")
    for colour in ("white", "black"):
        out = tmp_path / f"out-{colour}.png"
        words = ("--mask", tmp_path / f"{colour}.png", "--missing", colour, "-m", "harmonic", "-o", out)
        assert run("inpaint", tmp_path / "d.png", *words).code == 0
        filled = np.asarray(opened(out))
        assert (filled[~missing] == scene[~missing]).all()
        assert mse(filled[missing], scene[missing]) < 0.2 * mse(damaged[missing], scene[missing])


def test_inpaint_marks_in_the_picture_itself(run, tmp_path, levels, opened):
    marked = levels.copy()
    marked[8:11, 5:20] = (255, 0, 255)
    Image.fromarray(marked).save(tmp_path / "m.png")
    assert run("inpaint", tmp_path / "m.png", "--missing", "#ff00ff", "-m", "harmonic").code == 0
    filled = np.asarray(opened(tmp_path / "m.restored.png")).astype(int)
    hole = (marked == (255, 0, 255)).all(-1)
    assert (filled[~hole] == levels[~hole]).all()
    assert abs(filled[hole] - levels[hole]).mean() < 25


def test_a_parameter_reaches_the_method(run, photo, tmp_path, opened):
    common = ("denoise", photo, "--sigma", "20", "-m", "nlm")
    assert run(*common, "-p", "window=1", "-o", tmp_path / "a.png").code == 0  # nothing to average with
    assert run(*common, "-p", "window=21", "-o", tmp_path / "b.png").code == 0
    before = np.asarray(opened(photo))
    assert (np.asarray(opened(tmp_path / "a.png")) == before).all()
    assert (np.asarray(opened(tmp_path / "b.png")) != before).any()
