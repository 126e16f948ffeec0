"""Pickles: PyTorch checkpoints read without running anything they name.

A state dict is read by ``torch.load(weights_only=True)``. Files that hold a whole module name classes of their author;
these are read by an unpickler that builds tensors and plain containers, makes an inert :class:`Stub` of every class of
torch.nn and of foreign packages, and refuses what belongs to the standard library: a checkpoint has no use for it.
"""

import builtins
import collections
import pickle
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import torch
from torch import Tensor, _utils

from restora.core.damage import damage
from restora.core.errors import FileProblem

_PLAIN = ("set", "frozenset", "list", "dict", "tuple", "int", "float", "bool", "complex", "bytearray", "slice", "range")
"""Builtins that only make data."""

_REBUILDERS = ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_parameter_with_state")
"""Functions of torch._utils that make a tensor of a storage."""

_INERT = {
    ("argparse", "Namespace"),
    ("types", "SimpleNamespace"),
    ("functools", "partial"),
    ("pathlib", "Path"),
    ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"),
    ("pathlib", "PurePosixPath"),
    ("datetime", "datetime"),
    ("_codecs", "encode"),
}
"""What options beside the weights are made of, from the standard library; it becomes stubs too."""


class Stub:
    """What stands for an object of a class that is not imported: it keeps what it was given and does nothing."""

    dump_patches = False  # torch looks for it where a module was saved with its source

    def __new__(cls, *arguments: object) -> "Stub":
        """Keep the arguments; whatever the real class would have done with them is not done."""
        stub = super().__new__(cls)
        stub.arguments = arguments
        stub.state = None
        return stub

    def __init__(self, *arguments: object) -> None:
        self.arguments: tuple[object, ...]
        self.state: object

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        """Nothing: items of foreign containers are not looked at."""

    def append(self, value: object) -> None:
        """Nothing, as with items."""

    def extend(self, values: object) -> None:
        """Nothing, as with items."""

    def tensors(self) -> Tensor | dict[str, object] | None:
        """What a module holds (parameters, buffers, modules), or the tensor of an old Parameter; else None."""
        if isinstance(self.state, Mapping) and "_parameters" in self.state:
            parts = [self.state.get(name) for name in ("_parameters", "_buffers", "_modules")]
            return {str(key): value for part in parts if isinstance(part, Mapping) for key, value in part.items()}
        first = self.arguments[0] if self.arguments else None
        return first if isinstance(first, Tensor) else None


_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    MemoryError,
)
"""What torch.load raises for damaged files: an unpickler goes wherever the damage leads it."""


class Refused(pickle.UnpicklingError):
    """A pickle asks for something that could do harm."""


_DATA: Mapping[tuple[str, str], Any] = {
    **{(module, name): getattr(builtins, name) for name in _PLAIN for module in ("builtins", "__builtin__")},
    **{("torch._utils", name): getattr(_utils, name) for name in _REBUILDERS},
    **{("torch", name): value for name, value in vars(torch).items() if isinstance(value, torch.dtype)},
    **{("torch", name): getattr(torch, name) for name in vars(torch) if name.endswith("Storage")},
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "defaultdict"): collections.defaultdict,
}
"""All that is built as what it is."""


class _Restricted(pickle.Unpickler):
    """Builds tensors, plain containers and stubs; nothing is imported, nothing is called that could do more."""

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) in _DATA:
            return _DATA[module, name]
        room = module.partition(".")[0]
        if (room in sys.stdlib_module_names or room == "__builtin__") and (module, name) not in _INERT:
            raise Refused(f"it asks to run {module}.{name}, which no checkpoint needs")
        return type(name, (Stub,), {"__module__": module})


def _restricted_load(file: IO[bytes], *, encoding: str = "utf-8") -> Any:
    """The counterpart of ``pickle.load``."""
    return _Restricted(file, encoding=encoding).load()


def read_pickle(path: Path) -> object:
    """What a PyTorch checkpoint holds: nested containers of tensors, numbers and stubs.

    Raises:
        FileProblem: it is damaged, or asks for something that could do harm.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of old formats and of sources it cannot compare
        with damage(*_DAMAGE, what=path):
            try:
                return torch.load(path, map_location="cpu", weights_only=True)
            except pickle.UnpicklingError:
                pass
            try:
                return torch.load(path, map_location="cpu", pickle_module=_restricted_module(), weights_only=False)
            except Refused as error:
                raise FileProblem(f"{path} is refused: {error}") from error


def _restricted_module() -> ModuleType:
    """A module with an ``Unpickler`` and a ``load``, as torch.load wants it."""
    module = ModuleType("restricted_pickle")
    module.Unpickler = _Restricted  # type: ignore[attr-defined]
    module.load = _restricted_load  # type: ignore[attr-defined]
    return module
