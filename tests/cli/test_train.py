import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("lightning_fabric", reason="training needs the extra 'train'")

from restora.learning.images import source_of
from restora.weights.load import load
from restora.weights.record import Record

RECIPE = """
name = "tiny"
task = "denoise"
architecture = "dncnn"
fields = { depth = 3, width = 4, batch_norm = true }
degradation = { noise = "gaussian:25" }

[data]
folders = ["photos"]
terms = "free"
colour = "gray"
patch = 16
validation = 1
validation_crop = 32

[training]
steps = 4
batch = 2
validate_every = 2
precision = "float32"
"""

DICTIONARIES = """
name = "pair"
kind = "dictionaries"
[data]
folders = ["photos"]
terms = "free"
[dictionaries]
scale = 2
atoms = 16
samples = 400
iterations = 2
validation = 1
"""


@pytest.fixture
def folder(tmp_path, camera, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/photos").mkdir(parents=True)
    levels = (camera[0, 0] * 255).byte().numpy()
    for name, window in (("a", levels[:64]), ("b", levels[64:])):
        Image.fromarray(np.ascontiguousarray(window)).save(tmp_path / f"data/photos/{name}.png")
    return tmp_path


def test_a_recipe_becomes_weights_with_their_record(run, folder):
    (folder / "tiny.toml").write_text(RECIPE)
    done = run("train", "tiny.toml", "--data", "data", "--device", "cpu", "--minutes", "0")
    assert (done.code, "0 of 4 steps" in done.out) == (0, True)
    done = run("train", "tiny.toml", "--data", "data", "--device", "cpu")
    assert (done.code, "4 of 4 steps" in done.out) == (0, True)
    record = Record.read(folder / "runs/tiny/tiny.toml")
    there = source_of(folder / "data", "photos")
    assert (record.architecture, record.recipe, record.terms, record.channels) == ("dncnn", "tiny.toml", "free", 1)
    assert [(one.folder, one.images, one.sha256) for one in record.data] == [("photos", 2, there.sha256)]
    assert "4 of 4 steps" in record.trained
    path = str(folder / "runs/tiny/tiny.safetensors")
    assert load(path, ("dncnn",), torch.device("cpu"), "float32").name == "tiny"
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / "p.png")
    assert run("denoise", "p.png", "--sigma", "25", "--weights", path).code == 0


def test_a_pair_of_dictionaries_is_trained_by_the_same_command(run, folder):
    (folder / "pair.toml").write_text(DICTIONARIES)
    assert run("train", "pair.toml", "--data", "data", "--out", "made").code == 0
    assert Record.read(folder / "made/pair.toml").fields == {"scale": 2, "atoms": 16}


@pytest.mark.parametrize(
    ("text", "says"),
    [(RECIPE.replace("dncnn", "dncn"), "did you mean dncnn"), (RECIPE.replace("photos", "movies"), "no images in")],
)
def test_a_mistake_is_one_line(run, folder, text, says):
    (folder / "tiny.toml").write_text(text)
    refused = run("train", "tiny.toml", "--data", "data", "--device", "cpu")
    assert refused.code == 2
    assert says in refused.err
    assert len(refused.err.strip().splitlines()) == 1
