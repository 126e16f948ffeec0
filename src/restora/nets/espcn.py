"""ESPCN: convolutions on the coarse grid, then a shuffle of channels into sub-pixels.

Model (of C channels, scale s):

    F₁ = tanh(W₁ * y + b₁)      5×5, 64
    F₂ = tanh(W₂ * F₁ + b₂)     3×3, 32
    x = PS(W₃ * F₂ + b₃)        3×3, C·s²,   PS: x(s·i + a, s·j + b) = F(i, j)[s·a + b]

Shi, Caballero, Huszár, Totz, Aitken, Bishop, Rueckert, Wang: "Real-time single image and video super-resolution using
an efficient sub-pixel convolutional neural network", CVPR 2016, doi:10.1109/CVPR.2016.207.
"""

from collections.abc import Mapping
from math import isqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.beginnings import carry, deliver
from restora.nets.network import Network
from restora.nets.recognised import Recognised

LINEAR = 0.25
"""Up to here tanh is linear to 2 %."""

LAYOUTS = {
    "restora": ("conv1", "conv2", "conv3"),
    "yjn870": ("first_part.0", "first_part.2", "last_part.0"),
    "Nhat-Thanh": ("conv_1", "conv_2", "conv_3"),
    "Lornatang": ("feature_maps.0", "feature_maps.2", "sub_pixel.0"),
}


class ESPCN(Network):
    """Efficient sub-pixel network: (b, channels, h, w) to (b, channels, scale·h, scale·w), luminance in [0, 1].

    Zeros lie outside the picture. Cost: about 21,000 multiplications a pixel of y at ×2.

    Departure: the paper does not state the initial weights; here they are Xavier's, with the gain of tanh, biases 0.
    """

    def __init__(
        self, *, scale: int = 3, channels: int = 1, widths: tuple[int, int] = (64, 32), from_identity: bool = False
    ) -> None:
        """Draw fresh weights.

        Args:
            scale: how many times finer the output is, at least 1.
            channels: of the input and of the output.
            widths: channels of the first two layers.
            from_identity: fresh weights repeat every pixel, nearly. It matters to trainings only.

        Raises:
            InvalidParameter: a number is below 1.
        """
        super().__init__()
        if min(scale, channels, *widths) < 1:
            raise InvalidParameter(f"scale {scale}, channels {channels} and widths {widths} must be at least 1")
        self.scale = scale
        self.conv1 = nn.Conv2d(channels, widths[0], 5, padding=2)
        self.conv2 = nn.Conv2d(widths[0], widths[1], 3, padding=1)
        self.conv3 = nn.Conv2d(widths[1], channels * scale**2, 3, padding=1)
        tanh = nn.init.calculate_gain("tanh")
        for conv, gain in ((self.conv1, tanh), (self.conv2, tanh), (self.conv3, 1.0)):
            nn.init.xavier_normal_(conv.weight, gain=gain)
            nn.init.zeros_(conv.get_parameter("bias"))
        if from_identity:
            carry(self.conv1, channels, gain=LINEAR)
            carry(self.conv2, channels)
            deliver(self.conv3, channels, gain=1 / LINEAR, copies=scale**2)

    @classmethod
    def recognise(cls, state: Mapping[str, Tensor]) -> Recognised | None:
        """ESPCN, or None. Three convolutions that keep the number of channels are not taken for it (scale 1).

        Known are ``first_part.{0,2}``, ``last_part.0`` (yjn870), ``feature_maps.{0,2}``, ``sub_pixel.0`` (Lornatang),
        ``conv_1`` … ``conv_3`` (Nhat-Thanh), and our own ``conv1``, ``conv2``, ``conv3``. Some networks of that last
        naming end in a tanh, or use relu; their keys do not tell it, and they would be taken for ESPCN.
        """
        for layout, layers in LAYOUTS.items():
            names = {
                f"{layer}.{part}": f"conv{n}.{part}" for n, layer in enumerate(layers, 1) for part in ("weight", "bias")
            }
            if set(state) == set(names):
                return _with_fields({names[key]: tensor for key, tensor in state.items()}, layout)
        return None

    @property
    def halo(self) -> int:
        return 4

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c sh sw"]:
        features = torch.tanh(self.conv1(self.like_weights(x)))
        features = torch.tanh(self.conv2(features))
        return functional.pixel_shuffle(self.conv3(features), self.scale).to(x.dtype)


def _with_fields(state: Mapping[str, Tensor], layout: str) -> Recognised | None:
    first, second, third = (state[f"conv{n}.weight"] for n in (1, 2, 3))
    if first.ndim != 4 or third.shape[0] % first.shape[1]:
        return None
    channels, area = first.shape[1], third.shape[0] // first.shape[1]
    if isqrt(area) ** 2 != area or area == 1:
        return None
    fields = {"scale": isqrt(area), "channels": channels, "widths": (first.shape[0], second.shape[0])}
    return ESPCN.if_it_fits("espcn", fields, state, layout)
