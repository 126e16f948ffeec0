import json

import numpy as np
import pytest
from PIL import Image

GAUSSIAN = ("--sigma", "8", "-m", "gaussian")


@pytest.fixture
def holidays(tmp_path, photo):
    """Good pictures in a tree, with bad ones, others and hidden ones among them."""
    content = photo.read_bytes()
    photo.unlink()
    root = tmp_path / "holidays"
    for place in ("", "beach", "beach/night"):
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / "a.png").write_bytes(content)
    (root / "empty.png").write_bytes(b"")
    (root / "beach" / "words.jpg").write_bytes(b"no picture")
    (root / "desktop.ini").write_bytes(b"[x]")
    (root / ".hidden.png").write_bytes(content)
    (root / ".thumbs").mkdir()
    (root / ".thumbs" / "a.png").write_bytes(content)
    return root


def test_the_good_are_done_the_bad_are_listed_and_the_code_is_1(run, holidays, tmp_path):
    out = tmp_path / "out"
    ran = run("denoise", "-r", holidays, *GAUSSIAN, "-o", out)
    assert ran.code == 1
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()) == [
        "a.png",
        "beach/a.png",
        "beach/night/a.png",
    ]
    assert "3 done, 2 failed, 1 other files left out" in ran.out
    complaints = ran.err.splitlines()
    assert len(complaints) == 2
    assert "words.jpg" in ran.err
    assert "empty.png" in ran.err


def test_without_r_only_the_folder_itself(run, holidays, tmp_path):
    run("denoise", holidays, *GAUSSIAN, "-o", tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.png"]


def test_beside_their_pictures_and_not_twice(run, holidays):
    (holidays / "empty.png").unlink()
    assert run("denoise", holidays, *GAUSSIAN).code == 0
    assert (holidays / "a.restored.png").is_file()
    again = run("denoise", holidays, *GAUSSIAN)
    assert again.code == 1
    assert "a.restored.png exists already" in again.complaint
    assert not (holidays / "a.restored.restored.png").exists()


def test_a_run_goes_on_with_skip_existing(run, holidays, tmp_path):
    (holidays / "empty.png").unlink()
    (holidays / "beach" / "words.jpg").unlink()
    out = tmp_path / "out"
    (out / "beach").mkdir(parents=True)
    (out / "beach" / "a.png").write_bytes(b"of the last run")
    ran = run("denoise", "-r", holidays, *GAUSSIAN, "-o", out, "--skip-existing")
    assert ran.code == 0
    assert "2 done, 1 skipped as they exist" in ran.out
    assert (out / "beach" / "a.png").read_bytes() == b"of the last run"


def test_the_folder_of_outputs_is_not_walked(run, holidays):
    (holidays / "empty.png").unlink()
    (holidays / "beach" / "words.jpg").unlink()
    for _ in range(2):
        ran = run("denoise", "-r", holidays, *GAUSSIAN, "-o", holidays / "out", "--overwrite")
        assert "3 done" in ran.out


def test_globs_and_files(run, holidays, tmp_path):
    ran = run("denoise", holidays / "**" / "n*" / "*.png", holidays / "a.png", *GAUSSIAN)
    assert ran.code == 0
    assert (holidays / "beach" / "night" / "a.restored.png").is_file()
    assert (holidays / "a.restored.png").is_file()


def test_json_is_one_object_a_line_with_the_bad_ones_too(run, holidays, tmp_path):
    ran = run("denoise", "-r", holidays, *GAUSSIAN, "-o", tmp_path / "out", "--json")
    records = [json.loads(line) for line in ran.out.splitlines()]
    assert len(records) == 5
    assert sum("error" in record for record in records) == 2
    assert {record["input"].rpartition("/")[2] for record in records if "error" in record} == {"empty.png", "words.jpg"}


def test_a_mistake_of_the_caller_stops_the_batch_at_once(run, holidays, tmp_path):
    ran = run("denoise", "-r", holidays, "-m", "nlm", "-p", "patch=0", "--sigma", "8", "-o", tmp_path / "out")
    assert ran.code == 2
    assert "patch = 0" in ran.err
    assert not (tmp_path / "out").exists()


def test_an_interrupted_batch_keeps_what_is_done(run, holidays, tmp_path, monkeypatch):
    from restora.front.plan import Plan

    calls = []

    def once(plan, progress=None):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return carry_out(plan, progress)

    carry_out = Plan.run
    monkeypatch.setattr(Plan, "run", once)
    ran = run("denoise", "-r", holidays, *GAUSSIAN, "-o", tmp_path / "out")
    assert ran.code == 130
    assert "1 done, 1 failed, 3 not reached" in ran.out or "1 done, 4 not reached" in ran.out
    assert len([p for p in (tmp_path / "out").rglob("*") if p.is_file()]) == 1


def test_a_mask_for_each_name(run, tmp_path, levels, opened):
    for name, row in (("a", 3), ("b", 12)):
        damaged = levels.copy()
        damaged[row] = 0
        (tmp_path / "pictures").mkdir(exist_ok=True)
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(damaged).save(tmp_path / "pictures" / f"{name}.png")
        holes = (damaged == 0).all(-1)
        Image.fromarray(holes).save(tmp_path / "masks" / f"{name}.png")
    ran = run("inpaint", tmp_path / "pictures", "--mask", tmp_path / "masks", "-m", "harmonic", "-o", tmp_path / "out")
    assert ran.code == 0
    for name, row in (("a", 3), ("b", 12)):
        filled = np.asarray(opened(tmp_path / "out" / f"{name}.png"))
        assert filled[row].min() > 20
        assert (filled[row + 1 :] == levels[row + 1 :]).all()


def test_quiet_says_nothing(run, holidays, tmp_path):
    (holidays / "empty.png").unlink()
    ran = run("denoise", holidays, *GAUSSIAN, "-o", tmp_path / "out", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
