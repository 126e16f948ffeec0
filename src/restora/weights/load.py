"""Load: from the name or the path of weights to a network ready to run."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from restora.core.errors import CannotSolve, FileProblem, InvalidParameter
from restora.nets.architectures import build, channels_of, class_of
from restora.nets.fusion import fused
from restora.nets.network import Network
from restora.nets.precision import Precision, dtype_for
from restora.nets.winograd import use_winograd
from restora.weights.identify import Identified, identify
from restora.weights.record import Record
from restora.weights.store import find

KEPT = 4
"""Networks kept ready: enough for the models of one comparison, few enough for the memory of a laptop."""


@dataclass(frozen=True, eq=False, slots=True)
class Trained:
    """A network with its weights, ready to run and shared by all who ask for it: never change it.

    Attributes:
        network: in eval mode, without gradients, batch normalisation merged, on its device and in its precision.
        name: of the weights.
        architecture: a name of :func:`restora.nets.architectures.architectures`.
        fields: what its constructor was given.
        channels: of the images it takes.
        record: what is known of them; None of files that are not ours.
        layout: whose names the tensors had in the file.
    """

    network: Network
    name: str
    architecture: str
    fields: Mapping[str, object]
    channels: int
    record: Record | None
    layout: str


def load(
    weights: str, architectures: tuple[str, ...], device: torch.device, precision: Precision, sigma: float = 0.0
) -> Trained:
    """The network of these weights on a device; the last :data:`KEPT` are kept, until their files change.

    Args:
        weights: a name of the store, or the path of a file that :func:`restora.weights.files.read_state` reads.
        architectures: those the caller can run.
        device: where to compute.
        precision: in which numbers; ``auto`` is bfloat16 where device and network are good at it.
        sigma: of the noise of the images, on which that may depend.

    Raises:
        MissingWeights: there are none of that name.
        FileProblem: the file is damaged, no checkpoint, of no architecture known here, or does not fit its own.
        CannotSolve: its architecture is none of ``architectures``.
    """
    path = find(weights).resolve()
    state = path.stat()
    key = (path, state.st_mtime_ns, state.st_size)
    trained = _loaded(*key)
    if trained.architecture not in architectures:
        needed = " or ".join(dict.fromkeys(_one(class_of(name)) for name in architectures))
        raise CannotSolve(
            f"{path.name} holds {_one(class_of(trained.architecture))}, where {needed} is needed: "
            "name no method, and the weights choose theirs"
        )
    dtype = dtype_for(trained.network, precision, device, sigma)
    return trained if (device.type, dtype) == ("cpu", torch.float32) else _placed(*key, device, dtype)


def network_of(identified: Identified) -> Network:
    """The network with the weights of the file, in float32 on the CPU, as it was trained.

    Raises:
        FileProblem: the tensors do not fit the architecture.
    """
    found = identified.found
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in found.state.items()}
    try:
        with torch.device("meta"):  # nothing is drawn that would be overwritten: that takes DRUNet six seconds
            network = build(found.architecture, found.fields)
    except InvalidParameter as error:
        raise FileProblem(f"{identified.path} cannot be built: {error}") from error
    try:
        network.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise FileProblem(f"{identified.path} does not fit its architecture {found.architecture}: {reason}") from error
    return network


@lru_cache(maxsize=KEPT)
def _loaded(path: Path, modified: int, size: int) -> Trained:
    """On the CPU in float32. With time and size of the file in the key, a file that was replaced is read again."""
    with torch.inference_mode(False):  # what is kept must serve callers outside of it as well
        identified = identify(str(path))
        network = fused(network_of(identified)).eval().requires_grad_(False)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch declares it only with others
        use_winograd(network)
    found = identified.found
    return Trained(
        network=network,
        name=identified.name,
        architecture=found.architecture,
        fields=found.fields,
        channels=channels_of(found.architecture, found.fields),
        record=identified.record,
        layout=found.layout,
    )


@lru_cache(maxsize=KEPT)
def _placed(path: Path, modified: int, size: int, device: torch.device, dtype: torch.dtype) -> Trained:
    """A copy on a device, in a precision."""
    trained = _loaded(path, modified, size)
    with torch.inference_mode(False):
        network = deepcopy(trained.network).to(device, dtype)
    return replace(trained, network=network)


def _one(name: str) -> str:
    """The name with its article: a DnCNN, an SRCNN."""
    spelled = name[:2].isupper() and name[0] in "AEFHILMNORSX"
    return f"an {name}" if spelled or name[0] in "AEIO" else f"a {name}"
