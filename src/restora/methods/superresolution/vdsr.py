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

from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.nets.precision import Precision
from restora.operators.downsample import Downsample
from restora.weights.enlarge import after_interpolation, require_downsample
from restora.weights.load import load
from restora.weights.reach import reach_of

ARCHITECTURES = ("vdsr",)


@dataclass(frozen=True, slots=True)
class VDSR(Method):
    """VDSR behind bicubic interpolation.

    Attributes:
        weights: name or path of a network for all scales.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = Spec(
        name="vdsr",
        tasks=("super-resolve",),
        solves=(Downsample,),
        colour="luma-chroma",
        paper='J. Kim, J. K. Lee, K. M. Lee, "Accurate image super-resolution using very deep … networks", CVPR 2016',
        doi="10.1109/CVPR.2016.182",
        needs_sigma=False,
        halo=lambda method: reach_of(method.weights, ARCHITECTURES, method.precision, interpolated=True),
        keeps_constants=False,
        weights=("vdsr",),
        published=tuple(f"{images}-x{s}-matlab-bicubic-y-shave{s}" for images in ("set5", "set14") for s in (2, 3, 4)),
    )

    weights: str = "vdsr"
    precision: Precision = "auto"

    def solve(self, problem: Problem, context: Context) -> Result:
        H = require_downsample(problem, "vdsr")
        trained = load(self.weights, ARCHITECTURES, problem.y.device, self.precision)
        return Result(after_interpolation(trained, problem, H), Status.done(f"weights {trained.name}"))
