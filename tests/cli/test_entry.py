import subprocess
import sys

import pytest
import typer

import restora
from restora.cli.app import command_names
from restora.cli.entry import with_command
from restora.core.errors import UnknownName


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["--help"]),
        (["denoise", "a.png"], ["denoise", "a.png"]),
        (["a.png", "b.png"], ["auto", "a.png", "b.png"]),
        (["-r", "holidays"], ["auto", "-r", "holidays"]),
        (["--output=x", "a.png"], ["auto", "--output=x", "a.png"]),
        (["-", "-o", "-"], ["auto", "-", "-o", "-"]),
        (["*.jpg"], ["auto", "*.jpg"]),
        (["folder/"], ["auto", "folder/"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
    ],
)
def test_words_without_a_command_mean_auto(words, expected):
    assert with_command(words) == expected


def test_a_file_without_a_suffix_means_auto_where_it_exists(tmp_path, monkeypatch):
    (tmp_path / "scan").touch()
    monkeypatch.chdir(tmp_path)
    assert with_command(["scan"]) == ["auto", "scan"]
    with pytest.raises(UnknownName, match="no command or file 'denois'; did you mean denoise"):
        with_command(["denois"])


@pytest.mark.parametrize("words", ["import restora", "from restora.cli import main; main(['--help'])"])
def test_neither_import_nor_help_imports_torch(words):
    code = f"import sys; {words}; print(sorted({{'torch', 'numpy', 'numba', 'scipy'}} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_the_list_of_methods_is_made_without_torch():
    code = "import sys; from restora.cli import main; main(['methods']); print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "False"


def test_every_command_has_help_with_examples(run):
    for name in command_names():
        ran = run(name, "--help")
        assert ran.code == 0
        assert "Examples:" in ran.out
        assert "restora" in ran.out.partition("Examples:")[2]


def test_the_commands_are_these():
    assert set(command_names()) == {
        *("auto", "denoise", "deblur", "upscale", "inpaint"),
        *("degrade", "inspect", "compare"),
        *("methods", "weights", "bench", "challenge", "report", "train", "demo"),
    }


def test_version(run):
    assert run("--version").out.strip() == f"restora {restora.__version__}"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["denoise"], "missing argument"),
        (["denoise", "a.png", "--bogus"], "no such option: --bogus"),
        (["denoise", "a.png", "--sigma", "much"], "--sigma"),
        (["denoise", "a.png", "--sigma", "-3"], "--sigma"),
        (["degrade", "a.png", "--jpeg", "0"], "jpeg = 0"),
        (["denoiser"], "did you mean denoise"),
    ],
)
def test_a_wrong_call_gets_one_line_and_code_2(run, words, sentence):
    ran = run(*words)
    assert ran.code == 2
    assert sentence in ran.complaint


@pytest.mark.parametrize("how", [KeyboardInterrupt, typer.Abort])
def test_an_interruption_gets_one_line_and_code_130_and_leaves_nothing(run, photo, monkeypatch, how):
    def interrupted(*_, **__):
        raise how

    monkeypatch.setattr("restora.front.plan.Plan.run", interrupted)
    ran = run("denoise", photo, "--sigma", "8")
    assert ran.code == 130
    assert "interrupted" in ran.complaint
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_a_programming_error_is_not_hidden(run, photo, monkeypatch):
    monkeypatch.setattr("restora.front.plan.Plan.run", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("denoise", photo, "--sigma", "8")
