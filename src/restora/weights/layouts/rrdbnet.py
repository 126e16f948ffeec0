"""Layouts of RRDBNet.

Known are the keys of the first ESRGAN code (``model.1.sub.{i}.RDB{j}.conv{k}.0``, and KAIR's mixture, whose fifth
convolution lacks the ``.0``), of the second and KAIR's rrdbnet (``RRDB_trunk.{i}.RDB{j}.conv{k}``, ``HRconv``), and of
BasicSR and Real-ESRGAN (``body.{i}.rdb{j}.conv{k}``, ``conv_hr``), which are ours.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised

_FIRST = re.compile(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)(?:\.0)?\.(weight|bias)")
_SECOND = (
    (r"^RRDB_trunk\.(\d+)\.RDB(\d)", r"body.\1.rdb\2"),
    (r"^trunk_conv", "conv_body"),
    (r"^upconv", "conv_up"),
    (r"^HRconv", "conv_hr"),
)


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """RRDBNet, or None."""
    if "body.0.rdb1.conv1.weight" in state:
        return _with_fields(state, "BasicSR")
    if "RRDB_trunk.0.RDB1.conv1.weight" in state:
        return _with_fields({_from_second(key): tensor for key, tensor in state.items()}, "ESRGAN")
    if "model.1.sub.0.RDB1.conv1.0.weight" in state:
        mixed = "model.1.sub.0.RDB1.conv5.weight" in state
        return _with_fields(_from_first(state), "KAIR" if mixed else "ESRGAN (old)")
    return None


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    first, last = state.get("conv_first.weight"), state.get("conv_last.weight")
    if first is None or last is None or first.ndim != 4:
        return None
    channels = last.shape[0]
    fold = {1: 1, 4: 2, 16: 4}.get(first.shape[1] // channels)
    doublings = sum(re.fullmatch(r"conv_up\d+\.weight", key) is not None for key in state)
    if fold is None or 2**doublings % fold or 2**doublings // fold not in (1, 2, 4, 8):
        return None
    fields = {
        "scale": 2**doublings // fold,
        "channels": channels,
        "blocks": sum(re.fullmatch(r"body\.\d+\.rdb1\.conv1\.weight", key) is not None for key in state),
        "width": first.shape[0],
        "growth": state["body.0.rdb1.conv1.weight"].shape[0],
        "folded": fold > 1 or doublings >= 2,
    }
    found = Recognised("rrdbnet", fields, state, layout)
    return found if fits(found) else None


def _from_second(key: str) -> str:
    for pattern, ours in _SECOND:
        renamed, count = re.subn(pattern, ours, key)
        if count:
            return renamed
    return key


def _from_first(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names of ``model.N``: 0, then 1 the body, one convolution a doubling from 3 in steps of 3, and two more."""
    outside = sorted({int(key.split(".")[1]) for key in state if re.fullmatch(r"model\.\d+\.(weight|bias)", key)})
    ends = ["conv_first", *(f"conv_up{n}" for n in range(1, len(outside) - 2)), "conv_hr", "conv_last"]
    names = dict(zip(outside, ends))
    renamed: dict[str, Tensor] = {}
    for key, tensor in state.items():
        match = _FIRST.fullmatch(key)
        parts = key.split(".")
        if match:
            renamed[f"body.{match[1]}.rdb{match[2]}.conv{match[3]}.{match[4]}"] = tensor
        elif key.startswith("model.1.sub."):
            renamed[f"conv_body.{parts[-1]}"] = tensor
        elif re.fullmatch(r"model\.\d+\.(weight|bias)", key):
            renamed[f"{names[int(parts[1])]}.{parts[-1]}"] = tensor
        else:
            renamed[key] = tensor
    return renamed
