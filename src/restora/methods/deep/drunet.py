"""DRUNet – a U-Net of residual blocks without biases, told the noise level.

Problem. y = x + n, n ~ N(0, σ²), σ known.

Model. x̂ = F(y, σ), learnt with least absolute deviations for σ up to 50/255. As F has no biases, F(ty, tσ) = t F(y, σ)
for t > 0, so that it holds for levels it was not trained for.

Algorithm.
1. Sides of y are padded, right and below, to multiples of 8 by repeating the last line; an image of the value σ is put
   behind the channels.
2. A convolution to the features of the finest of four scales; then, three times, residual blocks and a 2×2 convolution
   of stride 2.
3. Residual blocks on the coarsest scale.
4. Three times: what the way down had on this scale is added, a transposed 2×2 convolution of stride 2, residual blocks.
5. The features of step 2 are added, a convolution gives x̂, the padding is cut off.
A residual block is h + conv(ReLU(conv(h))), 3×3, with zeros beyond the border.

Parameters. The authors' network has 64, 128, 256, 512 channels and four blocks a scale (32.6 million numbers); its
files ``drunet_gray`` and ``drunet_color`` are asked for by these names or by their path. The fields of any size are
read off its file.

Cost. 139 thousand million multiplications for 256×256 in the authors' size. A pixel depends on those within a few
hundred of it: tiles equal the whole, but small ones waste most of the work on their margins.

When not. The noise is not white. Time counts: FFDNet is many times faster and half a decibel weaker.

Departures from the original. The weights that come with restora, ``drunet-small-gray`` and ``drunet-small-colour``, are
of a network with fewer channels, by restora's own recipes, with fewer images and hours than the authors'.

References.
K. Zhang, Y. Li, W. Zuo, L. Zhang, L. Van Gool and R. Timofte, "Plug-and-play image restoration with deep denoiser
prior", IEEE Transactions on Pattern Analysis and Machine Intelligence 44(10), 2022, doi:10.1109/TPAMI.2021.3088914.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec, awgn_protocols
from restora.operators.identity import Identity
from restora.weights.network_method import NetworkMethod, reach_of


@dataclass(frozen=True, slots=True)
class DRUNet(NetworkMethod):
    """DRUNet with given weights; σ is that of the problem.

    Attributes:
        weights: a name of the store or the path of a file.
        precision: of the computation; ``auto`` is bfloat16 for the small network from σ = 25/255 on.
    """

    spec: ClassVar[Spec] = Spec(
        name="drunet",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper='K. Zhang et al., "Plug-and-play image restoration with deep denoiser prior", IEEE TPAMI 44(10), 2022',
        doi="10.1109/TPAMI.2021.3088914",
        halo=reach_of,
        multiple_of=8,
        keeps_constants=False,
        weights=("drunet-small-gray", "drunet-small-colour"),
        published=awgn_protocols("set12-gray", "bsd68-gray", "cbsd68-rgb"),
    )
    architectures: ClassVar[tuple[str, ...]] = ("drunet",)

    weights: str = "drunet-small-gray"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The network for colour images where there are three channels, else the one for gray images."""
        return "drunet-small-colour" if problem.y.shape[1] == 3 else "drunet-small-gray"
