"""A degradation is written alike in a recipe, in a suite and on the command line, and means the same."""

import tomllib

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from restora.cli import main
from restora.degradations.degradation import Degradation
from restora.degradations.words import KERNELS, MASKS, NOISES
from restora.evaluation.degradations import Scene, Simulated, measured_from
from restora.learning.pairs import pairs_from

SIZE = (48, 64)
TABLES = [
    'blur = "gaussian:1.5"',
    'blur = "disk:2.5"\nboundary = "circular"',
    'blur = "motion:9:30"',
    'blur = "uniform:5"',
    'blur = "shake:9:3"',
    'blur = "gaussian-25-1.6"',
    'blur = "gaussian-25-0.4"',
    'blur = "uniform-9"',
    'blur = "binomial-5"',
    'blur = "inverse-quadratic-15"',
    'blur = "levin-2"',
    'blur = "kernel.npy"',
    "scale = 2",
    "scale = 2\nenlarged = true",
    'noise = "gaussian:25"',
    'noise = "gaussian:10..50"',
    'noise = "gaussian:30dB"',
    'noise = "numpy:25:1"',
    'noise = "matlab-v4:25"',
    'noise = "poisson:30"',
    'noise = "poisson-gaussian:30:5"',
    'noise = "salt:0.05"',
    'noise = "camera:0.01:0.0001"',
    'mask = "random:0.7"',
    'mask = "numpy:0.5"',
    'mask = "matlab-v4:0.5"',
    'mask = "text:12"',
    'mask = "known:mask.png"',
    "jpeg = 30",
    'jpeg = "20..40"',
    'blur = "gaussian:1"\nscale = 2\nnoise = "gaussian:5"\nmask = "random:0.9"\njpeg = 80',
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with the files that the tables name."""
    folder = tmp_path_factory.mktemp("data")
    levels = np.full(SIZE, 255, np.uint8)
    levels[10:20, 5:50] = 0
    Image.fromarray(levels).save(folder / "mask.png")
    (folder / "kernels").mkdir()
    kernels = {f"k{k}": np.outer(np.arange(1.0, 6), np.arange(1.0, 6) ** 2) for k in range(1, 9)}
    np.save(folder / "kernel.npy", np.eye(5))
    np.savez(folder / "kernels/levin09.npz", **kernels)
    rng = np.random.default_rng(0)
    ramp = np.linspace(20, 235, SIZE[1])[None] + rng.normal(0, 10, SIZE)
    Image.fromarray(ramp.clip(0, 255).astype(np.uint8)).save(folder / "x.png")
    return folder


def test_every_key_and_every_word_is_tried():
    tables = [tomllib.loads(text) for text in TABLES]
    words = {(key, str(table[key]).split(":")[0]) for table in tables for key in table}
    known = {("blur", w) for w in KERNELS.words if not w.startswith("levin-")} - {("blur", "file")} | {
        ("blur", "kernel.npy")
    }
    known |= {("noise", w) for w in NOISES.words} | {("mask", w) for w in MASKS.words}
    assert words >= known


@pytest.mark.parametrize("text", TABLES)
def test_recipe_suite_and_command_line_mean_the_same(text, data, tmp_path, monkeypatch):
    monkeypatch.chdir(data)
    table = tomllib.loads(text)
    degradation = Degradation.read(table)
    assert pairs_from(table).degradation == degradation
    assert measured_from(table, {}) == Simulated(degradation)
    x = torch.from_numpy(np.array(Image.open("x.png"))).double()[None, None] / 255
    expected = degradation(x, torch.Generator().manual_seed(0), data).y

    problem = measured_from(table, {}).problem(Scene("x", x, None, data))
    assert torch.equal(problem.y, expected)
    assert problem.H(x).shape == problem.y.shape

    assert _of_command_line(table, tmp_path) == pytest.approx(_float32(degradation, x, data)[0, 0].numpy(), abs=1e-6)


def _float32(degradation, x, data):
    return degradation(x.float(), torch.Generator().manual_seed(0), data).y


def _of_command_line(table, folder):
    words = [w for key, value in table.items() for w in ([f"--{key}"] if value is True else [f"--{key}", str(value)])]
    assert main(["degrade", "x.png", *words, "--float", "--seed", "0", "-q", "-o", str(folder / "y.tif")]) == 0
    return tifffile.imread(folder / "y.tif")


@pytest.mark.parametrize("text", ['noise = "gaussian:25"', 'blur = "gaussian:1.5"', "scale = 2", "jpeg = 30"])
def test_a_training_pair_is_cut_from_what_the_command_line_writes(text, data, tmp_path, monkeypatch):
    monkeypatch.chdir(data)
    table = tomllib.loads(text)
    pairs = pairs_from(table)
    x = torch.from_numpy(np.array(Image.open("x.png"))).float()[None, None] / 255
    batch = pairs(x, torch.Generator().manual_seed(0))
    whole = torch.from_numpy(_of_command_line(table, tmp_path))
    windows = whole.unfold(0, batch.y.shape[-2], 1).unfold(1, batch.y.shape[-1], 1)
    found = (windows - batch.y[0, 0]).abs().amax(dim=(2, 3)) < 1e-6
    assert int(found.sum()) == 1
    top, left = (pairs.scale * int(i) for i in found.nonzero()[0])
    assert torch.equal(batch.x[0, 0], x[0, 0, top:, left:][: batch.x.shape[-2], : batch.x.shape[-1]])
