"""Chains of plain 3×3 convolutions (DnCNN, FDnCNN, FFDNet, IRCNN): how they are drawn, and how they were published.

Known are the state dicts of KAIR (``model.N``, batch normalisation merged or not), of SaoYan's re-implementation
(``dncnn.N``, no biases), of the authors' port to PyTorch (``dncnn.N``, a bias in the first convolution) and the kernels
of the authors' MATLAB files (``convNN_weight``). Our own names are those of KAIR.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn

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
    def channels_in(self) -> int:
        """Channels that the first convolution takes."""
        return self.convolutions[0]["weight"].shape[1]

    @property
    def channels_out(self) -> int:
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
            index = spacing * n if spacing == 2 or n == 0 else spacing * n - 1
            state |= {f"model.{index}.{name}": tensor for name, tensor in convolution.items()}
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


def chain(channels_in: int, channels_out: int, width: int, dilations: tuple[int, ...]) -> nn.Sequential:
    """3×3 convolutions of these dilations, with biases, ReLUs between them and zeros beyond the border.

    Orthogonal rows of gain √2, of gain 1 in the last convolution; biases 0.
    """
    channels = [channels_in, *[width] * (len(dilations) - 1), channels_out]
    layers: list[nn.Module] = []
    for n, dilation in enumerate(dilations):
        convolution = nn.Conv2d(channels[n], channels[n + 1], 3, padding=dilation, dilation=dilation)
        nn.init.orthogonal_(convolution.weight, gain=sqrt(2) if n < len(dilations) - 1 else 1.0)
        nn.init.zeros_(convolution.get_parameter("bias"))
        layers += [convolution, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])
