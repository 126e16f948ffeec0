"""NAFNet: a U-Net without activation functions.

L. Chen, X. Chu, X. Zhang and J. Sun, "Simple baselines for image restoration", ECCV 2022,
doi:10.1007/978-3-031-20071-7_2. The local means (``window``) are those of X. Chu, L. Chen, C. Chen and X. Lu,
"Improving image restoration by revisiting global information aggregation", ECCV 2022,
doi:10.1007/978-3-031-20071-7_4.
"""

import re
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm, pad

from restora.core.errors import InvalidParameter
from restora.nets.network import Network
from restora.nets.recognised import Recognised


class LayerNorm2d(nn.Module):
    """Each pixel's channels to mean 0 and variance 1, times a weight, plus a bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The same size as x."""
        return layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias, eps=1e-6).movedim(-1, 1)


class Mean(nn.Module):
    """Mean of each channel over the image, or over a window about each pixel.

    Args:
        window: side of the window; 0 is the whole image.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """(b, c, 1, 1), or (b, c, h, w) where the window is smaller than the image."""
        if self.window == 0 or self.window >= max(x.shape[-2:]):
            return x.mean(dim=(2, 3), keepdim=True)
        means = x.to(torch.promote_types(x.dtype, torch.float32))
        return _running_mean(_running_mean(means, self.window, 2), self.window, 3).to(x.dtype)


class NAFBlock(nn.Module):
    """y = x + β·conv₃(SCA(SG(dw₂(conv₁(LN x))))), then y + γ·conv₅(SG(conv₄(LN y))).

    SG multiplies the two halves of the channels; SCA multiplies each channel by a 1×1 convolution of the means of all;
    dw₂ is 3×3 and depth-wise, the others are 1×1. β and γ are a number a channel, 0 before training.
    """

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.norm1 = LayerNorm2d(width)
        self.conv1 = nn.Conv2d(width, 2 * width, 1)
        self.conv2 = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.sca = nn.Sequential(Mean(window), nn.Conv2d(width, width, 1))
        self.conv3 = nn.Conv2d(width, width, 1)
        self.norm2 = LayerNorm2d(width)
        self.conv4 = nn.Conv2d(width, 2 * width, 1)
        self.conv5 = nn.Conv2d(width, width, 1)
        self.beta = nn.Parameter(torch.zeros(1, width, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The same size as x."""
        z = _gated(self.conv2(self.conv1(self.norm1(x))))
        y = x + self.beta * self.conv3(z * self.sca(z))
        return y + self.gamma * self.conv5(_gated(self.conv4(self.norm2(y))))


class NAFNet(Network):
    """x̂ = y + F(y): NAF-blocks on len(encoders) + 1 scales, the features of the way down added on the way up.

    Half the size by a 2×2 convolution of stride 2 that doubles the channels, twice the size by a 1×1 convolution and a
    pixel shuffle. Sides are padded at bottom and right with zeros to multiples of 2^len(encoders); zeros beyond the
    border in the convolutions.

    The authors' sizes: the default, for real noise, 29,159,715 numbers and 16 G multiply-adds for 256×256; width 64,
    115,982,915 and 63 G; for motion blur encoders (1, 1, 1, 28), middle 1, decoders (1, 1, 1, 1), 17,111,907.

    The means of the channels are over the whole image; ``window`` makes them those of a window about each pixel, 1.5
    times as large as the patches of the training, which the authors do at test where the training saw patches only.
    A window that meets the border gives the pixels near it the mean of the nearest window that lies inside.

    Initialisation: PyTorch's; β and γ 0, so that every block starts as the identity.

    Args:
        channels: of the image, >= 1.
        width: channels of the features on the finest scale, >= 1.
        encoders: blocks on the way down, finest scale first, each >= 0; at least one scale.
        middle: blocks on the coarsest scale, >= 0.
        decoders: blocks on the way up, coarsest scale first, as many scales as encoders.
        window: side, in pixels of x, of the windows; 0 is the whole image.

    Raises:
        InvalidParameter: a number out of its range, or not as many decoders as encoders.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        width: int = 32,
        encoders: tuple[int, ...] = (2, 2, 4, 8),
        middle: int = 12,
        decoders: tuple[int, ...] = (2, 2, 2, 2),
        window: int = 0,
    ) -> None:
        super().__init__()
        _check(channels, width, encoders, middle, decoders, window)
        scales = len(encoders)
        self._multiple = 2**scales
        # A window of at least one pixel on every scale.
        windows = [max(1, window >> n) if window else 0 for n in range(scales + 1)]
        widths = [width << n for n in range(scales + 1)]
        up = list(range(scales - 1, -1, -1))
        self.intro = nn.Conv2d(channels, width, 3, padding=1)
        self.encoders = nn.ModuleList(_blocks(widths[n], windows[n], encoders[n]) for n in range(scales))
        self.downs = nn.ModuleList(nn.Conv2d(widths[n], widths[n + 1], 2, stride=2) for n in range(scales))
        self.middle_blks = _blocks(widths[-1], windows[-1], middle)
        self.ups = nn.ModuleList(_up(widths[n + 1]) for n in up)
        self.decoders = nn.ModuleList(_blocks(widths[n], windows[n], blocks) for n, blocks in zip(up, decoders))
        self.ending = nn.Conv2d(width, channels, 3, padding=1)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """NAFNet of any width and numbers of blocks, or None; the authors' names are ours.

        ``window`` is not in the weights and stays 0.
        """
        intro = state.get("intro.weight")
        scales = _count(state, r"downs\.(\d+)\..+")
        if intro is None or intro.ndim != 4 or scales == 0:
            return None
        fields = {
            "channels": intro.shape[1],
            "width": intro.shape[0],
            "encoders": tuple(_count(state, rf"encoders\.{scale}\.(\d+)\..+") for scale in range(scales)),
            "middle": _count(state, r"middle_blks\.(\d+)\..+"),
            "decoders": tuple(_count(state, rf"decoders\.{scale}\.(\d+)\..+") for scale in range(scales)),
        }
        return cls.if_it_fits("nafnet", fields, dict(state), "NAFNet")

    @property
    def halo(self) -> None:
        return None

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The restored image."""
        height, width = x.shape[-2:]
        z = self.intro(self.like_weights(pad(x, (0, -width % self._multiple, 0, -height % self._multiple))))
        skips = []
        for encoder, down in zip(self.encoders, self.downs):
            skips.append(encoder(z))
            z = down(skips[-1])
        z = self.middle_blks(z)
        for up, decoder in zip(self.ups, self.decoders):
            z = decoder(up(z) + skips.pop())
        return x + self.ending(z)[..., :height, :width].to(x.dtype)


def _check(
    channels: int, width: int, encoders: tuple[int, ...], middle: int, decoders: tuple[int, ...], window: int
) -> None:
    """Ranges of the fields."""
    for name, value, least in (("channels", channels, 1), ("width", width, 1), ("middle", middle, 0)):
        if value < least:
            raise InvalidParameter.outside(name, value, f">= {least}")
    if not encoders or min(encoders) < 0:
        raise InvalidParameter.outside("encoders", encoders, "one number >= 0 or more")
    if len(decoders) != len(encoders) or min(decoders) < 0:
        raise InvalidParameter.outside("decoders", decoders, f"{len(encoders)} numbers >= 0, as many as encoders")
    if window < 0:
        raise InvalidParameter.outside("window", window, ">= 0")


def _blocks(width: int, window: int, number: int) -> nn.Sequential:
    return nn.Sequential(*[NAFBlock(width, window) for _ in range(number)])


def _up(width: int) -> nn.Sequential:
    """Twice the size, half the channels."""
    return nn.Sequential(nn.Conv2d(width, 2 * width, 1, bias=False), nn.PixelShuffle(2))


def _gated(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
    """Product of the two halves of the channels."""
    a, b = x.chunk(2, dim=1)
    return a * b


def _running_mean(x: Float[Tensor, "b c h w"], window: int, dim: int) -> Float[Tensor, "b c h w"]:
    """Means over ``window`` pixels along one axis, by a running sum; the first and last are repeated to the border."""
    size = x.shape[dim]
    if window >= size:
        return x.mean(dim=dim, keepdim=True).expand_as(x)
    sums = x.cumsum(dim)
    sums = torch.cat((torch.zeros_like(sums.narrow(dim, 0, 1)), sums), dim=dim)
    means = (sums.narrow(dim, window, size - window + 1) - sums.narrow(dim, 0, size - window + 1)) / window
    before = (window - 1) // 2
    places = torch.arange(size, device=x.device).sub(before).clamp(0, size - window)
    return means.index_select(dim, places)


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    """How many numbers stand at the place of the group in the keys."""
    return len({found[1] for key in state if (found := re.fullmatch(pattern, key))})
