"""Layouts of SCN.

Known are our own names and the arrays of the .mat files of huangzehao's MATLAB re-implementation: ``conv`` (81, 100),
``mean2`` (169, 1), ``diffms`` (81, 25), each filter column after column; ``wd`` (100, K), ``usd1`` (K, K), ``ud``
(K, 25), which multiply rows of features from the right; ``addp`` (25, 1). They hold one recurrent stage. Further arrays
are ignored.
"""

from collections.abc import Mapping
from math import isqrt

from jaxtyping import Shaped
from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised

_FILTERS = {"conv": "features", "mean2": "mean", "diffms": "contrast"}
_MATRICES = {"wd": "encode", "usd1": "recur", "ud": "decode"}


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """SCN, or None. Neither layout tells the number of recurrent stages: it is taken to be one, as in the paper."""
    if {"features.weight", "recur.weight", "places"} <= set(state):
        return _with_fields(state, "restora")
    if {*_FILTERS, *_MATRICES, "addp"} <= set(state):
        renamed = _from_matlab(state)
        return None if renamed is None else _with_fields(renamed, "huangzehao")
    return None


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    found = Recognised("scn", {"stages": 1, "atoms": state["recur.weight"].shape[0]}, state, layout)
    return found if fits(found) else None


def _from_matlab(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    arrays = [state[name] for name in (*_FILTERS, *_MATRICES)]
    if any(array.ndim != 2 for array in arrays) or any(
        isqrt(len(state[name])) ** 2 != len(state[name]) for name in _FILTERS
    ):
        return None
    renamed = {f"{ours}.weight": _kernels(state[name]) for name, ours in _FILTERS.items()}
    renamed |= {f"{ours}.weight": state[name].T.contiguous()[:, :, None, None] for name, ours in _MATRICES.items()}
    return renamed | {"places": state["addp"].reshape(-1)}


def _kernels(filters: Shaped[Tensor, "a k"]) -> Shaped[Tensor, "k 1 f f"]:
    """Square filters that lay column after column, one in each column of the matrix."""
    side = isqrt(len(filters))
    return filters.T.reshape(-1, 1, side, side).transpose(2, 3).contiguous()
