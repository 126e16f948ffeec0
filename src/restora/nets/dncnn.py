"""DnCNN and FDnCNN: plain chains of 3×3 convolutions.

K. Zhang, W. Zuo, Y. Chen, D. Meng and L. Zhang, "Beyond a Gaussian denoiser: residual learning of deep CNN for image
denoising", IEEE Transactions on Image Processing 26(7), 2017, doi:10.1109/TIP.2017.2662206. FDnCNN, the chain without
batch normalisation that takes a noise map and gives the image itself, belongs to K. Zhang, W. Zuo and L. Zhang,
"FFDNet: toward a fast and flexible solution for CNN-based image denoising", IEEE Transactions on Image Processing
27(9), 2018, doi:10.1109/TIP.2018.2839891.
"""

import math
from collections.abc import Mapping
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidParameter
from restora.nets.chains import IRCNN_DEPTH, chain, chain_of
from restora.nets.fusion import fused
from restora.nets.network import Network
from restora.nets.recognised import Recognised

FEW_LAYERS = 17
"""Up to so many, the rounding of features in bfloat16 does not add up to more than 0.01 dB."""


class DnCNN(Network):
    """x̂ = y − R(y): a convolution + ReLU, depth − 2 times convolution (+ batch normalisation) + ReLU, a convolution.

    Zeros beyond the border. The defaults are the network for one noise level with its batch normalisation merged into
    the convolutions, 555,137 numbers; depth 20 is the blind one. About depth − 2 times 9·width² multiply-adds a pixel:
    36 G for 256×256.

    Initialisation of the authors: weights N(0, 2/(9·width)), biases 0, scales of the batch normalisation of that
    spread too and at least 0.025, running variances 0.01. A sign of a scale changes nothing before training, as the
    weights are symmetric about 0; it is left out.

    Args:
        channels: of the image, >= 1.
        depth: convolutions, >= 2.
        width: channels of the features, >= 1.
        batch_norm: between convolution and ReLU in the middle, as in training.
        biases: of the first convolution, of those in the middle, of the last.
        eps: what batch normalisation adds to the variance, > 0; the authors' port to PyTorch has 1e-4.

    Raises:
        InvalidParameter: a number out of its range.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        depth: int = 17,
        width: int = 64,
        batch_norm: bool = False,
        biases: tuple[bool, bool, bool] = (True, True, True),
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        _check(channels, depth, width)
        if eps <= 0:
            raise InvalidParameter.outside("eps", eps, "> 0")
        first, middle, last = biases
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1, bias=first), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1, bias=middle))
            layers += [nn.BatchNorm2d(width, eps=eps)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(width, channels, 3, padding=1, bias=last))
        self.model = nn.Sequential(*layers)
        self._depth, self._batch_norm = depth, batch_norm
        # Mean over 20 training photographs with public weights: 17 layers cost 0.0088 dB at σ = 25 and 0.0089 at 50,
        # but 0.0102 at 15; the blind 20 layers 0.031 at σ = 15 and 0.020 at 25.
        self.bfloat16_from = 20 / 255 if depth <= FEW_LAYERS else math.inf
        _draw(self.model, sqrt(2 / (9 * width)))

    def begin_with(self, state: Mapping[str, Tensor]) -> None:
        """Take up weights; without batch normalisation also those of a network that has it, and of a shallower one.

        The former is merged. Between the layers of a shallower network and its last one the others hand on what they
        are given: it comes out of a ReLU, and is not negative.

        Raises:
            RuntimeError: they do not fit.
        """
        depth = sum(tensor.ndim == 4 for tensor in state.values())
        normalised = any(name.endswith("running_mean") for name in state)
        if self._batch_norm or not 2 <= depth <= self._depth or (depth == self._depth and not normalised):
            super().begin_with(state)
            return
        theirs, ours = _convolutions(_like(self, state, depth, normalised)), _convolutions(self)
        for convolution in ours[depth - 1 : -1]:
            nn.init.dirac_(convolution.weight)
        for convolution, other in zip((*ours[: depth - 1], ours[-1]), theirs, strict=True):
            convolution.weight.data.copy_(other.weight)
            if convolution.bias is not None and other.bias is not None:
                convolution.bias.data.copy_(other.bias)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """DnCNN, or None: a chain that gives as many channels as it takes.

        Seven convolutions without batch normalisation are left to IRCNN. The authors' port to PyTorch adds 1e-4 to the
        variances.
        """
        found = chain_of(state)
        if found is None or found.channels_in != found.channels_out or (found.depth == IRCNN_DEPTH and not found.norms):
            return None
        first, *middle, last = ("bias" in convolution for convolution in found.convolutions)
        fields = {
            "channels": found.channels_out,
            "depth": found.depth,
            "width": found.width,
            "batch_norm": bool(found.norms),
            "biases": (first, any(middle), last),
            "eps": 1e-4 if found.norms and found.layout == "cszn PyTorch" else 1e-5,
        }
        return cls.if_it_fits("dncnn", fields, found.state(), found.layout)

    @property
    def halo(self) -> int:
        return self._depth

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The image without its noise."""
        return x - self.model(self.like_weights(x)).to(x.dtype)


class FDnCNN(Network):
    """x̂ = F(y, σ): convolutions and ReLUs, no batch normalisation, no residual; the noise map is one more channel.

    Zeros beyond the border. Initialisation: orthogonal rows of gain √2, which keeps the energy through a ReLU, and of
    gain 1 in the last convolution; biases 0. 44 G multiply-adds for 256×256.

    Args:
        channels: of the image, >= 1.
        depth: convolutions, >= 2.
        width: channels of the features, >= 1.

    Raises:
        InvalidParameter: a number out of its range.
    """

    takes_noise_map = True
    # Not in bfloat16: the picture itself passes through the features and would be rounded to 8 bits.

    def __init__(self, *, channels: int = 1, depth: int = 20, width: int = 64) -> None:
        super().__init__()
        _check(channels, depth, width)
        self.model = chain(channels + 1, channels, width, (1,) * depth)
        self._depth = depth

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """FDnCNN, or None: a chain that takes one channel more than it gives; if 4 divides those, it is FFDNet's."""
        found = chain_of(state)
        if found is None or found.norms or found.channels_in != found.channels_out + 1 or found.channels_out % 4 == 0:
            return None
        fields = {"channels": found.channels_out, "depth": found.depth, "width": found.width}
        return cls.if_it_fits("fdncnn", fields, found.state(), found.layout)

    @property
    def halo(self) -> int:
        return self._depth

    def forward(self, x: Float[Tensor, "b c h w"], sigma: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
        """The image without its noise."""
        return self.model(self.like_weights(torch.cat((x, sigma.to(x.dtype)), dim=1))).to(x.dtype)


def _convolutions(network: DnCNN) -> list[nn.Conv2d]:
    return [layer for layer in network.model if isinstance(layer, nn.Conv2d)]


def _like(network: DnCNN, state: Mapping[str, Tensor], depth: int, normalised: bool) -> DnCNN:
    """One with these weights, its batch normalisation merged."""
    last = max(int(name.split(".")[1]) for name in state)
    first, middle, final = (f"model.{index}.bias" in state for index in (0, 2, last))
    entrance = _convolutions(network)[0]
    found = DnCNN(
        channels=entrance.in_channels,
        depth=depth,
        width=entrance.out_channels,
        batch_norm=normalised,
        biases=(first, middle, final),
    )
    found.load_state_dict(state)
    return fused(found)


def _check(channels: int, depth: int, width: int) -> None:
    """Ranges of the three sizes."""
    for name, value, least in (("channels", channels, 1), ("depth", depth, 2), ("width", width, 1)):
        if value < least:
            raise InvalidParameter.outside(name, value, f">= {least}")


def _draw(layers: nn.Sequential, spread: float) -> None:
    """The authors' initialisation, in place."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=spread)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            with torch.no_grad():
                layer.weight.normal_(std=spread).abs_().clamp_(min=0.025)
                layer.running_var.fill_(0.01)  # pyright: ignore[reportOptionalMemberAccess]
