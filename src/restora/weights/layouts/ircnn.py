"""Layouts of IRCNN: KAIR's mapping of 25 state dicts, the authors' cell of 25 networks, and single denoisers.

Flat, the keys are ``0.model.0.weight`` … or ``0.conv00_weight`` …; ours begin with ``bank.``; a single denoiser has
``model.0.weight`` or ``conv00_weight``.
"""

import re
from collections.abc import Mapping
from typing import TypeGuard

from torch import Tensor

from restora.weights.layouts.dncnn import IRCNN_DEPTH, Chain, chain_of, fits
from restora.weights.layouts.recognised import Recognised

_MEMBER = re.compile(r"(bank\.)?(\d+)\.(.+)")


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """IRCNN, or None: chains of seven convolutions without normalisations; a single one is a bank of one level."""
    members = _members(state)
    chains = {index: chain_of(member) for index, member in members.items()}
    bank = [chain for chain in (chains.get(index) for index in range(len(chains))) if _is_ircnn(chain)]
    if not bank or len(bank) != len(chains):
        return None
    fields = {"channels": bank[0].leaving, "levels": len(bank), "width": bank[0].width}
    tensors = {f"bank.{n}.{key}": tensor for n, chain in enumerate(bank) for key, tensor in chain.state().items()}
    layout = "restora" if next(iter(state)).startswith("bank.") else bank[0].layout
    found = Recognised("ircnn", fields, tensors, layout)
    return found if fits(found) else None


def _members(state: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """The state of each denoiser by its place in the bank; keys that name no place are those of the first."""
    members: dict[int, dict[str, Tensor]] = {}
    for key, tensor in state.items():
        found = _MEMBER.fullmatch(key)
        index, name = (int(found[2]), found[3]) if found else (0, key)
        members.setdefault(index, {})[name] = tensor
    return members


def _is_ircnn(chain: Chain | None) -> TypeGuard[Chain]:
    return chain is not None and not chain.norms and chain.depth == IRCNN_DEPTH and chain.entering == chain.leaving
