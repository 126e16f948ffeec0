"""Layouts of DnCNN and FDnCNN, and what the other plain chains of convolutions share with them.

Known are the state dicts of KAIR (``model.N``, batch normalisation merged or not), of SaoYan's re-implementation
(``dncnn.N``, no biases), of the authors' port to PyTorch (``dncnn.N``, a bias in the first convolution, ε = 1e-4) and
the kernels of the authors' MATLAB files (``convNN_weight``). Our own names are those of KAIR.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from restora.nets.architectures import build
from restora.weights.layouts.recognised import Recognised

_KEY = re.compile(r"(?:(model|dncnn)\.|(conv))(\d+)[._](weight|bias|running_mean|running_var|num_batches_tracked)")

IRCNN_DEPTH = 7
"""Convolutions of an IRCNN denoiser; a chain of so many without batch normalisation is taken for one."""


@dataclass(frozen=True, eq=False, slots=True)
class Chain:
    """3×3 convolutions one after the other, all but the first and last perhaps with a batch normalisation.

    Attributes:
        prefix: ``model``, ``dncnn`` or ``conv``, with which its keys began.
        convolutions: their tensors by name, in order.
        norms: those of the normalisations, in order; none, or as many as convolutions but two.
    """

    prefix: str
    convolutions: tuple[Mapping[str, Tensor], ...]
    norms: tuple[Mapping[str, Tensor], ...]

    @property
    def depth(self) -> int:
        """Number of convolutions."""
        return len(self.convolutions)

    @property
    def width(self) -> int:
        """Channels of the features."""
        return self.convolutions[0]["weight"].shape[0]

    @property
    def entering(self) -> int:
        """Channels that the first convolution takes."""
        return self.convolutions[0]["weight"].shape[1]

    @property
    def leaving(self) -> int:
        """Channels that the last convolution gives."""
        return self.convolutions[-1]["weight"].shape[0]

    @property
    def layout(self) -> str:
        """Whose keys they are."""
        if self.prefix == "dncnn":
            return "SaoYan" if "bias" not in self.convolutions[0] else "cszn PyTorch"
        return "MATLAB" if self.prefix == "conv" else "KAIR"

    def state(self) -> dict[str, Tensor]:
        """The tensors under the names of an ``nn.Sequential`` called ``model`` with a ReLU after all but the last."""
        spacing = 3 if self.norms else 2
        state: dict[str, Tensor] = {}
        for n, convolution in enumerate(self.convolutions):
            place = spacing * n if spacing == 2 or n == 0 else spacing * n - 1
            state |= {f"model.{place}.{name}": tensor for name, tensor in convolution.items()}
        for n, norm in enumerate(self.norms, start=1):
            # Files older than the counter of PyTorch 0.4.1 lack it; it has no effect on a trained network.
            complete = {"num_batches_tracked": torch.tensor(0), **norm}
            state |= {f"model.{spacing * n}.{name}": tensor for name, tensor in complete.items()}
        return state


def chain_of(state: Mapping[str, Tensor]) -> Chain | None:
    """The chain that the state holds and nothing else; None where it does not."""
    layers: dict[int, dict[str, Tensor]] = {}
    prefixes: set[str] = set()
    for key, tensor in state.items():
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        prefixes.add(found[1] or found[2])
        layers.setdefault(int(found[3]), {})[found[4]] = tensor
    ordered = [layers[index] for index in sorted(layers)]
    if len(prefixes) != 1 or any("weight" not in layer for layer in ordered):
        return None
    kinds = "".join("c" if layer["weight"].ndim == 4 else "n" for layer in ordered)
    if not re.fullmatch("c(c+|(cn)+c)", kinds):
        return None
    convolutions = tuple(layer for layer, kind in zip(ordered, kinds) if kind == "c")
    norms = tuple(layer for layer, kind in zip(ordered, kinds) if kind == "n")
    return Chain(prefixes.pop(), convolutions, norms)


def fits(found: Recognised) -> bool:
    """The state has exactly the names and shapes of the architecture with those fields; costs no memory."""
    with torch.device("meta"):
        expected = build(found.architecture, found.fields).state_dict()
    return {name: tensor.shape for name, tensor in found.state.items()} == {
        name: tensor.shape for name, tensor in expected.items()
    }


def recognise(state: Mapping[str, Tensor]) -> Recognised | None:
    """DnCNN or FDnCNN, or None.

    A chain is DnCNN's if as many channels leave as enter, FDnCNN's if one more enters and 4 does not divide those that
    leave (else it is FFDNet's). Seven convolutions without batch normalisation are left to IRCNN.
    """
    chain = chain_of(state)
    if chain is None:
        return None
    if chain.entering == chain.leaving + 1 and chain.leaving % 4 and not chain.norms:
        return _if_it_fits("fdncnn", {"channels": chain.leaving, "depth": chain.depth, "width": chain.width}, chain)
    if chain.entering != chain.leaving or (chain.depth == IRCNN_DEPTH and not chain.norms):
        return None
    first, *middle, last = ("bias" in convolution for convolution in chain.convolutions)
    fields = {
        "channels": chain.leaving,
        "depth": chain.depth,
        "width": chain.width,
        "batch_norm": bool(chain.norms),
        "biases": (first, any(middle), last),
        "eps": 1e-4 if chain.norms and chain.layout == "cszn PyTorch" else 1e-5,
    }
    return _if_it_fits("dncnn", fields, chain)


def _if_it_fits(architecture: str, fields: Mapping[str, object], chain: Chain) -> Recognised | None:
    found = Recognised(architecture, fields, chain.state(), chain.layout)
    return found if fits(found) else None
