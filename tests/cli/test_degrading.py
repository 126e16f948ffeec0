import json

import numpy as np
import pytest
import tifffile
from PIL import Image


@pytest.fixture
def flat(tmp_path):
    path = tmp_path / "flat.png"
    Image.fromarray(np.full((64, 64), 128, np.uint8)).save(path)
    return path


def test_noise_has_the_level_that_is_asked_for_and_the_seed_fixes_it(run, flat, tmp_path, opened):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("degrade", flat, "--noise", "gaussian:10", "--seed", seed, "-o", tmp_path / f"{name}.png")
    a, b, c = (np.asarray(opened(tmp_path / f"{name}.png")).astype(float) for name in "abc")
    assert abs(a.std() - 10) < 0.6
    assert (a == b).all()
    assert (a != c).any()


def test_the_steps_come_in_the_order_of_the_equation(run, photo, opened):
    ran = run(
        *("degrade", photo, "--jpeg", "60", "--mask", "random:0.5", "--noise", "gaussian:5", "--scale", "2"),
        *("--blur", "gaussian:1", "--json"),
    )
    steps = json.loads(ran.out)["steps"]
    assert [step.split()[0] for step in steps] == ["blurred", "reduced", "noise", "holes", "JPEG"]
    assert opened(photo.with_name("photo.degraded.png")).size == (16, 12)


def test_holes_are_black_and_their_mask_lies_beside(run, flat, tmp_path, opened):
    run("degrade", flat, "--mask", "random:0.75")
    holes = np.asarray(opened(tmp_path / "flat.degraded.mask.png"))
    degraded = np.asarray(opened(tmp_path / "flat.degraded.png"))
    assert set(np.unique(holes)) == {0, 255}
    assert (holes == 255).mean() == 0.25
    assert (degraded[holes == 255] == 0).all()
    assert (degraded[holes == 0] == 128).all()


def test_a_jpeg_is_degraded_into_a_png(run, tmp_path, levels, opened):
    Image.fromarray(levels).save(tmp_path / "a.jpg")
    run("degrade", tmp_path / "a.jpg", "--noise", "gaussian:5")
    assert opened(tmp_path / "a.degraded.png").format == "PNG"


def test_jpeg_into_a_jpeg_has_the_tables_of_that_quality(run, photo, tmp_path, levels, opened):
    run("degrade", photo, "--jpeg", "40", "-o", tmp_path / "out.jpg")
    Image.fromarray(levels).save(tmp_path / "pillow.jpg", quality=40)
    ours, theirs = opened(tmp_path / "out.jpg"), opened(tmp_path / "pillow.jpg")
    assert ours.quantization == theirs.quantization
    # encoded twice with the same tables: all but the same picture
    assert np.abs(np.asarray(ours).astype(int) - np.asarray(theirs)).mean() < 1


def test_float_is_neither_clipped_nor_rounded(run, tmp_path):
    path = tmp_path / "white.png"
    Image.fromarray(np.full((64, 64), 255, np.uint8)).save(path)
    run("degrade", path, "--noise", "gaussian:10", "--float")
    y = tifffile.imread(tmp_path / "white.degraded.tif")
    assert y.dtype == np.float32
    assert y.max() > 1.05
    assert abs(y.mean() - 1) < 0.005


def test_nothing_to_do_is_refused(run, photo):
    ran = run("degrade", photo)
    assert ran.code == 2
    assert "nothing is to be done" in ran.complaint
