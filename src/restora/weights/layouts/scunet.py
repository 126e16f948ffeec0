"""SCUNet: the authors' keys are ours, so their files (also KAIR's) and our own are both called "restora"."""

from collections.abc import Mapping

from torch import Tensor

from restora.weights.layouts.recognised import Recognised

STAGES = ("m_down1", "m_down2", "m_down3", "m_body", "m_up3", "m_up2", "m_up1")
TABLE = "trans_block.msa.relative_position_params"


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """The network of a state, None if it is not an SCUNet."""
    if "m_head.0.weight" not in state:
        return None
    tables = {key: value for key, value in state.items() if key.endswith(TABLE)}
    if not tables:
        return None
    key, table = next(iter(tables.items()))
    half = state[key.replace("relative_position_params", "linear.weight")].shape[0]
    width, channels = state["m_head.0.weight"].shape[:2]
    fields = {
        "channels": channels,
        "width": width,
        "depths": tuple(sum(key.startswith(f"{stage}.") for key in tables) for stage in STAGES),
        "head_width": half // table.shape[0],
        "window": (table.shape[1] + 1) // 2,
    }
    return Recognised("scunet", fields, dict(state), "restora")
