import hashlib

import pytest
import torch

from restora.core.errors import FileProblem, MissingWeights
from restora.weights import store
from restora.weights.record import Record
from restora.weights.save import save_weights

STATE = {"conv.weight": torch.ones(2, 1, 3, 3), "conv.bias": torch.zeros(2)}


def record(name):
    return Record(name=name, architecture="dncnn", fields={"depth": 3}, task="denoise", channels=1)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The shipped folder and the cache, both empty."""
    shipped, cached = tmp_path / "shipped", tmp_path / "cached"
    shipped.mkdir()
    cached.mkdir()
    monkeypatch.setattr(store, "shipped_folder", lambda: shipped)
    monkeypatch.setenv("RESTORA_CACHE", str(cached))
    return shipped, cached


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert store.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("RESTORA_CACHE")
    assert store.cache_folder() == tmp_path / "xdg" / "restora" / "weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.cache_folder() == tmp_path / ".cache" / "restora" / "weights"


def test_a_path_comes_before_what_is_shipped_and_that_before_the_cache(folders, tmp_path, monkeypatch):
    shipped, cached = folders
    monkeypatch.chdir(tmp_path)
    for folder in (cached, shipped, tmp_path):
        (folder / "a.pth").touch()
    assert store.find("a.pth").resolve() == tmp_path / "a.pth"
    assert store.find("a") == shipped / "a.pth"
    (shipped / "a.pth").unlink()
    assert store.find("a") == cached / "a.pth"


def test_what_is_stored_is_listed_with_its_record(folders):
    shipped, cached = folders
    ours = save_weights(STATE, record("ours"), shipped)
    save_weights(STATE, record("ours"), cached)
    (cached / "theirs.pth").touch()
    (cached / "theirs.toml").write_text("options = 'of their training'")
    (cached / "theirs2.pth.part").touch()
    found = store.stored()
    assert [(one.name, one.location) for one in found] == [("ours", "shipped"), ("theirs", "cached")]
    assert found[0].record == ours
    assert found[1].record is None
    assert store.records() == (ours,)


def test_a_store_without_folders_is_empty(folders):
    for folder in folders:
        folder.rmdir()
    assert store.stored() == ()


def test_saving_writes_size_and_sum(folders):
    shipped, _ = folders
    saved = save_weights(STATE, record("a"), shipped / "new")
    data = (shipped / "new" / "a.safetensors").read_bytes()
    assert (saved.bytes, saved.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert store.record_beside(shipped / "new" / "a.safetensors") == saved
    assert store.sha256_of(shipped / "new" / "a.safetensors") == saved.sha256


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ("dncnn-25", "did you mean dncnn-s25"),
        ("zzzzzzzzzzz", "there are no weights 'zzzzzzzzzzz'; `restora weights list` shows"),
        ("folder/dncnn-s25", "there is no file folder/dncnn-s25"),
        ("dncnn-s25.pth", "there is no file dncnn-s25.pth"),
        ("saoyan-dncnn-s-25", "`restora weights fetch saoyan-dncnn-s-25` brings them from SaoYan/DnCNN-PyTorch"),
    ],
)
def test_what_is_not_here_is_said_in_one_line(folders, weights, sentence):
    save_weights(STATE, record("dncnn-s25"), folders[0])
    with pytest.raises(MissingWeights) as caught:
        store.find(weights)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_file_of_weights(folders):
    with pytest.raises(FileProblem, match="is a folder"):
        store.find(str(folders[0]))
