"""Weights for the contracts: where a method's own do not ship, a tiny random network stands in their place.

So every method is run, whatever it is that it makes of a picture; tests of what it makes of it skip such a method. All
compute in float32, as everywhere the same must come out.
"""

from dataclasses import fields

import pytest
import torch

from contracts.cases import cases_of, weights_of
from restora import catalog
from restora.front.configure import configure
from restora.nets import precision
from restora.nets.architectures import build
from restora.weights import load
from restora.weights.dictionaries import ARCHITECTURE, dictionaries, save_dictionaries
from restora.weights.record import Record
from restora.weights.save import save_weights
from restora.weights.store import shipped_folder

TINY = {
    "dncnn": ("dncnn", 1, {"depth": 3, "width": 4}),
    "ffdnet": ("ffdnet", 1, {"depth": 3, "width": 4}),
    "ircnn": ("ircnn", 1, {"width": 4}),
    "drunet": ("drunet", 1, {"widths": (4, 4, 4, 4), "blocks": 1}),
    "001_classicalSR": ("swinir", 3, {"upsampler": "pixelshuffle", "width": 8, "depths": (2,), "heads": (2,)}),
    "004_gray": ("swinir", 1, {"width": 8, "depths": (2,), "heads": (2,)}),
    "005_color": ("swinir", 3, {"width": 8, "depths": (2,), "heads": (2,)}),
    "NAFNet": ("nafnet", 3, {"width": 4, "encoders": (1, 1, 1, 1), "middle": 1, "decoders": (1, 1, 1, 1)}),
    "gaussian_": ("restormer", 1, {"width": 8, "blocks": (1, 1, 1, 1), "refinement": 1, "heads": (1, 1, 2, 2)}),
    "scunet": ("scunet", 1, {"width": 16, "depths": (2,) * 7, "head_width": 8}),
    "srcnn": ("srcnn", 1, {"widths": (4, 4)}),
    "espcn": ("espcn", 1, {"widths": (4, 4)}),
    "vdsr": ("vdsr", 1, {"depth": 3, "width": 4}),
    "scn": ("scn", 1, {"atoms": 8}),
    "srresnet": ("srresnet", 3, {"blocks": 1, "width": 4}),
    "srgan": ("srresnet", 3, {"blocks": 1, "width": 4}),
    "rrdb": ("rrdbnet", 3, {"blocks": 1, "width": 4, "growth": 4}),
    "ipt": ("ipt", 3, {"width": 4, "layers": (1, 1), "heads": 1}),
}
"""How the names of weights begin -> architecture, channels unless the name says colour, and fields."""

SCALED = ("swinir", "espcn", "srresnet", "rrdbnet")
"""Architectures that take the scale with which the name ends."""

DICTIONARIES = ("scsr", "coupled")
"""How the names of pairs of dictionaries begin."""


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory, camera, cat):
    """A folder with a network, or a pair of dictionaries, of every name methods ask for that is not here."""
    folder = tmp_path_factory.mktemp("weights")
    asked = {name for entry in catalog.entries() for name in _asked(entry, camera, cat)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name in sorted(asked):
            if not (shipped_folder() / f"{name}.safetensors").is_file():
                _stand_in(name, folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _weights_in_float32(tiny_weights):
    """The stand-ins in the cache, and no bfloat16; networks loaded otherwise are forgotten before and after."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RESTORA_CACHE", str(tiny_weights))
        patched.setattr(precision, "has_fast_bfloat16", lambda device: False)
        _forget()
        yield
        _forget()


def _forget():
    load._loaded.cache_clear()
    load._placed.cache_clear()
    dictionaries.cache_clear()


def _asked(entry, *pictures):
    """Names of weights that the method asks for on the contracts' problems."""
    if not {field.name for field in fields(entry.load())} & {"weights", "denoiser"}:
        return
    for case in cases_of(entry):
        for x in pictures:
            if x.shape[1] == 3 or not case.colour_only:
                yield weights_of(configure(entry.load(), case.problem(x), {}))


def _stand_in(name, folder):
    """A random network, or pair of dictionaries, under that name."""
    if name.startswith(DICTIONARIES):
        atoms = torch.nn.functional.normalize(torch.randn(125, 32), dim=0)
        record = Record(name=name, architecture=ARCHITECTURE, fields={}, task="super-resolve", channels=1)
        save_dictionaries((atoms[:25], atoms[25:]), folder, record)
        return
    architecture, channels, sizes = TINY[next(begin for begin in TINY if name.startswith(begin))]
    if architecture not in ("scn", "ipt"):
        sizes = sizes | {"channels": 3 if "colo" in name else channels}
    if architecture in SCALED and name[-2] == "x":
        sizes = sizes | {"scale": int(name[-1])}
    record = Record(name=name, architecture=architecture, fields=sizes, task="denoise", channels=channels)
    save_weights(build(architecture, sizes).state_dict(), record, folder)
