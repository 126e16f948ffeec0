"""ESPCN: three convolutions on the coarse grid, and a shuffle of channels into pixels; made for video in real time.

Problem. y = Hx, an image reduced by bicubic interpolation by 2, 3 or 4; no noise. Luminance only.

Model. x = PS(W₃ * tanh(W₂ * tanh(W₁ * y + b₁) + b₂) + b₃), PS the shuffle of s² channels into s × s pixels: nothing is
interpolated beforehand, so everything is computed on s² times fewer pixels.

Algorithm. The network, once. A network a scale.

Cost. 21,184 (×2) to 24,640 (×4) multiplications a pixel of y.

Departures from the original. None at test time. The weights that ship were trained on T91 with Adam.

References. W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
neural network", CVPR 2016, doi:10.1109/CVPR.2016.207.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.weights.network_method import NetworkMethod, scale_of, super_resolution_spec


@dataclass(frozen=True, slots=True)
class ESPCN(NetworkMethod):
    """ESPCN, which has a network for each scale.

    Attributes:
        weights: name or path of a network for the scale of the problem.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = super_resolution_spec(
        "espcn",
        'W. Shi et al., "Real-time … super-resolution using an efficient sub-pixel convolutional network", CVPR 2016',
        "10.1109/CVPR.2016.207",
        colour="luma-chroma",
        weights=("espcn-x2", "espcn-x3", "espcn-x4"),
        published=("set5-x3-matlab-bicubic-y-shave3", "set14-x3-matlab-bicubic-y-shave3"),
    )
    architectures: ClassVar[tuple[str, ...]] = ("espcn",)

    weights: str = "espcn-x3"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The network of the nearest scale."""
        return f"espcn-x{scale_of(problem, 2, 4)}"
