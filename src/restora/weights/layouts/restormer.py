"""Restormer: the authors' keys are ours, so their files and our own are both called "restora"."""

from collections.abc import Mapping

from torch import Tensor

from restora.weights.layouts.recognised import Recognised

LEVELS = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
OTHERS = ("decoder_level1", "decoder_level2", "decoder_level3", "refinement", "patch_embed", "output")
BETWEEN = ("down1_2", "down2_3", "down3_4", "up4_3", "up3_2", "up2_1", "reduce_chan_level3", "reduce_chan_level2")


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """The network of a state, None if it is not a Restormer.

    The network for pairs of defocused views and relatives of Restormer, such as PromptIR, have further parts.
    """
    if {key.split(".")[0] for key in state} != {*LEVELS, *OTHERS, *BETWEEN}:
        return None
    if any(f"{level}.0.attn.temperature" not in state for level in LEVELS):
        return None
    width, channels = state["patch_embed.proj.weight"].shape[:2]
    with_bias = "encoder_level1.0.norm1.body.bias" in state
    fields = {
        "channels": channels,
        "width": width,
        "blocks": tuple(_count(state, level) for level in LEVELS),
        "refinement": _count(state, "refinement"),
        "heads": tuple(state[f"{level}.0.attn.temperature"].shape[0] for level in LEVELS),
        "expansion": _expansion(state, width),
        "normalisation": "with-bias" if with_bias else "bias-free",
    }
    return Recognised("restormer", fields, dict(state), "restora")


def _expansion(state: Mapping[str, Tensor], width: int) -> float:
    """The authors' 2.66 if it gives the hidden channels of every level, else another number that does."""
    hidden = [state[f"{level}.0.ffn.project_out.weight"].shape[1] for level in LEVELS]
    if all(int(width * 2**level * 2.66) == n for level, n in enumerate(hidden)):
        return 2.66
    return (hidden[-1] + 0.5) / (width * 2 ** (len(LEVELS) - 1))


def _count(state: Mapping[str, Tensor], level: str) -> int:
    """How many blocks a level has."""
    n = 0
    while f"{level}.{n}.attn.temperature" in state:
        n += 1
    return n
