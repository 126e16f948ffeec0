"""VDSR: twenty convolutions that predict what bicubic interpolation left out, one network for all scales.

Problem. y = Hx, an image reduced by bicubic interpolation by any factor; no noise. Luminance only.

Model. x = u + R(u), u the bicubic enlargement of y, R twenty 3×3 convolutions of 64 channels with ReLUs between them.
To learn the difference alone is what lets so deep a network learn at all, with a high rate and clipped gradients.

Algorithm. 1. u = imresize(y, s). 2. x = u + R(u); u is not rounded before it is added.

Cost. 664,704 multiplications a pixel of x, whatever the scale.

Departures from the original. None at test time; how the weights that ship were trained, their recipe says.

References. J. Kim, J. K. Lee and K. M. Lee, "Accurate image super-resolution using very deep convolutional networks",
CVPR 2016, doi:10.1109/CVPR.2016.182.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.spec import Spec
from restora.weights.network_method import NetworkMethod, super_resolution_spec


@dataclass(frozen=True, slots=True)
class VDSR(NetworkMethod):
    """VDSR behind bicubic interpolation.

    Attributes:
        weights: name or path of a network for all scales.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = super_resolution_spec(
        "vdsr",
        'J. Kim, J. K. Lee, K. M. Lee, "Accurate image super-resolution using very deep … networks", CVPR 2016',
        "10.1109/CVPR.2016.182",
        colour="luma-chroma",
        weights=("vdsr",),
        published=tuple(f"{images}-x{s}-matlab-bicubic-y-shave{s}" for images in ("set5", "set14") for s in (2, 3, 4)),
    )
    architectures: ClassVar[tuple[str, ...]] = ("vdsr",)
    interpolates: ClassVar[bool] = True

    weights: str = "vdsr"
