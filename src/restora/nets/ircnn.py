"""IRCNN's bank of denoisers: seven dilated convolutions for each of 25 noise levels.

K. Zhang, W. Zuo, S. Gu and L. Zhang, "Learning deep CNN denoiser prior for image restoration", CVPR 2017,
doi:10.1109/CVPR.2017.300.
"""

import re
from collections.abc import Mapping
from math import ceil
from typing import TypeGuard

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidParameter
from restora.nets.chains import IRCNN_DEPTH, Chain, chain, chain_of
from restora.nets.network import Network
from restora.nets.recognised import Recognised

DILATIONS = (1, 2, 3, 4, 3, 2, 1)

_MEMBER = re.compile(r"(bank\.)?(\d+)\.(.+)")


class Denoiser(nn.Module):
    """R of one noise level: 3×3 convolutions of dilations 1, 2, 3, 4, 3, 2, 1 with ReLUs between, zeros beyond."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.model = chain(channels, channels, width, DILATIONS)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The noise in x."""
        return self.model(x)


class IRCNN(Network):
    """x̂ = y − R_k(y), k = min(levels, max(1, ⌈255σ/2⌉)), σ the mean of the noise map, for each image of the batch.

    Denoiser k is made for σ = 2k/255. The batch normalisation of the authors' training is merged into the
    convolutions, as in the files they published. A denoiser has 185,857 numbers (gray) or 188,163 (colour) and costs
    12 G multiply-adds for 256×256. Initialisation: orthogonal rows of gain √2 (1 in the last), biases 0.

    As only the mean of the map counts, a tile of a map that varies may be given another denoiser than the whole.

    Args:
        channels: of the image, >= 1.
        levels: denoisers in the bank, >= 1; a bank of one is used for every σ.
        width: channels of the features, >= 1.

    Raises:
        InvalidParameter: a number out of its range.
    """

    takes_noise_map = True

    def __init__(self, *, channels: int = 1, levels: int = 25, width: int = 64) -> None:
        super().__init__()
        for name, value in (("channels", channels), ("levels", levels), ("width", width)):
            if value < 1:
                raise InvalidParameter.outside(name, value, ">= 1")
        self.bank = nn.ModuleList(Denoiser(channels, width) for _ in range(levels))

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """IRCNN, or None: chains of seven convolutions without normalisations; a single one is a bank of one level.

        Known are KAIR's mapping of 25 state dicts (``0.model.0.weight`` …), the authors' cell of 25 networks
        (``0.conv00_weight`` …), our own names, which begin with ``bank.``, and single denoisers (``model.0.weight`` or
        ``conv00_weight``).
        """
        members = _members(state)
        chains = {index: chain_of(member) for index, member in members.items()}
        bank = [chain for chain in (chains.get(index) for index in range(len(chains))) if _is_ircnn(chain)]
        if not bank or len(bank) != len(chains):
            return None
        fields = {"channels": bank[0].channels_out, "levels": len(bank), "width": bank[0].width}
        tensors = {f"bank.{n}.{key}": tensor for n, chain in enumerate(bank) for key, tensor in chain.state().items()}
        layout = "restora" if next(iter(state)).startswith("bank.") else bank[0].layout
        return cls.if_it_fits("ircnn", fields, tensors, layout)

    @property
    def halo(self) -> int:
        return sum(DILATIONS)

    def forward(self, x: Float[Tensor, "b c h w"], sigma: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
        """The image without its noise; one pass for each denoiser that the batch needs."""
        chosen = [self.index_for(level) for level in sigma.double().mean(dim=(1, 2, 3)).tolist()]
        y, noise = self.like_weights(x), torch.empty_like(x)
        for index in sorted(set(chosen)):
            members = [image for image, other in enumerate(chosen) if other == index]
            noise[members] = self.bank[index](y[members]).to(x.dtype)
        return x - noise

    def index_for(self, sigma: float) -> int:
        """Place in the bank, from 0, of the denoiser for σ on [0, 1]; 20/255 in single precision still counts as 20."""
        return min(len(self.bank), max(1, ceil(255 * sigma / 2 - 1e-3))) - 1


def _members(state: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """The state of each denoiser by its place in the bank; keys that name no place are those of the first."""
    members: dict[int, dict[str, Tensor]] = {}
    for key, tensor in state.items():
        found = _MEMBER.fullmatch(key)
        index, name = (int(found[2]), found[3]) if found else (0, key)
        members.setdefault(index, {})[name] = tensor
    return members


def _is_ircnn(chain: Chain | None) -> TypeGuard[Chain]:
    return (
        chain is not None and not chain.norms and chain.depth == IRCNN_DEPTH and chain.channels_in == chain.channels_out
    )
