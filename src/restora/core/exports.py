"""Exports: the public names of a package, loaded when they are first used (PEP 562).

The names of a package and their modules are listed once, as the imports of the stub ``__init__.pyi`` beside its
``__init__.py`` (as SPEC 1 of Scientific Python proposes). Type checkers and editors read the stub as they read any
other; :func:`exports` reads it while the program runs. Importing the package then imports none of its modules.
"""

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def exports(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    No name may be that of a module of the package: once the module is loaded, it would hide the name.

    Args:
        package: ``__name__`` of the package.
        file: its ``__file__``; the stub lies beside it.
    """
    module_of = exported_modules(Path(file).with_suffix(".pyi"))
    names = sorted(module_of)

    def load(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module_of[name]), name)

    return load, lambda: names, names


def exported_modules(stub: Path) -> dict[str, str]:
    """The exported names of a stub, each with the module that defines it."""
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}
