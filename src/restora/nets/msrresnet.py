"""MSRResNet: SRResNet without batch normalisation and 9×9 filters, learning what bilinear enlargement lacks.

Model, σ leaky relu of slope 0.1, PS the sub-pixel shuffle:

    F = σ(W * y),  F ← F + W₂ * relu(W₁ * F) (blocks times),
    F ← σ(PS(W * F)) (once at ×2 and ×3, twice at ×4),
    x = bilinear(y) + W * σ(W * F),      all filters 3×3

Wang, Yu, Wu, Gu, Liu, Dong, Qiao, Loy: "ESRGAN: Enhanced super-resolution generative adversarial networks", ECCV
Workshops 2018, doi:10.1007/978-3-030-11021-5_5, whose authors use it as the light baseline; after Ledig et al.,
"Photo-realistic single image super-resolution using a generative adversarial network", CVPR 2017.
"""

import re
from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.network import Network
from restora.nets.recognised import Recognised

SLOPE = 0.1
"""The slope of the leaky ReLU for negative numbers."""


class MSRResNet(Network):
    """Compact residual network: (b, channels, h, w) to (b, channels, scale·h, scale·w), RGB in [0, 1].

    Zeros lie outside the picture at every convolution. Cost at ×4: 2.5 million multiplications a pixel of y.
    """

    def __init__(self, *, scale: int = 4, channels: int = 3, blocks: int = 16, width: int = 64) -> None:
        """Draw fresh weights: a tenth of He's, biases 0, so that training starts from bilinear enlargement.

        Args:
            scale: how many times finer the output is: 2, 3 or 4.
            channels: of the input and of the output.
            blocks: number of residual blocks.
            width: channels of the features.

        Raises:
            InvalidParameter: another scale, or a number below 1.
        """
        super().__init__()
        if scale not in (2, 3, 4):
            raise InvalidParameter.outside("scale", scale, "2, 3 or 4")
        if min(channels, blocks, width) < 1:
            raise InvalidParameter(f"channels {channels}, blocks {blocks} and width {width} must be at least 1")
        self.scale = scale
        self.step = 3 if scale == 3 else 2
        self.conv_first = nn.Conv2d(channels, width, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.upconv1 = nn.Conv2d(width, width * self.step**2, 3, padding=1)
        if scale == 4:
            self.upconv2 = nn.Conv2d(width, width * self.step**2, 3, padding=1)
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, channels, 3, padding=1)
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
                parameter.data *= 0.1
            else:
                nn.init.zeros_(parameter)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """MSRResNet, or None.

        Known are BasicSR's names (``body.{i}.conv1``, ``conv_hr``), which are ours, and KAIR's msrresnet1
        (``recon_trunk``, ``HRconv``).
        """
        theirs = "recon_trunk.0.conv1.weight" in state
        if theirs:
            rules = (("recon_trunk.", "body."), ("HRconv.", "conv_hr."))
            state = {_renamed(key, rules): tensor for key, tensor in state.items()}
        first, up = state.get("conv_first.weight"), state.get("upconv1.weight")
        if "body.0.conv1.weight" not in state or first is None or up is None or first.ndim != 4:
            return None
        width, channels = first.shape[:2]
        step = 3 if up.shape[0] == 9 * width else 2
        fields = {
            "scale": 4 if "upconv2.weight" in state else step,
            "channels": channels,
            "blocks": sum(re.fullmatch(r"body\.\d+\.conv1\.weight", key) is not None for key in state),
            "width": width,
        }
        return cls.if_it_fits("msrresnet", fields, state, "KAIR" if theirs else "BasicSR")

    @property
    def halo(self) -> int:
        return 2 * len(self.body) + 3

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c sh sw"]:
        features = self.body(functional.leaky_relu(self.conv_first(self.like_weights(x)), SLOPE))
        for conv in (self.upconv1, self.upconv2) if self.scale == 4 else (self.upconv1,):
            features = functional.leaky_relu(functional.pixel_shuffle(conv(features), self.step), SLOPE)
        detail = self.conv_last(functional.leaky_relu(self.conv_hr(features), SLOPE))
        base = functional.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return base + detail.to(x.dtype)


class ResidualBlock(nn.Module):
    """F + W₂ * relu(W₁ * F)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return features + self.conv2(functional.relu(self.conv1(features), inplace=True))


def _renamed(key: str, beginnings: tuple[tuple[str, str], ...]) -> str:
    """The key with the first of these beginnings that it has put into our words."""
    for theirs, ours in beginnings:
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return key
