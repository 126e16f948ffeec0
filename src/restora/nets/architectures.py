"""The architectures by name, for manifests and recipes, and the recognition of checkpoints.

None of the networks is imported before it is built or asked whether a checkpoint is its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import signature

from torch import Tensor

from restora.core.errors import FileProblem, InvalidParameter, UnknownName
from restora.core.networks import network_table
from restora.nets.network import Network
from restora.nets.recognised import Recognised


@dataclass(frozen=True, slots=True)
class Architecture:
    """A row of the table of networks.

    Attributes:
        target: ``"module:Class"`` of the network.
        channels: of the images it takes, where its constructor has no field of that name; else None.
    """

    target: str
    channels: int | None = None

    @property
    def class_name(self) -> str:
        """The architecture as its authors write it: ``dncnn`` is a DnCNN."""
        return self.target.split(":")[1]

    def load(self) -> type[Network]:
        """Import the class."""
        module, name = self.target.split(":")
        return getattr(import_module(module), name)


@cache
def architectures() -> Mapping[str, Architecture]:
    """All architectures by name."""
    rows: Mapping[str, Mapping[str, object]] = network_table()["architectures"]
    return {name: Architecture(str(row["target"]), _number(row.get("channels"))) for name, row in rows.items()}


def build(architecture: str, fields: Mapping[str, object]) -> Network:
    """A network of that architecture with freshly drawn weights.

    Raises:
        UnknownName: there is no such architecture.
        InvalidParameter: it has no such field, or not such a value.
    """
    if architecture not in architectures():
        raise UnknownName.among("architecture", architecture, list(architectures()))
    kind = architectures()[architecture].load()
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()})
    except TypeError as error:
        raise InvalidParameter(f"{architecture} cannot be built from {dict(fields)}: {error}") from error


def class_of(architecture: str) -> str:
    """The architecture as its authors write it: ``dncnn`` is a DnCNN; the name itself where it is no network."""
    row = architectures().get(architecture)
    return architecture if row is None else row.class_name


def channels_of(architecture: str, fields: Mapping[str, object]) -> int:
    """Channels of the images a network takes: its field, the default of that, or what the architecture fixes."""
    row = architectures()[architecture]
    if row.channels is not None:
        return row.channels
    return int(str(fields.get("channels", signature(row.load()).parameters["channels"].default)))


def recognise(state: Mapping[str, Tensor], where: str) -> Recognised:
    """What the tensors are the weights of, by their names and shapes.

    Args:
        state: names to tensors, without nesting.
        where: the file, for the message.

    Raises:
        FileProblem: no architecture of restora has such tensors.
    """
    for row in architectures().values():
        found = row.load().recognise(state)
        if found is not None:
            return found
    some = ", ".join(f"{key} {tuple(tensor.shape)}" for key, tensor in list(state.items())[:3])
    raise FileProblem(
        f"{where} is of no architecture known here: it has {len(state)} tensors, the first of them {some}; "
        f"known: {', '.join(architectures())}"
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
