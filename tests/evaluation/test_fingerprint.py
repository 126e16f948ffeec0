import re
import sys

import pytest

from restora import catalog
from restora.evaluation.fingerprint import SURROUNDINGS, closure, fingerprint
from restora.methods.filters.nonlocal_means import NonLocalMeans
from restora.weights.denoiser import NetworkDenoiser

MODULE = """
import {package}.helper
from restora.numerics import colour

LIMIT = {limit}
{comment}

def f(x):
    "{text}"
    return x
"""


def package(folder, name, limit=3, comment="", text="one", helper="A = 1"):
    """Write a package of two modules."""
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "helper.py").write_text(helper)
    (folder / name / "main.py").write_text(MODULE.format(package=name, limit=limit, comment=comment, text=text))
    return catalog.Entry("mine", "mine", ("denoise",), "", f"{name}.main:f")


@pytest.fixture
def hash_of(tmp_path, monkeypatch):
    """Fingerprints of a package with something changed; each under a name of its own, as sources are read once."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def hashed(**changes):
        for name in [m for m in sys.modules if m.startswith("toy")]:
            del sys.modules[name]
        from restora.evaluation import fingerprint as module

        for cached in (module._source, module._tree, module._imports, module._hash_of):
            cached.cache_clear()
        return fingerprint(package(tmp_path, "toy", **changes), NonLocalMeans())

    return hashed


def test_code_counts_and_its_documentation_does_not(hash_of):
    first = hash_of()
    assert re.fullmatch("[0-9a-f]{12}", first)
    assert hash_of(comment="# said", text="two") == first
    assert hash_of(limit=4) != first
    assert hash_of(helper="A = 2") != first
    assert hash_of() == first


def test_a_name_that_a_package_exports_counts_as_its_module(hash_of):
    hash_of(helper="from restora.frames import DualTree\nfrom restora import Mosaic")
    found = closure({"toy.main"})
    assert {"restora.frames.dual_tree", "restora.frames.dual_tree_filters", "restora.operators.mosaic"} <= found
    assert "restora.frames.curvelet" not in found


def test_nothing_is_imported(hash_of):
    hash_of()
    assert "toy" not in sys.modules


def test_what_a_module_imports_is_followed_and_what_is_there_for_types_is_not():
    found = closure(["restora.methods.filters.nonlocal_means"])
    assert "restora.patches.nonlocal_means_cpu" in found  # by way of restora.patches.nonlocal_means
    assert "restora.core.problem" in found
    assert not any(name.startswith(("restora.front", "restora.nets", "restora.catalog")) for name in found)
    assert {"restora.operators.identity", "restora.evaluation.metrics"} <= closure(SURROUNDINGS)


def test_weights_and_denoisers_count():
    entry = catalog.find("pnp-hqs")
    make = entry.load()
    gray, colour = (make(denoiser=NetworkDenoiser(name)) for name in ("ffdnet-gray", "ffdnet-colour"))
    assert fingerprint(entry, gray) == fingerprint(entry, make(denoiser=NetworkDenoiser("ffdnet-gray")))
    assert fingerprint(entry, gray) != fingerprint(entry, colour)
