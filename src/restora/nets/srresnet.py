"""SRResNet, the generator of SRGAN: residual blocks with batch normalisation on the coarse grid.

Model, BN batch normalisation, PReLU with one slope a layer, PS the sub-pixel shuffle of factor 2 (3 at ×3):

    F₀ = PReLU(W * y)                                           9×9, 64
    F ← F + BN(W * PReLU(BN(W * F)))   (16 times)               3×3, 64
    F ← F₀ + BN(W * F)                                          3×3, 64
    F ← PReLU(PS(W * F))   (log₂ s times, once at ×3)           3×3, 256
    x = W * F                                                   9×9, 3

Ledig, Theis, Huszár, Caballero, Cunningham, Acosta, Aitken, Tejani, Totz, Wang, Shi: "Photo-realistic single image
super-resolution using a generative adversarial network", CVPR 2017, doi:10.1109/CVPR.2017.19.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver, silence
from restora.nets.network import Network

STEPS = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
"""Scale -> factors of the sub-pixel shuffles."""


class SRResNet(Network):
    """SRResNet: (b, channels, h, w) to (b, channels, scale·h, scale·w), RGB in [0, 1].

    Batch normalisation uses the statistics of the batch while training and the running ones in ``eval()``, where tiles
    of any size agree. Zeros lie outside the picture. Cost at ×4: 2.2 million multiplications a pixel of y.

    Departure: the paper's targets lie in [-1, 1]; here input and output both lie in [0, 1], which moves only the last
    layer.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 3,
        blocks: int = 16,
        width: int = 64,
        joint: Literal["norm", "prelu"] = "norm",
        squashed: bool = False,
        from_identity: bool = False,
    ) -> None:
        """Draw fresh weights: He's for relu, biases 0, slopes 0.25.

        Args:
            scale: how many times finer the output is: 2, 3, 4 or 8.
            channels: of the input and of the output.
            blocks: number of residual blocks.
            width: channels of the features.
            joint: what follows the convolution that closes the long skip: batch normalisation as in the paper, or the
                PReLU of one public re-implementation.
            squashed: the output is (tanh + 1)/2, as in the same re-implementation.
            from_identity: fresh weights repeat every pixel, and residuals begin at 0. It matters to trainings only.

        Raises:
            InvalidParameter: another scale, or a number below 1.
        """
        super().__init__()
        if scale not in STEPS:
            raise InvalidParameter.outside("scale", scale, "2, 3, 4 or 8")
        if min(channels, blocks, width) < 1:
            raise InvalidParameter(f"channels {channels}, blocks {blocks} and width {width} must be at least 1")
        self.scale, self.squashed = scale, squashed
        self.head = nn.Sequential(nn.Conv2d(channels, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        end = nn.BatchNorm2d(width) if joint == "norm" else nn.PReLU()
        self.joint = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), end)
        self.up = nn.Sequential(*(_enlarging(width, step) for step in STEPS[scale]))
        self.tail = nn.Conv2d(width, channels, 9, padding=4)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.get_parameter("bias"))
        if from_identity:
            self._from_identity(channels)

    def _from_identity(self, channels: int) -> None:
        width = self.tail.in_channels
        for block in self.body.children():
            silence(block.get_submodule("4"), width)
        normalised = isinstance(self.joint[1], nn.BatchNorm2d)
        silence(self.joint[1] if normalised else self.joint[0], width)
        carry(self.head[0], channels)
        for n, step in enumerate(STEPS[self.scale]):
            carry(self.up.get_submodule(f"{n}.0"), channels, copies=step**2)
        deliver(self.tail, channels)

    @property
    def halo(self) -> int:
        return 2 * len(self.body) + 8

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c sh sw"]:
        shallow = self.head(self.entered(x))
        features = shallow + self.joint(self.body(shallow))
        result = self.tail(self.up(features)).to(x.dtype)
        return (torch.tanh(result) + 1) / 2 if self.squashed else result


class ResidualBlock(nn.Sequential):
    """F + BN(W * PReLU(BN(W * F)))."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return input + super().forward(input)


def _enlarging(width: int, step: int) -> nn.Sequential:
    """A finer grid by ``step``."""
    return nn.Sequential(nn.Conv2d(width, width * step**2, 3, padding=1), nn.PixelShuffle(step), nn.PReLU())
