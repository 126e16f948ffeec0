"""The architectures by name, for manifests and recipes; readable without importing any of them."""

from collections.abc import Mapping
from importlib import import_module

from restora.core.errors import InvalidParameter, UnknownName
from restora.nets.network import Network

ARCHITECTURES: Mapping[str, str] = {
    "srcnn": "restora.nets.srcnn:SRCNN",
    "vdsr": "restora.nets.vdsr:VDSR",
    "espcn": "restora.nets.espcn:ESPCN",
    "scn": "restora.nets.scn:SCN",
    "srresnet": "restora.nets.srresnet:SRResNet",
    "msrresnet": "restora.nets.msrresnet:MSRResNet",
    "rrdbnet": "restora.nets.rrdbnet:RRDBNet",
    "ipt": "restora.nets.ipt:IPT",
    "dncnn": "restora.nets.dncnn:DnCNN",
    "fdncnn": "restora.nets.dncnn:FDnCNN",
    "ffdnet": "restora.nets.ffdnet:FFDNet",
    "ircnn": "restora.nets.ircnn:IRCNN",
    "drunet": "restora.nets.drunet:DRUNet",
    "swinir": "restora.nets.swinir:SwinIR",
    "nafnet": "restora.nets.nafnet:NAFNet",
    "restormer": "restora.nets.restormer:Restormer",
    "scunet": "restora.nets.scunet:SCUNet",
}
"""Name -> "module:Class"."""


def build(architecture: str, fields: Mapping[str, object]) -> Network:
    """A network of that architecture with freshly drawn weights.

    Raises:
        UnknownName: there is no such architecture.
        InvalidParameter: it has no such field, or not such a value.
    """
    if architecture not in ARCHITECTURES:
        raise UnknownName.among("architecture", architecture, list(ARCHITECTURES))
    module, name = ARCHITECTURES[architecture].split(":")
    kind: type[Network] = getattr(import_module(module), name)
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()})
    except TypeError as error:
        raise InvalidParameter(f"{architecture} cannot be built from {dict(fields)}: {error}") from error
