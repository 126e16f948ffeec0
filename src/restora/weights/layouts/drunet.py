"""Layout of DRUNet: the authors' names (DPIR, KAIR), which are ours."""

from collections.abc import Mapping

from torch import Tensor

from restora.weights.layouts.dncnn import fits
from restora.weights.layouts.recognised import Recognised


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """DRUNet of any four widths and number of blocks, or None."""
    head = state.get("m_head.weight")
    if head is None or head.ndim != 4:
        return None
    blocks = len({key.split(".")[1] for key in state if key.startswith("m_body.")})
    downs = [state.get(f"m_down{scale}.{blocks}.weight") for scale in (1, 2, 3)]
    widths = (head.shape[0], *(down.shape[0] for down in downs if down is not None))
    if len(widths) != 4:
        return None
    fields = {"channels": head.shape[1] - 1, "widths": widths, "blocks": blocks}
    found = Recognised("drunet", fields, dict(state), "DPIR")
    return found if fields["channels"] >= 1 and fits(found) else None
