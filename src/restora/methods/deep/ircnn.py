"""IRCNN – a bank of 25 denoisers, one for each noise level.

Problem. y = x + n, n ~ N(0, σ²), σ known.

Model. x̂ = y − R_k(y). The denoisers R₁ … R₂₅ are networks of the same form, each learnt by least squares for its own
σ = 2k/255; as priors in half-quadratic splitting they are made for levels that fall from step to step.

Algorithm.
1. k = min(25, max(1, ⌈255σ/2⌉)).
2. x̂ = y − R_k(y), with R_k seven convolutions 3×3 of 64 channels, dilated 1, 2, 3, 4, 3, 2, 1, with ReLUs between and
   zeros beyond the border; the batch normalisation of the training is merged into them.

Cost. 12 thousand million multiplications for 256×256. A pixel depends on those within 16 of it.

When not. σ is above 50/255, for which the last denoiser is too weak. A single σ is served better by the wider view of
DnCNN.

Departures from the original. restora ships no weights for it: those of the authors, as KAIR has them, are asked for by
their names ``ircnn_gray`` and ``ircnn_color``, or by the path of a file.

References.
K. Zhang, W. Zuo, S. Gu and L. Zhang, "Learning deep CNN denoiser prior for image restoration", CVPR 2017,
doi:10.1109/CVPR.2017.300.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.operators.identity import Identity
from restora.weights.network_method import NetworkMethod, reach_of


@dataclass(frozen=True, slots=True)
class IRCNN(NetworkMethod):
    """The denoiser of the bank that is made for the σ of the problem.

    Attributes:
        weights: of the whole bank: a name of the store or the path of a file.
        precision: of the computation; ``auto`` is bfloat16 where the device is fast in it.
    """

    spec: ClassVar[Spec] = Spec(
        name="ircnn",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper='K. Zhang, W. Zuo, S. Gu, L. Zhang, "Learning deep CNN denoiser prior for image restoration", CVPR 2017',
        doi="10.1109/CVPR.2017.300",
        halo=reach_of,
        keeps_constants=False,
    )
    architectures: ClassVar[tuple[str, ...]] = ("ircnn",)

    weights: str = "ircnn_gray"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The bank for colour images where there are three channels, else the one for gray images."""
        return "ircnn_color" if problem.y.shape[1] == 3 else "ircnn_gray"
