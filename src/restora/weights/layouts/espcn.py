"""Layouts of ESPCN.

Known are ``first_part.{0,2}``, ``last_part.0`` (yjn870), ``feature_maps.{0,2}``, ``sub_pixel.0`` (Lornatang),
``conv_1`` … ``conv_3`` (Nhat-Thanh), and our own ``conv1``, ``conv2``, ``conv3``. Some networks of that last naming end
in a tanh, or use relu; their keys do not tell it, and they would be taken for ESPCN.
"""

from collections.abc import Mapping
from math import isqrt

from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised

LAYOUTS = {
    "restora": ("conv1", "conv2", "conv3"),
    "yjn870": ("first_part.0", "first_part.2", "last_part.0"),
    "Nhat-Thanh": ("conv_1", "conv_2", "conv_3"),
    "Lornatang": ("feature_maps.0", "feature_maps.2", "sub_pixel.0"),
}


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """ESPCN, or None. Of three convolutions that keep the number of channels, none is taken for it (scale 1)."""
    for layout, layers in LAYOUTS.items():
        names = {
            f"{layer}.{part}": f"conv{n}.{part}" for n, layer in enumerate(layers, 1) for part in ("weight", "bias")
        }
        if set(state) == set(names):
            return _with_fields({names[key]: tensor for key, tensor in state.items()}, layout)
    return None


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    first, second, third = (state[f"conv{n}.weight"] for n in (1, 2, 3))
    if first.ndim != 4 or third.shape[0] % first.shape[1]:
        return None
    channels, area = first.shape[1], third.shape[0] // first.shape[1]
    if isqrt(area) ** 2 != area or area == 1:
        return None
    fields = {"scale": isqrt(area), "channels": channels, "widths": (first.shape[0], second.shape[0])}
    found = Recognised("espcn", fields, state, layout)
    return found if fits(found) else None
