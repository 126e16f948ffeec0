"""Matlab: networks in .mat files of version 5 (SciPy) and 7.3 (HDF5, by the optional package h5py).

Arrays come in MATLAB's order of axes whichever the version. MATLAB drops trailing axes of length one: a kernel of 64
inputs and one output is (3, 3, 64).
"""

import zlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from restora.core.damage import damage
from restora.core.errors import MissingDependency

MATLAB_ERRORS = (OSError, ValueError, TypeError, LookupError, RuntimeError, MatReadError, zlib.error)
"""What SciPy raises for damaged files; RuntimeError is also that a file is of another version."""


def read_matlab(path: Path) -> object:
    """The variables of a version 5 file: structures as mappings, cells as lists, numbers as arrays."""
    with damage(*MATLAB_ERRORS, what=path):
        variables = loadmat(path, struct_as_record=True, squeeze_me=False)
    return _with_layers({name: _plain(value) for name, value in variables.items() if not name.startswith("__")})


def read_hdf5(path: Path) -> object:
    """The same of a version 7.3 file.

    Raises:
        MissingDependency: the package h5py is not installed.
    """
    try:
        h5py = import_module("h5py")
    except ImportError as error:
        raise MissingDependency(
            f'{path} is a MATLAB 7.3 file and needs the package h5py: pip install "restora[io]"'
        ) from error
    with damage(OSError, RuntimeError, ValueError, KeyError, what=path), h5py.File(path, "r") as file:
        walk = _Hdf5(file, h5py)
        variables = {name: walk.plain(file[name]) for name in file if not str(name).startswith("#")}
    return _with_layers(variables)


def _plain(value: Any) -> object:
    """A variable of SciPy without its wrappings."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names is not None:
        structures = [{name: _plain(one[name]) for name in value.dtype.names} for one in _in_order(value)]
        return structures[0] if len(structures) == 1 else structures
    if value.dtype == object:
        return [_plain(one) for one in _in_order(value)]
    if value.dtype.kind in "US":
        return "".join(str(one) for one in value.ravel())
    return value


def _in_order(value: np.ndarray) -> Iterator[Any]:
    """The elements as MATLAB counts them, down the columns."""
    return iter(value.ravel(order="F"))


class _Hdf5:
    """Walks the groups and references of a version 7.3 file."""

    def __init__(self, file: Any, h5py: Any) -> None:
        self._file, self._h5py = file, h5py

    def plain(self, node: Any) -> object:
        """A group or data set as mapping, list, text or array in MATLAB's order of axes."""
        if isinstance(node, self._h5py.Group):
            return {name: self.plain(node[name]) for name in node}
        if not isinstance(node, self._h5py.Dataset) or "MATLAB_empty" in node.attrs:
            return None
        value = node[()]
        if node.dtype == self._h5py.ref_dtype:
            # HDF5 lists the axes the other way round, so its rows are MATLAB's columns.
            return [self.plain(self._file[reference]) for reference in value.ravel()]
        if _is_text(node):
            return "".join(chr(code) for code in value.ravel())
        return value.T


def _is_text(node: Any) -> bool:
    kind = node.attrs.get("MATLAB_class", b"")
    return (kind.decode() if isinstance(kind, bytes) else str(kind)) == "char"


def _with_layers(variables: Mapping[str, object]) -> object:
    """The variables, with every MatConvNet network among them as the kernels of its convolutions."""
    networks = {name: _networks(value) for name, value in variables.items()}
    found = {name: network for name, network in networks.items() if network is not None}
    if len(found) == 1:
        return next(iter(found.values()))
    return {**variables, **found}


def _networks(value: object) -> object | None:
    """The convolutions of a network, a list of them for a cell of networks, None of any other variable."""
    if isinstance(value, Mapping) and "layers" in value:
        return _convolutions(value["layers"]) or None
    if isinstance(value, list) and value and all(isinstance(one, Mapping) and "layers" in one for one in value):
        return [_networks(one) for one in value]
    return None


def _convolutions(layers: object) -> dict[str, np.ndarray]:
    """``convNN_weight`` (out, in, h, w) and ``convNN_bias`` (out) of the convolutions, counted from 00.

    A normalisation that was not merged stays as ``bnormNN_0`` …, so that nobody takes the network for a merged one.
    """
    found: dict[str, np.ndarray] = {}
    count = 0
    for layer in _as_list(layers):
        arrays = _weights_of(layer)
        if not arrays:
            continue
        kind = str(layer.get("type"))
        if kind == "conv" and arrays[0].ndim <= 4:
            kernel = arrays[0].reshape(arrays[0].shape + (1,) * (4 - arrays[0].ndim))
            found[f"conv{count:02d}_weight"] = kernel.transpose(3, 2, 0, 1)
            found.update({f"conv{count:02d}_bias": bias.ravel() for bias in arrays[1:2] if bias.size})
            count += 1
        else:
            found.update({f"{kind}{count:02d}_{index}": array for index, array in enumerate(arrays)})
    return found


def _weights_of(layer: object) -> list[np.ndarray]:
    """The arrays of a layer; of old releases as two fields, of newer ones in the cell ``weights``."""
    if not isinstance(layer, Mapping):
        return []
    parts = _as_list(layer.get("weights", [])) or [layer.get("filters"), layer.get("biases")]
    return [part for part in parts if isinstance(part, np.ndarray)]


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
