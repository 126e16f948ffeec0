"""The files that ship: whole, small enough, loadable, and made of training images alone."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import restora
from restora.learning.images import source_of
from restora.nets.architectures import architectures
from restora.weights.dictionaries import ARCHITECTURE, dictionaries
from restora.weights.load import load
from restora.weights.store import record_beside, sha256_of, shipped_folder

PACKAGE = Path(restora.__file__).parent
RECIPES = Path(__file__).resolve().parents[2] / "recipes"
FILES = sorted(shipped_folder().glob("*.safetensors"))
MOST_BYTES = 90_000_000
"""The wheel stays under 95 MB."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_what_its_record_says(path):
    record = record_beside(path)
    assert record is not None
    assert (record.name, record.bytes, record.sha256) == (path.stem, path.stat().st_size, sha256_of(path))
    assert (RECIPES / record.recipe).is_file()
    assert record.trained
    assert record.data
    assert record.terms
    assert record.licence
    if record.architecture == ARCHITECTURE:
        assert dictionaries(path.stem)[0].shape[0] == 25
    else:
        network = load(path.stem, tuple(architectures()), torch.device("cpu"), "float32").network
        assert all(bool(torch.isfinite(parameter).all()) for parameter in network.parameters())


def test_all_files_together_are_small_enough_for_the_wheel():
    assert FILES
    packed = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert sum(path.stat().st_size for path in packed) < MOST_BYTES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_was_trained_on_the_images_its_record_names(path, data_dir):
    record = record_beside(path)
    for used in record.data:
        there = source_of(data_dir / "train", used.folder)
        assert (used.images, used.sha256) == (there.images, there.sha256)


def test_no_training_image_is_a_test_image(data_dir):
    """By the pixels, whatever the format of the file; crops of test images have no such sum, folders of them would."""

    def sums(folder):
        suffixes = (".png", ".jpg", ".JPG", ".bmp")
        paths = [path for path in folder.rglob("*") if path.suffix in suffixes]
        assert paths
        return {hashlib.sha256(np.asarray(Image.open(path).convert("RGB")).tobytes()).hexdigest() for path in paths}

    assert not sums(data_dir / "train") & sums(data_dir / "test")


def test_recipes_name_folders_of_training_images_only(data_dir):
    import tomllib

    trained_on = {path.name for path in (data_dir / "train").iterdir() if path.is_dir()}
    for path in RECIPES.glob("*.toml"):
        folders = tomllib.loads(path.read_text(encoding="utf-8"))["data"]["folders"]
        assert set(folders) <= trained_on, path.name
