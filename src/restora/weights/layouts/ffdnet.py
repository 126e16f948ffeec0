"""Layouts of FFDNet: KAIR's state dicts (``model.N``), which are ours, and the authors' MATLAB files (``convNN``)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from restora.weights.layouts.dncnn import chain_of, fits
from restora.weights.layouts.recognised import Recognised

_BY_COLUMNS = (0, 2, 1, 3)
"""MATLAB counts the pixels of a 2×2 block down the columns: its number of the pixels that PyTorch calls 0, 1, 2, 3."""


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """FFDNet, or None: a chain without normalisations that takes 4c + 1 channels and gives 4c.

    The kernels of MATLAB are re-ordered for PyTorch's order of the four half-size images. The model of colour noise
    with covariances (18 channels in, 12 out) is none of ours.
    """
    chain = chain_of(state)
    if chain is None or chain.norms or chain.leaving % 4 or chain.entering != chain.leaving + 1:
        return None
    fields = {"channels": chain.leaving // 4, "depth": chain.depth, "width": chain.width}
    tensors = chain.state()
    if chain.layout == "MATLAB":
        tensors = _by_rows(tensors, chain.depth, chain.leaving)
    found = Recognised("ffdnet", fields, tensors, chain.layout)
    return found if fits(found) else None


def _by_rows(state: dict[str, Tensor], depth: int, channels: int) -> dict[str, Tensor]:
    """The state with the image channels of the first and last convolution in PyTorch's order."""
    order = [4 * (channel // 4) + _BY_COLUMNS[channel % 4] for channel in range(channels)]
    first, last = "model.0.weight", f"model.{2 * depth - 2}"
    permuted = {first: state[first][:, torch.tensor([*order, channels])]}
    permuted |= {key: state[key][torch.tensor(order)] for key in (f"{last}.weight", f"{last}.bias") if key in state}
    return {**state, **permuted}
