"""SwinIR: the authors' files (also written by KAIR) and our own, which lack their two kinds of buffers."""

from collections.abc import Mapping
from math import isqrt

from torch import Tensor

from restora.weights.layouts.recognised import Recognised

BUFFERS = (".attn_mask", ".attn.relative_position_index")  # of the size trained on; made anew by our module
PARTS = ("norm1", "attn", "norm2", "mlp", "attn_mask")  # of a layer; relatives of SwinIR, such as HAT, have others
TABLE = "layers.{}.residual_group.blocks.0.attn.relative_position_bias_table"


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """The network of a state, None if it is not a SwinIR.

    The range of the picture leaves no trace in the shapes: windows of 7 are taken for the authors' networks against
    JPEG, which multiply by 255, all others for 1. Variants with an absolute positional embedding, which the authors
    never released, are not recognised.
    """
    if TABLE.format(0) not in state or "conv_first.weight" not in state or "patch_embed.norm.weight" not in state:
        return None
    if "absolute_pos_embed" in state or _is_a_relative(state):
        return None
    kept = {key: value for key, value in state.items() if not key.endswith(BUFFERS)}
    tables = [state[TABLE.format(i)] for i in range(_count(state, "layers.{}.residual_group.blocks.0.norm1.weight"))]
    width, channels = state["conv_first.weight"].shape[:2]
    window = (isqrt(tables[0].shape[0]) + 1) // 2
    upsampler, scale = _reconstruction(state, channels)
    blocks = "layers.{}.residual_group.blocks.{{}}.norm1.weight"
    fields = {
        "channels": channels,
        "scale": scale,
        "upsampler": upsampler,
        "width": width,
        "depths": tuple(_count(state, blocks.format(i)) for i in range(len(tables))),
        "heads": tuple(table.shape[1] for table in tables),
        "window": window,
        "residual": "3conv" if "conv_after_body.0.weight" in state else "1conv",
        "image_range": 255.0 if window == 7 else 1.0,
    }
    return Recognised("swinir", fields, kept, "SwinIR" if len(kept) < len(state) else "restora")


def _is_a_relative(state: Mapping[str, Tensor]) -> bool:
    """The layers have parts that SwinIR's have not."""
    layers = (key.split(".")[3:] for key in state if key.startswith("layers.") and ".residual_group." in key)
    return any(rest[0] != "blocks" or rest[2] not in PARTS for rest in layers)


def _reconstruction(state: Mapping[str, Tensor], channels: int) -> tuple[str, int]:
    """The kind of reconstruction and its scale."""
    if "conv_up1.weight" in state:
        return "nearest-conv", 4 if "conv_up2.weight" in state else 2
    if "upsample.0.weight" not in state:
        return "none", 1
    shape = state["upsample.0.weight"].shape
    if "conv_before_upsample.0.weight" not in state:
        return "pixelshuffle-direct", isqrt(shape[0] // channels)
    steps = sum(f"upsample.{2 * i}.weight" in state for i in range(4))
    return "pixelshuffle", isqrt(shape[0] // shape[1]) ** steps


def _count(state: Mapping[str, Tensor], key: str) -> int:
    """How many numbers, from 0 on, make the key one of the state."""
    n = 0
    while key.format(n) in state:
        n += 1
    return n
