"""Layouts of VDSR.

Known are twtygqyy's ``input.weight``, ``residual_layer.{i}.conv.weight``, ``output.weight`` (no biases; a re-training
with biases loads too), Nhat-Thanh's ``conv_1``, ``conv_2_to_19.conv_{i}``, ``conv_20``, our own ``layers.{i}.weight``
and ``.bias``, and the official structure ``model`` of MATLAB with the cells ``weight`` and ``bias``. Of that the keys
are ``weight.{i}``, kernels of axes (y, x, in, out) with trailing axes of length one dropped, and ``bias.{i}``, counted
from 0 or from 1, with or without ``model.`` before them.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised

_MATLAB = re.compile(r"(?:model\.)?(weight|bias)\.(\d+)")
_NHAT_THANH = re.compile(r"(?:conv_2_to_19\.)?conv_(\d+)\.(weight|bias)")
_INNER = re.compile(r"residual_layer\.(\d+)\.conv\.(weight|bias)")


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """VDSR, or None."""
    if "layers.0.weight" in state:
        return _with_fields(state, "restora")
    if "residual_layer.0.conv.weight" in state:
        return _with_fields(_from_twtygqyy(state), "twtygqyy")
    matches = [(_NHAT_THANH.fullmatch(key), tensor) for key, tensor in state.items()]
    if "conv_2_to_19.conv_2.weight" in state and all(match for match, _ in matches):
        renamed = {f"layers.{int(match[1]) - 1}.{match[2]}": tensor for match, tensor in matches if match}
        return _with_fields(renamed, "Nhat-Thanh")
    if all(_MATLAB.fullmatch(key) for key in state):
        return _with_fields(_from_matlab(state), "MATLAB")
    return None


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    weights = [tensor for key, tensor in state.items() if key.endswith(".weight")]
    first = state.get("layers.0.weight")
    if first is None or first.ndim != 4 or len(weights) < 2:
        return None
    fields = {
        "depth": len(weights),
        "width": first.shape[0],
        "channels": first.shape[1],
        "bias": "layers.0.bias" in state,
    }
    found = Recognised("vdsr", fields, state, layout)
    return found if fits(found) else None


def _from_twtygqyy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    inner = sum(key.endswith(".conv.weight") for key in state)
    ends = {"input": 0, "output": inner + 1}
    renamed: dict[str, Tensor] = {}
    for key, tensor in state.items():
        match = _INNER.fullmatch(key)
        name, part = key.split(".")[0], key.split(".")[-1]
        index = int(match[1]) + 1 if match else ends.get(name, name)
        renamed[f"layers.{index}.{part}"] = tensor
    return renamed


def _from_matlab(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = [(match[1], int(match[2]), state[match[0]]) for key in state if (match := _MATLAB.fullmatch(key))]
    start = min((index for _, index, _ in found), default=0)
    renamed: dict[str, Tensor] = {}
    for part, index, tensor in found:
        if part == "weight":
            kernel = tensor.reshape(tensor.shape + (1,) * (4 - tensor.ndim)).permute(3, 2, 0, 1).contiguous()
            renamed[f"layers.{index - start}.weight"] = kernel
        else:
            renamed[f"layers.{index - start}.bias"] = tensor.reshape(-1)
    return renamed
