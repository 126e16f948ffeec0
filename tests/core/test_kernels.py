"""Compiled kernels are kept across processes: in copies, where nothing can be written, and by several at once.

A small copy of the package, with one module of kernels, is run in processes of its own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import prange

import restora
from restora.core.kernels import kernel, parallel_from

MODULE = """
from numba import prange
from restora.core.kernels import kernel, parallel_from
from restora.inner import scaled

@kernel
def total(x):
    sum = 0.0
    for i in range(x.size):
        sum += scaled(x[i])
    return sum
"""
INNER = """
from restora.core.kernels import kernel
FACTOR = 3.0

@kernel
def scaled(x):
    return FACTOR * x
"""
PROGRAM = """
import sys
import numpy as np
from restora.module import total
print([float(total(np.arange(5, dtype=kind))) for kind in sys.argv[1:]], sum(total.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path):
    """The folder that holds the copy."""
    source, folder = Path(restora.__file__).parent, tmp_path / "site" / "restora"
    (folder / "core").mkdir(parents=True)
    rooms = [f"{room}__init__.{suffix}" for room in ("", "core/") for suffix in ("py", "pyi")]
    for name in (*rooms, "core/caches.py", "core/exports.py", "core/kernels.py"):
        shutil.copy(source / name, folder / name)
    (folder / "module.py").write_text(MODULE)
    (folder / "inner.py").write_text(INNER)
    return folder


def start(package, *kinds):
    user = package.parent.parent / "cache"
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": str(user), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PROGRAM, *kinds]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """What it printed: the totals, and how many kernels came from files."""
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert errors == ""
    return out.strip()


def kept(folder):
    return sorted(folder.rglob("*.nbc"))


def test_a_copy_finds_what_was_compiled_whatever_the_times_of_its_files(package):
    assert finish(start(package, "f4")) == "[30.0] 0"
    copy = package.parent.parent / "elsewhere" / "restora"
    shutil.copytree(package, copy, copy_function=shutil.copyfile)
    shutil.rmtree(package)
    for path in copy.rglob("*.py"):
        os.utime(path, (0, 0))
    assert finish(start(copy, "f4")) == "[30.0] 1"


def test_where_the_package_cannot_be_written_to_the_cache_of_the_user_takes_over(package):
    (package / "__pycache__").write_text("no folder can be made here")
    assert finish(start(package, "f4")) == "[30.0] 0"
    assert len(kept(package.parent.parent / "cache")) == 2
    assert finish(start(package, "f4")) == "[30.0] 1"


def test_where_nothing_can_be_written_kernels_run_all_the_same(package):
    (package / "__pycache__").write_text("no folder can be made here")
    (package.parent.parent / "cache").write_text("nor here")
    assert finish(start(package, "f4")) == "[30.0] 0"


def test_several_processes_compile_at_once(package):
    processes = [start(package, *kinds) for kinds in (("f4", "f8"), ("f8", "f4"), ("i8",))]
    totals = [finish(process).rsplit(" ", 1)[0] for process in processes]
    assert totals == ["[30.0, 30.0]", "[30.0, 30.0]", "[30.0]"]
    assert finish(start(package, "f8", "i8", "f4")) == "[30.0, 30.0, 30.0] 3"
    assert not list(package.rglob(".new-*"))


def test_a_damaged_file_is_compiled_anew(package):
    finish(start(package, "f4"))
    for path in kept(package):
        path.write_bytes(path.read_bytes()[:-100])
    assert finish(start(package, "f4")) == "[30.0] 0"
    assert finish(start(package, "f4")) == "[30.0] 1"


def test_a_change_in_another_module_is_noticed_and_what_is_out_of_date_goes(package):
    finish(start(package, "f4"))
    before = kept(package)
    (package / "inner.py").write_text(INNER.replace("3.0", "4.0"))
    assert finish(start(package, "f4")) == "[40.0] 0"
    assert len(kept(package)) == len(before)
    assert not set(kept(package)) & set(before)


def squares(x, out):
    for i in prange(x.size):
        out[i] = x[i] ** 2


def test_the_size_of_the_task_decides_between_two_versions_that_agree():
    squared = parallel_from(100)(squares)
    x, results = np.arange(7.0), []
    for work in (99, 100):
        out = np.empty(7)
        squared.sized(work)(x, out)
        results.append(out)
        assert squared.is_parallel(work) == (work == 100)
        assert squared.sized(work).targetoptions.get("parallel", False) == (work == 100)
    assert all((out == x**2).all() for out in results)


def test_kernels_divide_by_the_rules_of_numpy():
    @kernel(fuse=True)
    def ratio(a, b):
        return a / b

    assert ratio(1.0, 0.0) == np.inf
    assert np.isnan(ratio(0.0, 0.0))
