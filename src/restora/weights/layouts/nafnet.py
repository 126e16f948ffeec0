"""Layout of NAFNet: the authors' names, which are ours."""

import re
from collections.abc import Mapping

from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """NAFNet of any width and numbers of blocks, or None; ``window`` is not in the weights and stays 0."""
    intro = state.get("intro.weight")
    scales = _count(state, r"downs\.(\d+)\..+")
    if intro is None or intro.ndim != 4 or scales == 0:
        return None
    fields = {
        "channels": intro.shape[1],
        "width": intro.shape[0],
        "encoders": tuple(_count(state, rf"encoders\.{scale}\.(\d+)\..+") for scale in range(scales)),
        "middle": _count(state, r"middle_blks\.(\d+)\..+"),
        "decoders": tuple(_count(state, rf"decoders\.{scale}\.(\d+)\..+") for scale in range(scales)),
    }
    found = Recognised("nafnet", fields, dict(state), "NAFNet")
    return found if fits(found) else None


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    """How many numbers stand at the place of the group in the keys."""
    return len({found[1] for key in state if (found := re.fullmatch(pattern, key))})
