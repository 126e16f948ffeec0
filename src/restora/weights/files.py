"""Files: checkpoints of every kind, read into one flat mapping of names to tensors; nothing in them is ever executed.

Known by their content, whatever their suffix: safetensors, PyTorch (zip archives, and the older plain pickles), NumPy
archives, MATLAB files of version 5 and of version 7.3.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from restora.core.damage import NUMPY_ERRORS, ZIP_ERRORS, damage
from restora.core.errors import FileProblem
from restora.weights.matlab import read_hdf5, read_matlab
from restora.weights.pickles import Stub, read_pickle

WRAPPERS = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net", "network", "generator", "netG")
"""Keys under which a checkpoint keeps the network, in order of preference: averaged weights first."""

_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU, in the dtypes of the file.

    Nested mappings and lists are flattened with dots (``layers.0.weight``), the wrappers of :data:`WRAPPERS` and the
    prefix ``module.`` of data-parallel training are taken off, and what is not a tensor (epochs, options, the state
    of an optimiser beside a wrapped network) is left out. A pickled module gives the state it would give itself.

    MATLAB arrays keep MATLAB's order of axes, ``(h, w, in, out)`` for a kernel, in both versions of the format; the
    layers of a MatConvNet network come as ``conv00_weight`` (out, in, h, w), ``conv00_bias``, ``conv01_weight`` …
    A cell is a list: the third kernel of the cell ``weight`` of the structure ``model`` is ``weight.2``.

    Raises:
        FileProblem: it is missing, truncated, no checkpoint, holds no tensors, or asks for code to be run.
        MissingDependency: MATLAB 7.3 files need the package h5py.
    """
    kind = _kind(path)
    if kind == "safetensors":
        return _read_safetensors(path)
    tree = {"torch": read_pickle, "npz": _read_npz, "matlab": read_matlab, "hdf5": read_hdf5}[kind](path)
    state = _without_module(dict(_flat(_unwrapped(tree), "")))
    if not state:
        raise FileProblem(f"{path} holds no tensors, so it is not a checkpoint")
    return state


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty of any other file and where there is none.

    Raises:
        FileProblem: the file is missing, damaged or no checkpoint.
    """
    if _kind(path) != "safetensors":
        return {}
    with damage(SafetensorError, OSError, what=path), safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})


def require_checkpoint(path: Path) -> None:
    """Refuse, without reading it whole, a file that begins like no checkpoint.

    Raises:
        FileProblem: it is none.
    """
    _kind(path)


def _kind(path: Path) -> str:
    """How the file is to be read: safetensors, torch, npz, matlab or hdf5."""
    try:
        with path.open("rb") as file:
            start = file.read(520)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileProblem(f"the weights {path} cannot be read: {reason}") from error
    if not start:
        raise FileProblem(f"{path} is empty")
    if start.startswith(b"MATLAB 5.0"):
        return "matlab"
    if start.startswith((b"MATLAB 7.3", _HDF5)) or start[512:].startswith(_HDF5):
        return "hdf5"
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_archive(path)
    if start[:1] == b"\x80":
        return "torch"
    if start[8:9] == b"{":
        return "safetensors"
    raise FileProblem(f"{path} is not a checkpoint: it is neither safetensors, PyTorch, .npz nor MATLAB")


def _kind_of_archive(path: Path) -> str:
    with damage(*ZIP_ERRORS, what=path), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith("/constants.pkl") for name in names):
        raise FileProblem(f"{path} is a TorchScript program, not a checkpoint: save its state_dict() instead")
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    raise FileProblem(f"{path} is an archive, but of neither PyTorch nor NumPy")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    with damage(SafetensorError, OSError, what=path), safe_open(path, framework="pt", device="cpu") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}
    if not state:
        raise FileProblem(f"{path} holds no tensors, so it is not a checkpoint")
    return _without_module(state)


def _read_npz(path: Path) -> dict[str, object]:
    with damage(*NUMPY_ERRORS, what=path), np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _unwrapped(tree: object) -> object:
    """The network inside the mappings it is kept in."""
    while True:
        if isinstance(tree, Stub):
            return tree
        if not isinstance(tree, Mapping):
            return tree
        inside = [tree[key] for key in WRAPPERS if key in tree and any(_flat(tree[key], ""))]
        nested = [value for value in inside if isinstance(value, Mapping | Stub)]
        if not nested:
            return tree
        tree = nested[0]


def _flat(tree: object, name: str) -> Iterator[tuple[str, Tensor]]:
    """Every tensor below ``tree``, named by the way to it."""
    if isinstance(tree, Stub):
        tree = tree.tensors()
    if isinstance(tree, Tensor):
        yield name, tree.detach()
    elif isinstance(tree, np.ndarray):
        if tree.dtype.kind in "fiub" and tree.dtype.itemsize <= 8:
            yield name, torch.from_numpy(np.ascontiguousarray(tree, dtype=tree.dtype.newbyteorder("=")))
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    elif isinstance(tree, Sequence) and not isinstance(tree, str | bytes):
        for index, value in enumerate(tree):
            yield from _flat(value, f"{name}.{index}" if name else str(index))


def _without_module(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names without the prefix that ``DataParallel`` adds to all of them."""
    while state and all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state


def record_in(header: Mapping[str, str]) -> dict[str, object] | None:
    """What restora wrote into the header of a safetensors file, still as plain mappings; None where it is not ours."""
    text = header.get("restora")
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
