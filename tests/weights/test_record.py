import json
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restora.core.errors import FileProblem, InvalidParameter
from restora.weights.record import DataFolder, Record

RECORD = Record(
    name="dncnn-s25",
    architecture="dncnn",
    fields={"depth": 17, "slope": 0.2, "bias": True, "sizes": (1, (2, 3)), "act": 'a "quoted" \\ \x7f\n·'},
    task="denoise",
    channels=1,
    bytes=123,
    sha256="ab" * 32,
    recipe="dncnn-s25.toml",
    trained="one CPU, 12 minutes, 4000 steps, 2026-01-01",
    data=(DataFolder(folder="Train400", images=400, sha256="cd" * 32), DataFolder(folder="T91", images=9, sha256="")),
    terms="none stated",
    licence="BSD-3-Clause",
    validation={"psnr": 29.125, "tiny": 1e-16},
    measured={"set12-gray-awgn-s25-noclip-seed0": {"psnr": 30.4, "ssim": 0.86}, "a b.c": {"psnr": 3.0}},
)


def test_a_record_comes_back_from_its_file(tmp_path):
    RECORD.write(tmp_path / "dncnn-s25.toml")
    assert Record.read(tmp_path / "dncnn-s25.toml") == RECORD


def test_a_small_record_comes_back(tmp_path):
    small = Record(name="a", architecture="srcnn", fields={}, task="super-resolve", channels=3)
    small.write(tmp_path / "a.toml")
    assert Record.read(tmp_path / "a.toml") == small


def test_the_file_is_what_one_would_write():
    text = RECORD.as_toml()
    assert tomllib.loads(text)["measured"]["set12-gray-awgn-s25-noclip-seed0"]["psnr"] == 30.4
    assert text.startswith('name = "dncnn-s25"\narchitecture = "dncnn"\n')
    assert "[fields]\ndepth = 17\n" in text
    assert "[[data]]\nfolder" in text


PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=4), st.text())
def test_whatever_stands_in_a_record_the_standard_reader_reads_the_same(fields, trained):
    record = replace(RECORD, fields=fields, trained=trained)
    table = tomllib.loads(record.as_toml())
    assert Record.of(table, "here") == record


def test_the_header_knows_all_but_the_sum_and_size_of_its_own_file():
    assert Record.of(json.loads(RECORD.as_header()), "here") == replace(RECORD, bytes=0, sha256="")


def test_none_has_no_word_in_toml(tmp_path):
    with pytest.raises(InvalidParameter, match="NoneType"):
        replace(RECORD, fields={"window": (8, None)}).write(tmp_path / "a.toml")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "is not TOML"),
        ('name = "a"', "the field architecture is missing"),
        (RECORD.as_toml().replace('"denoise"', '"dance"'), "task = 'dance' is not allowed"),
        ("colour = 1\n" + RECORD.as_toml(), "there is no field 'colour'"),
        (RECORD.as_toml().replace("psnr = 30.4", 'psnr = "good"'), "measured.set12-.*psnr = 'good' .* a number"),
    ],
)
def test_what_is_no_record(tmp_path, text, sentence):
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FileProblem, match=sentence):
        Record.read(tmp_path / "a.toml")
