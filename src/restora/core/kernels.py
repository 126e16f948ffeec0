"""Kernels: how Numba compiles a loop over pixels for the processor, and where the compiled code is kept.

Every kernel divides by NumPy's rules: x/0 is infinite, 0/0 is NaN, and nothing is raised. So no result depends on
whether the compiler has turned a loop into vector instructions; where 0/0 can occur, the kernel names it.

Compiled code is kept in files, a kernel and a signature each. The name of a file holds a digest of the instructions
of the kernel and of all it calls, of the types, of the processor and of Numba's version, so a file is right wherever it
lies, and survives a copy of the package. It is read from the package and from the user's cache, and written to the
first of them that can be written to. It appears whole or not at all, so several processes may write it at once.
"""

import hashlib
import inspect
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, overload

import numba
import numpy as np
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps

import restora
from restora.core.caches import user_cache

Kernel = Callable[..., Any]
"""A compiled function of arrays and numbers."""

_DIGEST = 32  # bytes before the code in a file, a checksum that detects damage


class ScaledKernel:
    """A kernel with a serial and a parallel version; the size of the task decides which one runs.

    Its loops over tasks are ``prange``, which is ``range`` in the serial version. Both are compiled when first used.
    """

    def __init__(self, function: Kernel, least: int) -> None:
        """From the function, and the least work that is worth waking other threads."""
        self.least = least
        self._serial = _compiled(_renamed(function, "serial"), parallel=False)
        self._parallel = _compiled(_renamed(function, "parallel"), parallel=True)

    def is_parallel(self, work: int) -> bool:
        """Whether so much work is shared among threads."""
        return work >= self.least

    def sized(self, work: int) -> Kernel:
        """The version for so much work, in the unit of ``least``."""
        return self._parallel if self.is_parallel(work) else self._serial


@overload
def kernel(function: Kernel) -> Kernel: ...
@overload
def kernel(
    *, fuse: bool = False, relax: Collection[str] = (), parallel: bool = False, inline: bool = False
) -> Callable[[Kernel], Kernel]: ...


def kernel(
    function: Kernel | None = None,
    *,
    fuse: bool = False,
    relax: Collection[str] = (),
    parallel: bool = False,
    inline: bool = False,
) -> Any:
    """Compile a function when it is first called.

    Args:
        function: what is decorated, where no option is given.
        fuse: a product and a sum may become one instruction, rounded once.
        relax: further rules of arithmetic that LLVM may break, such as ``reassoc``.
        parallel: its loops over ``prange`` are shared among threads.
        inline: it becomes part of each kernel that calls it.
    """
    if function is not None:
        return _compiled(_plain(function))
    fastmath = {*relax, "contract"} if fuse else set(relax)

    def decorate(function: Kernel) -> Kernel:
        return _compiled(_plain(function), parallel=parallel, fastmath=fastmath, inline="always" if inline else "never")

    return decorate


def parallel_from(least: int) -> Callable[[Kernel], ScaledKernel]:
    """Compile a function in two versions: parallel for at least so much work, serial for less."""
    return lambda function: ScaledKernel(function, least)


def _compiled(
    function: FunctionType, *, parallel: bool = False, fastmath: Collection[str] = (), inline: str = "never"
) -> Kernel:
    options: dict[str, Any] = {"parallel": parallel, "inline": inline, "error_model": "numpy"}
    dispatcher: Any = numba.njit(**options, fastmath=set(fastmath))(function)
    if inline == "never":  # else it is never compiled by itself
        dispatcher._cache = _Cache(function, repr((options, sorted(fastmath))))
    return dispatcher


def _plain(function: Kernel) -> FunctionType:
    """The function itself: while tests run, a checker of types is wrapped around it."""
    found = inspect.unwrap(function)
    assert isinstance(found, FunctionType)
    return found


def _renamed(function: Kernel, version: str) -> FunctionType:
    """A copy of another name, since symbols of compiled code are made from names."""
    plain = _plain(function)
    copy = FunctionType(plain.__code__, plain.__globals__, plain.__name__, plain.__defaults__, plain.__closure__)
    copy.__qualname__ = f"{plain.__qualname__}_{version}"
    copy.__module__ = plain.__module__
    return copy


class _Cache(NullCache):
    """Numba's protocol of a cache, over files as the module describes them."""

    def __init__(self, function: FunctionType, options: str) -> None:
        self._function = function
        self._options = options
        self._stem = f"{function.__module__}.{function.__qualname__}"

    def load_overload(  # pyright: ignore[reportIncompatibleMethodOverride]  # the base class never finds anything
        self, sig: Any, target_context: Any
    ) -> CompileResult | None:
        target_context.refresh()
        name = self._name(sig, target_context.codegen().magic_tuple())
        for folder in cache_folders():
            data = _read(folder / name)
            if data is not None:
                return CompileResult._rebuild(target_context, *pickle.loads(data))  # pyright: ignore[reportPrivateUsage]
        return None

    def save_overload(self, sig: Any, cres: Any) -> None:
        if cres.library.has_dynamic_globals or cres.lifted:
            return
        name = self._name(sig, cres.codegen.magic_tuple())
        content = dumps(cres._reduce())
        for folder in cache_folders():
            if _write(folder / name, content):
                _drop_others(folder, f"{self._stem}-", self._code())
                return

    def _code(self) -> str:
        return _digest_of(self._function)

    def _name(self, sig: Any, machine: tuple[str, ...]) -> str:
        what = (numba.__version__, sys.version_info[:2], self._options, machine, sig)
        return f"{self._stem}-{self._code()}-{hashlib.sha256(repr(what).encode()).hexdigest()[:24]}.nbc"


def cache_folders() -> tuple[Path, ...]:
    """The folders of compiled kernels: NUMBA_CACHE_DIR where it is set, else the package and the user's cache."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return (Path(given) / "restora",)
    package = Path(restora.__file__).parent / "__pycache__" / "kernels"
    try:
        return (package, user_cache() / "kernels" / restora.__version__)
    except RuntimeError:  # the home folder is unknown
        return (package,)


def _read(path: Path) -> bytes | None:
    """The content of a file; None where there is none, or it is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data[_DIGEST:] if hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST] else None


def _write(path: Path, data: bytes) -> bool:
    """Make a file that appears whole; False where none can be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(file.name, path)
    except OSError:
        return False
    return True


def _drop_others(folder: Path, stem: str, code: str) -> None:
    """Remove files that were compiled from other sources of this kernel."""
    for path in folder.glob(f"{stem}*.nbc"):
        if not path.name.startswith(stem + code):
            path.unlink(missing_ok=True)


def _digest_of(function: FunctionType) -> str:
    """Of the instructions and constants of a kernel and of all that it calls.

    They are those that are loaded, and so are compiled: the files may have been edited meanwhile.
    """
    reached: dict[FunctionType, None] = {function: None}
    waiting, digest = [function], hashlib.sha256()
    while waiting:
        each = waiting.pop()
        called, constants = _reached(each)
        digest.update(repr((each.__qualname__, *_content(each.__code__), constants)).encode())
        new = [other for other in called if other not in reached]
        reached.update(dict.fromkeys(new))
        waiting += new
    return digest.hexdigest()[:16]


def _content(code: CodeType) -> tuple[Any, ...]:
    constants = [_content(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return code.co_code, constants, code.co_names


def _reached(function: FunctionType) -> tuple[list[FunctionType], list[str]]:
    """The functions of restora and the constants that a function names, in the order in which it does."""
    functions: list[FunctionType] = []
    constants: list[str] = []
    for name in function.__code__.co_names:
        found = function.__globals__.get(name)
        if isinstance(found, Dispatcher):
            functions.append(found.py_func)
        elif isinstance(found, FunctionType) and found.__module__.startswith("restora."):
            # What Numba compiles for it stands beside it, with the decorator ``overload``.
            beside = (inspect.unwrap(each) for each in found.__globals__.values() if isinstance(each, FunctionType))
            functions += [each for each in beside if each.__module__ == found.__module__]
        elif isinstance(found, int | float | tuple | np.generic):
            constants.append(repr(found))
    return functions, constants
