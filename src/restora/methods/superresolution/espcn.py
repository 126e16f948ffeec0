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

from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.nets.precision import Precision
from restora.operators.downsample import Downsample
from restora.weights.enlarge import from_coarse_grid, require_downsample
from restora.weights.load import load
from restora.weights.reach import reach_of

ARCHITECTURES = ("espcn",)


@dataclass(frozen=True, slots=True)
class ESPCN(Method):
    """ESPCN, a network a scale.

    Attributes:
        weights: name or path of a network of the scale of the problem.
        precision: of the computation.
    """

    spec: ClassVar[Spec] = Spec(
        name="espcn",
        tasks=("super-resolve",),
        solves=(Downsample,),
        colour="luma-chroma",
        paper=(
            'W. Shi et al., "Real-time single image and video super-resolution using … sub-pixel convolution", CVPR '
            "2016"
        ),
        doi="10.1109/CVPR.2016.207",
        needs_sigma=False,
        halo=lambda method: reach_of(method.weights, ARCHITECTURES, method.precision, interpolated=False),
        keeps_constants=False,
        weights=("espcn-x2", "espcn-x3", "espcn-x4"),
        published=("set5-x3-matlab-bicubic-y-shave3", "set14-x3-matlab-bicubic-y-shave3"),
    )

    weights: str = "espcn-x3"
    precision: Precision = "auto"

    @classmethod
    def for_problem(cls, problem: Problem) -> "ESPCN":
        """The network of the scale."""
        H = problem.H
        scale = min(max(round(H.scale), 2), 4) if isinstance(H, Downsample) else 3
        return cls(weights=f"espcn-x{scale}")

    def solve(self, problem: Problem, context: Context) -> Result:
        H = require_downsample(problem, "espcn")
        trained = load(self.weights, ARCHITECTURES, problem.y.device, self.precision)
        return Result(from_coarse_grid(trained, problem, H), Status.done(f"weights {trained.name}"))
