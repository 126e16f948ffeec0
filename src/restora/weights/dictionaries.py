"""Pairs of dictionaries: those that ship, and files of the same kind."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from scipy.io import loadmat
from torch import Tensor

from restora.core.damage import damage
from restora.core.errors import FileProblem
from restora.weights.matlab import MATLAB_ERRORS
from restora.weights.record import Record
from restora.weights.save import save_weights
from restora.weights.store import find

ARCHITECTURE = "scsr"
"""What a record calls a pair of dictionaries."""

_NAMES = (("D_h", "D_l"), ("Dh", "Dl"))


@lru_cache(maxsize=8)
def dictionaries(weights: str) -> tuple[Float[Tensor, "p K"], Float[Tensor, "q K"]]:
    """D_h and D_l, float32, atoms in columns, patches column by column and features one after the other.

    Args:
        weights: name of a pair that ships (``scsr-x2``), or path of a file: safetensors with ``D_h`` and ``D_l``, or a
            MATLAB file with ``Dh`` and ``Dl`` as the authors of ScSR published theirs.

    Raises:
        MissingWeights: there is no such name or file.
        FileProblem: the file cannot be read, or holds no pair.
    """
    path = find(weights)
    with damage(*MATLAB_ERRORS, SafetensorError, what=path):
        state: Mapping[str, Any] = loadmat(path) if path.suffix == ".mat" else load_file(path)
    for names in _NAMES:
        if all(name in state and state[name].ndim == 2 for name in names):
            # What is kept must serve callers outside of inference mode as well; an array of objects is a TypeError.
            with damage(TypeError, what=path), torch.inference_mode(False):
                D_h, D_l = (torch.as_tensor(state[name]).float() for name in names)
            if D_h.shape[1] == D_l.shape[1]:
                return D_h, D_l
    raise FileProblem(f"{path} holds no pair of dictionaries D_h and D_l with the same number of atoms")


def save_dictionaries(pair: tuple[Float[Tensor, "p K"], Float[Tensor, "q K"]], folder: Path, record: Record) -> Record:
    """Write a pair as NAME.safetensors with its record; half precision costs less than 0.001 dB.

    Args:
        pair: D_h and D_l.
        folder: where to.
        record: of the architecture :data:`ARCHITECTURE`.

    Returns:
        The record with size and sum.

    Raises:
        FileProblem: it cannot be written.
    """
    return save_weights({name: D.half().contiguous() for name, D in zip(_NAMES[0], pair)}, record, folder)
