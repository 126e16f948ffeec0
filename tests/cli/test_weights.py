import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from restora import catalog
from restora.evaluation.configurations import configurations_of
from restora.evaluation.runner import run_bench
from restora.nets.architectures import build
from restora.weights.load import load
from restora.weights.public import public_weights
from restora.weights.record import DataFolder, Record
from restora.weights.save import save_weights
from restora.weights.store import stored

FIELDS = {"depth": 3, "width": 4}
RECORD = Record(
    name="tiny-gray",
    architecture="dncnn",
    fields=FIELDS,
    task="denoise",
    channels=1,
    recipe="tiny-gray.toml",
    trained="not at all",
    data=(DataFolder(folder="Train400", images=3, sha256="ab"),),
    licence="BSD-3-Clause",
    measured={"set12-gray-awgn-s25-noclip-seed0": {"psnr": 30.25}},
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache with a small network that was never trained, and nothing shipped."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("RESTORA_CACHE", str(folder))
    monkeypatch.setattr("restora.weights.store.shipped_folder", lambda: tmp_path / "shipped")
    torch.manual_seed(0)
    save_weights(build("dncnn", FIELDS).state_dict(), RECORD, folder)
    return folder


@pytest.fixture
def gray(tmp_path, levels):
    path = tmp_path / "gray.png"
    Image.fromarray(levels[..., 0]).save(path)
    return path


def lines_of(ran):
    assert ran.code in (0, 1), ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def test_list_shows_what_is_here_first_and_what_can_be_fetched(run):
    rows = lines_of(run("weights", "list", "--json"))
    size = stored()[0].path.stat().st_size
    assert rows[0] == {
        **{"name": "tiny-gray", "architecture": "dncnn", "task": "denoise"},
        **{"bytes": size, "where": "cached", "licence": "BSD-3-Clause"},
    }
    assert {row["where"] for row in rows[1:]} == {"public"}
    assert len(rows) == 1 + len(public_weights())
    assert run("weights").out == run("weights", "list").out
    assert run("weights").out.splitlines()[0].startswith("tiny-gray ")


def test_info_shows_the_record(run):
    facts = lines_of(run("weights", "info", "tiny-gray", "--json"))[0]
    assert facts["parameters"] == 9 * 4 + 4 + 9 * 16 + 4 + 9 * 4 + 1
    assert facts["fields"] == FIELDS
    assert facts["method"] == "dncnn"
    assert facts["measured"] == {"set12-gray-awgn-s25-noclip-seed0": {"psnr": 30.25}}
    text = run("weights", "info", "tiny-gray").out
    assert "set12-gray-awgn-s25-noclip-seed0 psnr 30.25" in text
    assert "folder Train400, images 3, sha256 ab" in text


def test_info_says_what_a_file_turns_out_to_be(run, data_dir):
    facts = lines_of(run("weights", "info", data_dir / "weights/SaoYan-DnCNN-PyTorch/DnCNN-B/net.pth", "--json"))[0]
    assert (facts["architecture"], facts["layout"], facts["fields"]["depth"]) == ("dncnn", "SaoYan", 20)


def test_info_of_weights_that_are_no_network(run, cache):
    pair = {"D_h": torch.ones(25, 4), "D_l": torch.ones(100, 4)}
    save_weights(pair, replace(RECORD, name="pair", architecture="scsr", fields={}), cache)
    facts = lines_of(run("weights", "info", "pair", "--json"))[0]
    assert facts["architecture"] == "scsr"
    assert "parameters" not in facts


def test_info_of_published_weights_that_are_not_here(run):
    out = run("weights", "info", "dncnn_25").out
    assert "cszn/KAIR" in out
    assert "restora weights fetch dncnn_25" in out


def test_where_shows_folders_and_files(run, cache, tmp_path):
    assert lines_of(run("weights", "where", "--json")) == [{"shipped": str(tmp_path / "shipped"), "cached": str(cache)}]
    assert run("weights", "where", "tiny-gray").out.strip() == str(cache / "tiny-gray.safetensors")


def test_verify_tells_a_file_that_was_changed(run, cache):
    ran = run("weights", "verify", "--json")
    assert (ran.code, [row["state"] for row in lines_of(ran)]) == (0, ["right"])
    path = cache / "tiny-gray.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    (cache / "mine.pth").write_bytes(b"?")
    ran = run("weights", "verify", "--json")
    assert ran.code == 1
    assert {row["name"]: row["state"] for row in lines_of(ran)} == {"mine": "no sum known", "tiny-gray": "DIFFERS"}
    assert lines_of(ran)[1]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert run("weights", "verify", "mine").code == 0


def test_fetch_shows_the_licence_and_what_became_of_it(run, cache, monkeypatch):
    from restora.weights.fetch import Fetched

    monkeypatch.setattr(
        "restora.weights.fetch.fetch", lambda public, progress: Fetched(cache / "dncnn_25.pth", 5, "ab", False, False)
    )
    ran = run("weights", "fetch", "dncnn_25")
    assert ran.out.splitlines()[0] == "dncnn_25: gray denoising, sigma 25; of cszn/KAIR, licence: MIT"
    assert "the one it came with is recorded" in ran.out
    facts = lines_of(run("weights", "fetch", "dncnn_25", "--json"))[0]
    assert (facts["path"], facts["checked"]) == (str(cache / "dncnn_25.pth"), False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["info", "tiny-grey"], "did you mean tiny-gray"),
        (["where", "nothing-like-it"], "there are no weights 'nothing-like-it'"),
        (["verify", "tiny-grey"], "did you mean tiny-gray"),
        (["fetch", "drunet-color"], "did you mean drunet_color"),
        (["lists"], "no such command"),
    ],
)
def test_what_is_not_there_gets_one_line(run, words, sentence):
    ran = run("weights", *words)
    assert ran.code == 2
    assert sentence in ran.complaint


def test_the_weights_choose_the_method(run, gray, cache):
    ran = run("denoise", gray, "--sigma", 10, "--weights", cache / "tiny-gray.safetensors", "--json")
    record = lines_of(ran)[0]
    assert record["method"] == "dncnn"
    y = torch.from_numpy(np.array(Image.open(gray))).float()[None, None] / 255
    x = load("tiny-gray", ("dncnn",), torch.device("cpu"), "float32").network(y)
    written = torch.from_numpy(np.array(Image.open(record["output"]))).float()
    assert (written - 255 * x[0, 0].clamp(0, 1)).abs().max() <= 0.51


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-w", "nothing-like-it"], "there are no weights 'nothing-like-it'"),
        (["-w", "tiny-gray", "-m", "gaussian"], "gaussian takes no weights"),
        (["-w", "tiny-gray", "-m", "dncnn", "-p", "weights=tiny-gray"], "given twice"),
        (["-w", "tiny-gray", "-m", "dncnm"], "did you mean dncnn"),
        (["-w", "dncnn_25"], "restora weights fetch dncnn_25"),
    ],
)
def test_wrong_weights_get_one_line_before_a_picture_is_read(run, words, sentence):
    ran = run("denoise", "no-such-picture.png", *words)
    assert ran.code == 2
    assert sentence in ran.complaint


def test_weights_of_another_task_are_refused(run, gray):
    ran = run("upscale", gray, "--weights", "tiny-gray")
    assert ran.code == 2
    assert "dncnn does not enlarge" in ran.complaint


def test_weights_that_no_method_runs(run, gray, monkeypatch):
    rows = tuple(row for row in catalog.entries() if row.name != "dncnn")
    monkeypatch.setattr(catalog, "_own_entries", lambda: rows)
    assert "weights of DnCNN, which no method runs" in run("denoise", gray, "-w", "tiny-gray").complaint


def test_several_weights_of_a_method_stand_side_by_side(cache):
    other = replace(RECORD, name="other")
    save_weights(build("dncnn", FIELDS).state_dict(), other, cache)
    path = str(cache / "other.safetensors")
    both = {"dncnn[tiny-gray]": {"weights": "tiny-gray"}, "dncnn[other]": {"weights": path}}
    assert configurations_of([], ["tiny-gray", path]) == both
    assert configurations_of(["gaussian", "dncnn"], ["tiny-gray", path]) == {"gaussian": {}, **both}
    assert configurations_of(["pnp-hqs"], ["tiny-gray"]) == {"pnp-hqs[tiny-gray]": {"denoiser": "tiny-gray"}}
    assert configurations_of(["gaussian"], []) == {"gaussian": {}}
    assert configurations_of([], []) == {}


def test_bench_refuses_weights_it_could_not_tell_apart_or_nobody_takes(run, cache, tmp_path):
    (tmp_path / "tiny-gray.safetensors").write_bytes((cache / "tiny-gray.safetensors").read_bytes())
    words = ["bench", "denoise-gray", "--data", tmp_path]
    ran = run(*words, "--weights", f"tiny-gray,{tmp_path / 'tiny-gray.safetensors'}")
    assert "two files of weights are called tiny-gray" in ran.complaint
    assert "none of gaussian, tv takes weights" in run(*words, "-m", "gaussian,tv", "-w", "tiny-gray").complaint


def test_bench_measures_the_weights_and_names_the_row_after_them(tmp_path):
    for index in range(12):
        path = tmp_path / "data/test/Set12" / f"{index + 1:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(index).integers(0, 256, (24, 30)).astype(np.uint8)).save(path)
    given = {"sets": ["Set12"], "sigmas": [25], "limit": 1, "data": tmp_path / "data", "out": tmp_path / "out"}
    rows = list(run_bench("denoise-gray", **given, weights=["tiny-gray"]))
    assert {row.method for row in rows} == {"dncnn[tiny-gray]"}
    assert [row.metric for row in rows if row.image == "01"] == ["psnr", "ssim"]
    assert (tmp_path / "out/pictures/dncnn[tiny-gray]").is_dir()


def test_help_of_the_commands_has_examples(run):
    for name in ("list", "info", "where", "verify", "fetch"):
        assert "Examples:" in run("weights", name, "--help").out
