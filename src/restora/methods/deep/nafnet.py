"""NAFNet – a U-Net without activation functions.

Problem. A photograph with the noise of its camera, of unknown strength; or one blurred by motion, by a kernel that is
not known and differs from place to place.

Model. x̂ = y + F(y), learnt on pairs of photographs by maximal PSNR. It estimates neither noise nor kernel.

Algorithm. Sides are padded with zeros, right and below, to multiples of 16. conv 3×3; blocks on four scales, each
followed by a 2×2 convolution of stride 2; blocks; blocks on four scales, each after a 1×1 convolution, a pixel shuffle
and the sum with what the way down had; conv 3×3; y is added. LN is a normalisation of each pixel's channels, SG the
product of the two halves of the channels. A block is
1. z = SG(dw(conv₁(LN h))), conv₁ 1×1 to twice the channels, dw 3×3 on each channel;
2. h ← h + β conv₃(z · conv(mean z)), the mean over the image or over a window about each pixel;
3. h ← h + γ conv₅(SG(conv₄(LN h))).

Parameters. The weights decide what is restored; names are those of the authors' files: NAFNet-SIDD-width32 (or 64) for
noise, NAFNet-GoPro-width32 (or 64) for motion. ``window`` is that of step 2 in pixels of y, 1.5 times the patches of
the training where these were cut from the photographs (384 for GoPro), 0 for the whole image.

Cost. 16 (width 32) or 63 (width 64) thousand million multiplications for 256×256.

When not. The image is gray, or the noise is not a camera's: artificial white noise is better left to DRUNet or BM3D.

Departures from the original. restora ships no weights for it. Those of width 32 are the default, a third of a decibel
below those of width 64 at a quarter of their cost. A gray image is given as one of three equal colours.

References.
L. Chen, X. Chu, X. Zhang and J. Sun, "Simple baselines for image restoration", ECCV 2022,
doi:10.1007/978-3-031-20071-7_2.
X. Chu, L. Chen, C. Chen and X. Lu, "Improving image restoration by revisiting global information aggregation", ECCV
2022, doi:10.1007/978-3-031-20071-7_4 (the window).
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from restora.core.parameters import nonnegative
from restora.core.problem import Problem
from restora.core.spec import Spec
from restora.nets import nafnet
from restora.nets.network import Network
from restora.operators.identity import Identity
from restora.operators.unknown import UnknownBlur
from restora.weights.load import Trained
from restora.weights.network_method import NetworkMethod


@dataclass(frozen=True, slots=True)
class NAFNet(NetworkMethod):
    """NAFNet with given weights; an unknown kernel is not found.

    Attributes:
        weights: a name of the store or the path of a file.
        window: side, in pixels of y, of the windows the means of the channels are taken over, >= 0; 0 leaves the
            network as its file has it, with means over the whole image where the file is the authors'.
        precision: of the computation. ``auto`` is float32.
    """

    spec: ClassVar[Spec] = Spec(
        name="nafnet",
        tasks=("denoise", "deblur"),
        solves=(Identity, UnknownBlur),
        colour="native",
        paper='L. Chen, X. Chu, X. Zhang, J. Sun, "Simple baselines for image restoration", ECCV 2022',
        doi="10.1007/978-3-031-20071-7_2",
        needs_sigma=False,
        blind=True,
        multiple_of=16,
        keeps_constants=False,
    )
    architectures: ClassVar[tuple[str, ...]] = ("nafnet",)

    weights: str = "NAFNet-SIDD-width32"
    window: Annotated[int, nonnegative] = 0

    @classmethod
    def for_problem(cls, problem: Problem) -> "NAFNet":
        """The network for motion blur, with windows of 384, where there is an unknown blur; else that for noise."""
        return cls() if problem.H.is_known else cls("NAFNet-GoPro-width32", window=384)

    def trained(self, problem: Problem) -> Trained:
        """The network, with means over windows where there are any."""
        trained = NetworkMethod.trained(self, problem)
        return replace(trained, network=_with_windows(trained.network, self.window)) if self.window else trained


def _with_windows(network: Network, window: int) -> Network:
    """The network with means over windows; its tensors are shared with the one given."""
    assert isinstance(network, nafnet.NAFNet)
    local = deepcopy(network, {id(tensor): tensor for tensor in network.parameters()})
    finest_first = [*zip(local.encoders, reversed(local.decoders)), (local.middle_blks,)]
    for scale, stages in enumerate(finest_first):
        for stage in stages:
            for module in stage.modules():
                if isinstance(module, nafnet.Mean):
                    module.window = max(1, window >> scale)
    return local
