"""Layouts of SRCNN.

Known are ``conv1``, ``conv2``, ``conv3`` with ``weight`` and ``bias`` (fuyongXu, yjn870; ours too),
``patch_extraction``, ``nonlinear_map``, ``recon`` (Nhat-Thanh, who does not pad: the same but for the border), and the
arrays of the authors' MATLAB files: ``weights_conv1`` (f₁², n₁), ``weights_conv2`` (n₁, f₂², n₂), ``weights_conv3``
(n₂, f₃²), each kernel column after column, with ``biases_conv1`` … ``biases_conv3``.
"""

from collections.abc import Mapping
from math import isqrt

from jaxtyping import Shaped
from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised

_LAYERS = (1, 2, 3)
_KEYS = {f"conv{n}.{part}" for n in _LAYERS for part in ("weight", "bias")}
_NHAT_THANH = {"patch_extraction": "conv1", "nonlinear_map": "conv2", "recon": "conv3"}
_MATLAB_KEYS = {f"{part}_conv{n}" for n in _LAYERS for part in ("weights", "biases")}


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """SRCNN, or None; three convolutions that end with more channels than they began with are left to ESPCN."""
    if set(state) == _KEYS:
        return _with_fields(state, "restora")
    if {key.split(".")[0] for key in state} == set(_NHAT_THANH):
        renamed = {_NHAT_THANH[key.split(".")[0]] + "." + key.split(".")[-1]: tensor for key, tensor in state.items()}
        return _with_fields(renamed, "Nhat-Thanh") if set(renamed) == _KEYS else None
    if set(state) >= _MATLAB_KEYS:
        renamed = _from_matlab(state)
        return None if renamed is None else _with_fields(renamed, "MATLAB")
    return None


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    weights = [state[f"conv{n}.weight"] for n in _LAYERS]
    if any(weight.ndim != 4 or weight.shape[2] != weight.shape[3] for weight in weights):
        return None
    kernels = tuple(weight.shape[2] for weight in weights)
    channels = weights[0].shape[1]
    if weights[2].shape[0] != channels or any(side % 2 == 0 for side in kernels):
        return None
    fields = {"kernels": kernels, "widths": (weights[0].shape[0], weights[1].shape[0]), "channels": channels}
    found = Recognised("srcnn", fields, state, layout)
    return found if fits(found) else None


def _from_matlab(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Kernels (out, in, y, x) of the matrices; None where they are no matrices of square kernels of one channel."""
    first, second, third = (state[f"weights_conv{n}"] for n in _LAYERS)
    if first.ndim != 2 or third.ndim != 2:
        return None
    n1, n2 = first.shape[1], third.shape[0]
    second = second.reshape(n1, -1, n2) if second.numel() % (n1 * n2) == 0 else second
    areas = (first.shape[0], second.shape[1], third.shape[1])
    if second.ndim != 3 or any(isqrt(area) ** 2 != area for area in areas):
        return None
    weights = (_kernels(first.T[:, None]), _kernels(second.permute(2, 0, 1)), _kernels(third[None]))
    named = {f"conv{n}.weight": weight for n, weight in zip(_LAYERS, weights)}
    return named | {f"conv{n}.bias": state[f"biases_conv{n}"].reshape(-1) for n in _LAYERS}


def _kernels(columns: Shaped[Tensor, "o i a"]) -> Shaped[Tensor, "o i f f"]:
    """Square kernels that lay column after column."""
    side = isqrt(columns.shape[2])
    return columns.reshape(*columns.shape[:2], side, side).transpose(2, 3).contiguous()
