"""The rules of the house: rooms import from rooms below, files and functions stay short, nothing takes **kwargs."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import restora

SOURCE = Path(restora.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

FLOORS = {
    "core": 0,
    "images": 1,
    "noise": 1,
    "operators": 1,
    "numerics": 2,
    "patches": 2,
    "frames": 2,
    "nets": 2,
    "generative": 3,
    "diagnosis": 3,
    "degradations": 3,
    "learning": 4,
    "weights": 4,
    "methods": 5,
    "catalog": 6,
    "front": 7,
    "evaluation": 8,
    "cli": 9,
    "app": 9,
    "cluster": 9,
    "interop": 9,
}
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 40


def room_of(path):
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imports_of(tree):
    """Dotted names of the restora modules imported anywhere in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "restora":
            if node.module == "restora":
                yield from (f"restora.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "restora")


def is_allowed(path, target):
    parts = target.split(".")
    if len(parts) == 1 or parts[1] == "__version__":
        return True
    room, other = room_of(path), parts[1]
    if room in ("__init__", "__main__") or room == other != "methods":
        return True
    if room == other:  # methods import no other method
        return False
    return FLOORS[other] < FLOORS[room]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_rooms_import_only_from_rooms_below(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [
        target
        for target in imports_of(tree)
        if room_of(path) != "catalog" or not _is_for_types(tree, target)
        if not is_allowed(path, target)
    ]
    assert wrong == []


def _is_for_types(tree, target):
    """The import stands under ``if TYPE_CHECKING``."""
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return any(target in set(imports_of(block)) for block in blocks)


def test_the_import_rule_can_fail():
    assert not is_allowed(SOURCE / "operators" / "blur.py", "restora.numerics.prox")
    assert not is_allowed(SOURCE / "noise" / "gaussian.py", "restora.operators.blur")
    assert not is_allowed(SOURCE / "methods" / "filters" / "gaussian.py", "restora.methods.filters.nonlocal_means")
    assert not is_allowed(SOURCE / "degradations" / "noise.py", "restora.learning.recipe")
    assert is_allowed(SOURCE / "methods" / "filters" / "gaussian.py", "restora.numerics.convolution")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_are_short_and_take_no_kwargs(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.args.kwarg is None, f"{node.name} takes **{node.args.kwarg.arg}"
            assert _length(node) <= MOST_LINES_OF_A_FUNCTION, f"{node.name} is {_length(node)} lines long"


def _length(function):
    """Lines of the function without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_importing_restora_imports_neither_torch_nor_numpy():
    code = "import sys, restora; print(*[m for m in ('torch', 'numpy', 'scipy', 'numba') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_the_catalog_is_readable_without_torch():
    code = "import sys; from restora import catalog; catalog.entries(); print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.pyi"))
INVENTORY = Path(__file__).parent / "public_names.txt"


def dotted(folder):
    return ".".join(("restora", *folder.relative_to(SOURCE).parts))


def public_names():
    return sorted(f"{dotted(folder)}.{name}" for folder in PACKAGES for name in import_module(dotted(folder)).__all__)


@pytest.mark.parametrize("folder", PACKAGES, ids=dotted)
def test_every_public_name_can_be_loaded_and_listed(folder):
    package = import_module(dotted(folder))
    assert package.__all__ == dir(package)
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match=f"module '{dotted(folder)}' has no attribute 'no_such_name'"):
        _ = package.no_such_name


@pytest.mark.parametrize("folder", PACKAGES, ids=dotted)
def test_stubs_export_their_names_and_no_module_hides_one(folder):
    """A name is exported by a stub only in the form ``X as X``; a loaded module of its name would hide it."""
    tree = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8"))
    aliases = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert all(alias.asname == alias.name for alias in aliases)
    modules = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}
    assert modules & {alias.name for alias in aliases} == set()


def test_the_public_surface_is_this():
    """Names users rely on: to remove one is a breaking change, and a new one is added to the list."""
    assert public_names() == INVENTORY.read_text(encoding="utf-8").split()


def test_every_method_of_the_catalog_is_exported():
    code = "from restora import catalog; print(*(e.target.replace(':', '.') for e in catalog.entries()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    tree = ast.parse((SOURCE / "methods" / "__init__.pyi").read_text(encoding="utf-8"))
    listed = {f"{node.module}.{alias.name}" for node in tree.body for alias in node.names}
    assert listed >= {target for target in found if target.startswith("restora.")}


@pytest.mark.parametrize("folder", PACKAGES, ids=dotted)
def test_importing_a_package_imports_none_of_its_modules(folder):
    """So that one operator or method does not cost the import of all."""
    code = f"import sys, {dotted(folder)}; print(*sorted(m for m in sys.modules if m.startswith('restora')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) <= {"restora", "restora.core", "restora.core.exports", dotted(folder)}
