"""SRGAN: the network of SRResNet, trained against a discriminator to look real rather than to be near.

Problem. y = Hx, an image reduced by bicubic interpolation by 4; no noise. RGB.

Model. The generator G is SRResNet. It minimises a distance of features plus 1e-3 · (−log D(G(y))), where the
discriminator D learns to tell G(y) from photographs. The estimate is sharp where the least squared error is blurred;
what it adds is likely, not true, and its PSNR is below that of SRResNet.

Algorithm. The network, once.

Cost. That of SRResNet: 2.2 million multiplications a pixel of y at ×4.

Departures from the original. The weights that ship were trained with features of the discriminator (Larsen et al. 2016)
where the paper takes those of VGG-19, whose weights are not ours to give; with `--vgg FILE` the recipe takes them. They
are 0.6 of what the training found and 0.4 of SRResNet (network interpolation, Wang et al. 2018), as it was short.

References. C. Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network",
CVPR 2017, doi:10.1109/CVPR.2017.19.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.spec import Spec
from restora.weights.network_method import NetworkMethod, super_resolution_spec


@dataclass(frozen=True, slots=True)
class SRGAN(NetworkMethod):
    """The generator of SRGAN.

    Attributes:
        weights: name or path of a generator for the scale of the problem.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = super_resolution_spec(
        "srgan",
        'C. Ledig et al., "Photo-realistic single image super-resolution using a GAN", CVPR 2017',
        "10.1109/CVPR.2017.19",
        colour="native",
        weights=("srgan-x4",),
    )
    architectures: ClassVar[tuple[str, ...]] = ("srresnet", "msrresnet")

    weights: str = "srgan-x4"
