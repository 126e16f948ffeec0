"""SRResNet: sixteen residual blocks on the coarse grid, trained on the squared or absolute error.

Problem. y = Hx, an image reduced by bicubic interpolation by 2, 3 or 4; no noise. RGB.

Model. A convolution 9×9, sixteen blocks F + BN(W * PReLU(BN(W * F))), a long skip, one sub-pixel shuffle or two, a
convolution 9×9. MSRResNet, its later form without batch normalisation and with a bilinear skip, is run as well.

Algorithm. The network, once; batch normalisation with its running statistics, merged into the convolutions.

Cost. 2.2 million multiplications a pixel of y at ×4.

Departures from the original. Input and output both lie in [0, 1] (the paper's targets in [−1, 1]).

References. C. Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network",
CVPR 2017, doi:10.1109/CVPR.2017.19.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.weights.network_method import NetworkMethod, scale_of, super_resolution_spec


@dataclass(frozen=True, slots=True)
class SRResNet(NetworkMethod):
    """SRResNet, which has a network for each scale.

    Attributes:
        weights: name or path of a network for the scale of the problem.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = super_resolution_spec(
        "srresnet",
        'C. Ledig et al., "Photo-realistic single image super-resolution using a GAN", CVPR 2017',
        "10.1109/CVPR.2017.19",
        colour="native",
        weights=("srresnet-x4",),
    )
    architectures: ClassVar[tuple[str, ...]] = ("srresnet", "msrresnet")

    weights: str = "srresnet-x4"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The network of the nearest scale."""
        return f"srresnet-x{scale_of(problem, 2, 4)}"
