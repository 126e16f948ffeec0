"""Fingerprints: short hashes of the code and the weights that a measured number depends on.

Source files are parsed and never imported. Hashed is the syntax tree without comments and docstrings, so that a change
of the documentation leaves numbers valid. What counts for a method: its module and all that this imports of its own
package and of restora, and the code that brings it its problem and judges its result: the front door and the protocol,
with the operators, noise models, degradations and metrics behind them. Networks and the loading of weights count where
the method's own module imports them. Left out: the catalog, which only names things, the readers of image files, the
versions of other packages, and files that are not Python (protocols are told apart by their ids).
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from restora import catalog
from restora.core.exports import exported_modules
from restora.core.method import Method
from restora.weights.store import find, sha256_of

SURROUNDINGS = ("restora.front.restore", "restora.evaluation.protocol")
"""What every number passes through."""

_LEFT_OUT = ("restora.catalog", "restora.images")
_ONLY_THROUGH_METHODS = ("restora.nets", "restora.weights", "restora.learning")
LENGTH = 12
"""Hexadecimal digits of a fingerprint."""


def fingerprint(entry: catalog.Entry, method: Method) -> str:
    """The hash of the code and the weights behind a configured method, those of its denoiser included.

    Raises:
        MissingWeights: the weights are not here.
        FileProblem: a file cannot be read.
    """
    modules = {entry.target.partition(":")[0]}
    for value in _values(method):
        name = getattr(value, "name", None)
        if isinstance(name, str) and name in catalog.names():
            modules.add(catalog.find(name).target.partition(":")[0])
        modules.add(type(value).__module__)
    digest = hashlib.sha256()
    for module in sorted(closure(modules) | closure(SURROUNDINGS, _ONLY_THROUGH_METHODS)):
        digest.update(f"{module} {_hash_of(module)}\n".encode())
    for name in sorted(set(weights_of(method))):
        digest.update(f"{sha256_of(find(name))}\n".encode())
    return digest.hexdigest()[:LENGTH]


def weights_of(method: Method) -> tuple[str, ...]:
    """Names or paths of the weights that a configured method asks for, its own and those of its denoiser."""
    owners = (method, *_values(method))
    named = (getattr(owner, "weights", None) for owner in owners)
    return tuple(name for name in named if isinstance(name, str) and name)


def closure(modules: Iterable[str], but: tuple[str, ...] = ()) -> set[str]:
    """The modules and all that they import, directly or not, of their own packages and of restora.

    Args:
        modules: dotted names; those without Python source are dropped.
        but: packages that are not entered.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        left_out = any(module == one or module.startswith(one + ".") for one in (*but, *_LEFT_OUT))
        if module in found or left_out or _source(module) is None:
            continue
        found.add(module)
        roots = {module.partition(".")[0], "restora"}
        waiting += [name for name in _imports(module) if name.partition(".")[0] in roots]
    return found


def _values(method: Method) -> Iterator[object]:
    if is_dataclass(method):
        yield from (getattr(method, field.name) for field in fields(method))


@cache
def _source(module: str) -> Path | None:
    """The file of a module; None where there is no such module, or it is no Python source."""
    root, *parts = module.split(".")
    try:
        spec = find_spec(root)
    except ValueError:  # a module without a spec, such as __main__
        return None
    if spec is None or (parts and spec.submodule_search_locations is None):
        return None
    if not parts:
        return Path(spec.origin) if spec.origin is not None and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        base = Path(folder).joinpath(*parts)
        for path in (base / "__init__.py", base.with_name(base.name + ".py")):
            if path.is_file():
                return path
    return None


@cache
def _tree(module: str) -> ast.Module:
    path = _source(module)
    return ast.parse(path.read_bytes() if path is not None else b"")


@cache
def _imports(module: str) -> tuple[str, ...]:
    """What a module imports when it runs: each module, and each name from it, which may be a module too."""
    path, found = _source(module), list[str]()
    package = module if path is not None and path.name == "__init__.py" else module.rpartition(".")[0]
    for node in _walk(_tree(module)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            exported = _exported(name)
            found += [name, *(exported.get(alias.name, f"{name}.{alias.name}") for alias in node.names)]
    return tuple(found)


def _exported(package: str) -> dict[str, str]:
    """The names that a package loads when they are first used, each with its module."""
    path = _source(package)
    stub = path.with_suffix(".pyi") if path is not None else None
    return exported_modules(stub) if stub is not None and stub.is_file() else {}


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without those that stand there for types alone."""
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


@cache
def _hash_of(module: str) -> str:
    tree = _tree(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(statement: ast.stmt) -> bool:
    """A docstring, or the text below a constant that explains it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
