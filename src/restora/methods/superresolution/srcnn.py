"""SRCNN: three convolutions after bicubic interpolation, the first network for super-resolution.

Problem. y = Hx, an image reduced by bicubic interpolation; no noise. Luminance only.

Model. x = W₃ * max(0, W₂ * max(0, W₁ * u + b₁) + b₂) + b₃ with u the bicubic enlargement of y: patches are coded,
the codes mapped, and patches put together again, as sparse coding does, but learnt as a whole on the squared error.

Algorithm. 1. u = imresize(y, s). 2. The network. A network a scale.

Cost. 8,032 multiplications a pixel of x for 9-1-5, 57,184 for 9-5-5.

Departures from the original. Its filters were trained without padding; here zeros lie beyond the border, which the
benchmarks shave off. The weights that ship are of 9-1-5, trained on T91 with Adam.

References. C. Dong, C. C. Loy, K. He and X. Tang, "Learning a deep convolutional network for image super-resolution",
ECCV 2014, doi:10.1007/978-3-319-10593-2_13; "Image super-resolution using deep convolutional networks", IEEE TPAMI
38(2), 2016, doi:10.1109/TPAMI.2015.2439281.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.weights.network_method import NetworkMethod, scale_of, super_resolution_spec


@dataclass(frozen=True, slots=True)
class SRCNN(NetworkMethod):
    """SRCNN behind bicubic interpolation.

    Attributes:
        weights: name or path of a network for the scale of the problem; other scales are enlarged too, only worse.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = super_resolution_spec(
        "srcnn",
        'C. Dong et al., "Image super-resolution using deep convolutional networks", IEEE TPAMI 38(2), 2016',
        "10.1109/TPAMI.2015.2439281",
        colour="luma-chroma",
        weights=("srcnn-x2", "srcnn-x3", "srcnn-x4"),
        published=(
            "set5-x3-matlab-bicubic-y-shave3",
            *(f"{images}-x{s}-matlab-bicubic-8bit-rgb-shave{s}" for images in ("set5", "set14") for s in (2, 3, 4)),
        ),
    )
    architectures: ClassVar[tuple[str, ...]] = ("srcnn",)
    interpolates: ClassVar[bool] = True

    weights: str = "srcnn-x3"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The network of the nearest scale."""
        return f"srcnn-x{scale_of(problem, 2, 4)}"
