"""The API reference: a page a room, its text taken from the docstrings by autodoc when Sphinx runs."""

import ast
from pathlib import Path

import restora
from restora.core.exports import exported_modules

SOURCE = Path(restora.__file__).parent
ROOMS = (
    "core",
    "operators",
    "noise",
    "images",
    "diagnosis",
    "degradations",
    "frames",
    "patches",
    "numerics",
    "nets",
    "weights",
    "learning",
    "front",
    "evaluation",
)
"""The rooms that have a page, from the lowest floor to the highest; each method has a page of its own."""


def write_reference(target: Path) -> None:
    """Write the page of every room and their index into the folder ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        (target / f"{room}.rst").write_text(page_of_room(room), encoding="utf-8")
    (target / "catalog.rst").write_text(
        f"{_headed('restora.catalog', '=')}\n\n{_module('restora.catalog')}\n", encoding="utf-8"
    )
    (target / "restora.rst").write_text(page_of_package(), encoding="utf-8")
    names = "\n".join(f"   {name}" for name in ("restora", *ROOMS, "catalog"))
    (target / "index.rst").write_text(
        f"{_headed('API reference', '=')}\n\n{INTRODUCTION}\n\n.. toctree::\n   :maxdepth: 1\n\n{names}\n",
        encoding="utf-8",
    )


INTRODUCTION = """\
Shapes are written as in ``Float[Tensor, "b c h w"]``: batch, channel, height, width; see :doc:`/conventions`. A page
first lists the names that its package exports (``from restora.operators import Blur``), and then describes all modules.
Packages that export nothing are imported by module (``from restora.numerics.imresize import imresize``)."""


def page_of_room(room: str) -> str:
    """The page of a room: what it is, what it exports, and its modules one after the other."""
    folder = SOURCE / room
    doc = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    parts = [_headed(f"restora.{room}", "="), doc, _exported(folder)]
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(("restora", *path.relative_to(SOURCE).with_suffix("").parts))
        if path.stem != "__init__" and not path.stem.endswith("_cpu"):
            parts += [_headed(module.removeprefix(f"restora.{room}."), "-"), _module(module)]
    return "\n\n".join(part for part in parts if part) + "\n"


def page_of_package() -> str:
    """The page of the names that ``import restora`` gives, each linked to the page that describes it."""
    return f"{_headed('restora', '=')}\n\n{(restora.__doc__ or '').partition(chr(10))[0]}\n\n{_exported(SOURCE)}\n"


def _exported(folder: Path) -> str:
    """The exported names, each a link to its description."""
    stub = folder / "__init__.pyi"
    if not stub.exists():
        return ""
    pairs = sorted(exported_modules(stub).items())
    links = ", ".join(f":py:obj:`{name} <{module}.{name}>`" for name, module in pairs)
    return f"Exported: {links}."


def _module(module: str) -> str:
    return f".. automodule:: {module}\n   :members:\n   :special-members: __call__\n   :member-order: bysource"


def _headed(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}"
