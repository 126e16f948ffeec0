"""Recognise: from the names and shapes of the tensors to the architecture, its fields and our names."""

from collections.abc import Mapping
from importlib import import_module

from torch import Tensor

from restora.core.errors import FileProblem
from restora.nets.architectures import ARCHITECTURES
from restora.weights.layouts.recognised import Recognised

LAYOUTS = (
    "srcnn",
    "espcn",
    "vdsr",
    "scn",
    "srresnet",
    "rrdbnet",
    "dncnn",
    "ffdnet",
    "ircnn",
    "drunet",
    "nafnet",
    "swinir",
    "restormer",
    "scunet",
    "ipt",
)
"""The modules of ``weights/layouts``, in the order in which they are asked."""


def recognise(state: Mapping[str, Tensor], where: str) -> Recognised:
    """What the tensors are the weights of.

    Args:
        state: flat, as :func:`restora.weights.files.read_state` gives it.
        where: the file, for the message.

    Raises:
        FileProblem: no architecture of restora has such tensors.
    """
    for name in LAYOUTS:
        found = import_module(f"restora.weights.layouts.{name}").recognise(state)
        if found is not None:
            return found
    some = ", ".join(f"{key} {tuple(tensor.shape)}" for key, tensor in list(state.items())[:3])
    raise FileProblem(
        f"{where} is of no architecture known here: it has {len(state)} tensors, the first of them {some}; "
        f"known: {', '.join(ARCHITECTURES)}"
    )
