"""IRCNN's bank of denoisers: seven dilated convolutions for each of 25 noise levels.

K. Zhang, W. Zuo, S. Gu and L. Zhang, "Learning deep CNN denoiser prior for image restoration", CVPR 2017,
doi:10.1109/CVPR.2017.300.
"""

from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidParameter
from restora.nets.dncnn import chain
from restora.nets.network import Network

DILATIONS = (1, 2, 3, 4, 3, 2, 1)


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

    @property
    def halo(self) -> int:
        return sum(DILATIONS)

    def forward(self, x: Float[Tensor, "b c h w"], sigma: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
        """The image without its noise; one pass for each denoiser that the batch needs."""
        chosen = [self.index_for(level) for level in sigma.double().mean(dim=(1, 2, 3)).tolist()]
        y, noise = self.entered(x), torch.empty_like(x)
        for index in sorted(set(chosen)):
            members = [image for image, other in enumerate(chosen) if other == index]
            noise[members] = self.bank[index](y[members]).to(x.dtype)
        return x - noise

    def index_for(self, sigma: float) -> int:
        """Place in the bank, from 0, of the denoiser for σ on [0, 1]; 20/255 in single precision still counts as 20."""
        return min(len(self.bank), max(1, ceil(255 * sigma / 2 - 1e-3))) - 1
