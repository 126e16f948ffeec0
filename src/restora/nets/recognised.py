"""What a checkpoint turned out to be."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Recognised:
    """An architecture, its fields, and the state under the keys of our module.

    Attributes:
        architecture: a name of :func:`restora.nets.architectures.architectures`.
        fields: what its constructor takes; fields that keep their default may be left out.
        state: loads with ``strict=True`` into the built network.
        layout: whose keys they were, for a person: ``"KAIR"``, ``"BasicSR"``, ``"SaoYan"`` …
    """

    architecture: str
    fields: Mapping[str, object]
    state: Mapping[str, Tensor]
    layout: str
