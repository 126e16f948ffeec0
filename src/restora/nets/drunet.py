"""DRUNet: a U-Net of residual blocks without biases, for any noise level.

K. Zhang, Y. Li, W. Zuo, L. Zhang, L. Van Gool and R. Timofte, "Plug-and-play image restoration with deep denoiser
prior", IEEE Transactions on Pattern Analysis and Machine Intelligence 44(10), 2022, doi:10.1109/TPAMI.2021.3088914.
"""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver
from restora.nets.network import Network
from restora.nets.recognised import Recognised

FEW_BLOCKS = 2
"""Up to so many a scale, the cost of bfloat16 was measured."""


class ResidualBlock(nn.Module):
    """x + conv(ReLU(conv(x))), 3×3, no biases."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.res = nn.Sequential(_conv3(width, width), nn.ReLU(inplace=True), _conv3(width, width))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The same size as x."""
        return x + self.res(x)


class DRUNet(Network):
    """x̂ = F(y, σ): four scales, the features of the way down added on the way up; no residual, no bias anywhere.

    Without biases F(ty, tσ) = t F(y, σ) for t > 0. Sides are padded at bottom and right to multiples of 8 by repeating
    the last line; zeros beyond the border in the convolutions. A tile must begin at multiples of 8.

    The authors' size: 32,638,656 numbers (gray), 32,640,960 (colour), 139 G multiply-adds for 256×256. Initialisation
    of the authors: orthogonal, gain 0.2.

    Args:
        channels: of the image, >= 1.
        widths: channels of the features on the four scales, finest first, each >= 1.
        blocks: residual blocks of a scale, down and again up, >= 0.
        from_identity: fresh weights give back the picture, nearly; all but head and tail are as drawn. It matters to
            trainings only.

    Raises:
        InvalidParameter: a number out of its range.
    """

    takes_noise_map = True

    def __init__(
        self,
        *,
        channels: int = 1,
        widths: tuple[int, int, int, int] = (64, 128, 256, 512),
        blocks: int = 4,
        from_identity: bool = False,
    ) -> None:
        super().__init__()
        if channels < 1:
            raise InvalidParameter.outside("channels", channels, ">= 1")
        if min(widths) < 1:
            raise InvalidParameter.outside("widths", widths, "four numbers >= 1")
        if blocks < 0:
            raise InvalidParameter.outside("blocks", blocks, ">= 0")
        a, b, c, d = widths
        self.m_head = _conv3(channels + 1, a)
        self.m_down1 = _down(a, b, blocks)
        self.m_down2 = _down(b, c, blocks)
        self.m_down3 = _down(c, d, blocks)
        self.m_body = nn.Sequential(*_residual(d, blocks))
        self.m_up3 = _up(d, c, blocks)
        self.m_up2 = _up(c, b, blocks)
        self.m_up1 = _up(b, a, blocks)
        self.m_tail = _conv3(a, channels)
        self._blocks = blocks
        # Mean over 20 training photographs with the small network that ships: bfloat16 costs 0.001 dB at σ = 50, 0.006
        # at 25 and 0.013 at 15. Of deeper ones nothing is known.
        self.bfloat16_from = 25 / 255 if blocks <= FEW_BLOCKS else math.inf
        for parameter in self.parameters():
            nn.init.orthogonal_(parameter, gain=0.2)
        if from_identity:
            carry(self.m_head, channels)
            deliver(self.m_tail, channels)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """DRUNet of any four widths and number of blocks, or None; the authors' names (DPIR, KAIR) are ours."""
        head = state.get("m_head.weight")
        if head is None or head.ndim != 4:
            return None
        blocks = len({key.split(".")[1] for key in state if key.startswith("m_body.")})
        downs = [state.get(f"m_down{scale}.{blocks}.weight") for scale in (1, 2, 3)]
        widths = (head.shape[0], *(down.shape[0] for down in downs if down is not None))
        if len(widths) != 4:
            return None
        fields = {"channels": head.shape[1] - 1, "widths": widths, "blocks": blocks}
        return cls.if_it_fits("drunet", fields, dict(state), "DPIR") if head.shape[1] >= 2 else None

    @property
    def halo(self) -> int:
        # Head, tail and the rest of a square of 8×8 that is seen in part; a block is two convolutions, on the way down
        # and up on squares of 1, 2 and 4 pixels, and once on squares of 8.
        return 9 + self._blocks * 2 * (2 * (1 + 2 + 4) + 8)

    def forward(self, x: Float[Tensor, "b c h w"], sigma: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
        """The image without its noise."""
        height, width = x.shape[-2:]
        inputs = pad(torch.cat((x, sigma.to(x.dtype)), dim=1), (0, -width % 8, 0, -height % 8), mode="replicate")
        x1 = self.m_head(self.like_weights(inputs))
        x2 = self.m_down1(x1)
        x3 = self.m_down2(x2)
        x4 = self.m_down3(x3)
        u3 = self.m_up3(self.m_body(x4) + x4)
        u2 = self.m_up2(u3 + x3)
        u1 = self.m_up1(u2 + x2)
        return self.m_tail(u1 + x1)[..., :height, :width].to(x.dtype)


def _conv3(entering: int, leaving: int) -> nn.Conv2d:
    return nn.Conv2d(entering, leaving, 3, padding=1, bias=False)


def _residual(width: int, blocks: int) -> list[nn.Module]:
    return [ResidualBlock(width) for _ in range(blocks)]


def _down(fine: int, coarse: int, blocks: int) -> nn.Sequential:
    """Residual blocks, then half the size by a 2×2 convolution of stride 2."""
    return nn.Sequential(*_residual(fine, blocks), nn.Conv2d(fine, coarse, 2, stride=2, bias=False))


def _up(coarse: int, fine: int, blocks: int) -> nn.Sequential:
    """Twice the size by a transposed 2×2 convolution of stride 2, then residual blocks."""
    return nn.Sequential(nn.ConvTranspose2d(coarse, fine, 2, stride=2, bias=False), *_residual(fine, blocks))
