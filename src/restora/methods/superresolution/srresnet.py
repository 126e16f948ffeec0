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

from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.nets.precision import Precision
from restora.operators.downsample import Downsample
from restora.weights.enlarge import from_coarse_grid, require_downsample
from restora.weights.load import load
from restora.weights.reach import reach_of

ARCHITECTURES = ("srresnet", "msrresnet")


@dataclass(frozen=True, slots=True)
class SRResNet(Method):
    """SRResNet, a network a scale.

    Attributes:
        weights: name or path of a network of the scale of the problem.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = Spec(
        name="srresnet",
        tasks=("super-resolve",),
        solves=(Downsample,),
        colour="native",
        paper='C. Ledig et al., "Photo-realistic single image super-resolution using a GAN", CVPR 2017',
        doi="10.1109/CVPR.2017.19",
        needs_sigma=False,
        halo=lambda method: reach_of(method.weights, ARCHITECTURES, method.precision, interpolated=False),
        keeps_constants=False,
        weights=("srresnet-x4",),
    )

    weights: str = "srresnet-x4"
    precision: Precision = "auto"

    @classmethod
    def for_problem(cls, problem: Problem) -> "SRResNet":
        """The network of the scale."""
        H = problem.H
        scale = min(max(round(H.scale), 2), 4) if isinstance(H, Downsample) else 4
        return cls(weights=f"srresnet-x{scale}")

    def solve(self, problem: Problem, context: Context) -> Result:
        H = require_downsample(problem, "srresnet")
        trained = load(self.weights, ARCHITECTURES, problem.y.device, self.precision)
        return Result(from_coarse_grid(trained, problem, H), Status.done(f"weights {trained.name}"))
