"""DnCNN – a chain of convolutions that finds the noise.

Problem. y = x + n, n ~ N(0, σ²), σ known or not; or y is x after JPEG compression.

Model. x̂ = y − R(y): the network R learns what is wrong (residual learning), with batch normalisation between its
convolutions while it is trained, by least squares on pairs (y, x).

Algorithm. With D = 17 (one σ) or 20 (any σ, JPEG),
1. h = ReLU(conv(y)), 64 channels;
2. h ← ReLU(BN(conv(h))), D − 2 times; the normalisation is merged into the convolution once it is trained;
3. x̂ = y − conv(h).
All convolutions are 3×3, with zeros beyond the border: a pixel depends on those within D of it.

Parameters. The weights decide what is restored. ``dncnn-s-25`` (S) is for gray images of σ near 25/255,
``dncnn-b-gray`` and ``dncnn-b-colour`` (B) for any σ up to 55/255, ``dncnn-jpeg`` for gray JPEGs; published files are
given by their path. FDnCNN, the variant that is told σ, is run where the file holds one.

Cost. 36 (D = 17) or 44 (D = 20) thousand million multiplications for 256×256.

When not. The noise is not white, or the photograph was denoised by a camera: the network then takes texture for noise.
σ is above what the weights were trained for.

Departures from the original. The weights that come with restora are of its own recipes, with fewer images and hours
than the authors'. Of the tasks of DnCNN-3 only JPEG is in ``dncnn-jpeg``, alone. The paper deblocks luma; here a gray
network is run over each channel of a colour image, JPEG or not.

References.
K. Zhang, W. Zuo, Y. Chen, D. Meng and L. Zhang, "Beyond a Gaussian denoiser: residual learning of deep CNN for image
denoising", IEEE Transactions on Image Processing 26(7), 2017, doi:10.1109/TIP.2017.2662206.
"""

from dataclasses import dataclass
from typing import ClassVar

from restora.core.problem import Problem
from restora.core.spec import Spec, awgn_protocols
from restora.noise.jpeg import Jpeg
from restora.operators.identity import Identity
from restora.weights.network_method import NetworkMethod, reach_of


@dataclass(frozen=True, slots=True)
class DnCNN(NetworkMethod):
    """DnCNN with given weights.

    Attributes:
        weights: a name of the store or the path of a file.
        precision: of the computation; ``auto`` is bfloat16 where the device is fast in it.
    """

    spec: ClassVar[Spec] = Spec(
        name="dncnn",
        tasks=("denoise", "deblock"),
        solves=(Identity,),
        colour="native",
        paper='K. Zhang, W. Zuo, Y. Chen, D. Meng, L. Zhang, "Beyond a Gaussian denoiser", IEEE TIP 26(7), 2017',
        doi="10.1109/TIP.2017.2662206",
        halo=reach_of,
        keeps_constants=False,
        weights=("dncnn-s-25", "dncnn-b-gray", "dncnn-b-colour", "dncnn-jpeg"),
        published=awgn_protocols("set12-gray", "bsd68-gray", sigmas=(25,)),
    )
    architectures: ClassVar[tuple[str, ...]] = ("dncnn", "fdncnn")

    weights: str = "dncnn-b-gray"

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The model for JPEG, else the one for σ = 25/255 within 2.5/255 of it (gray), else the one for any σ."""
        if isinstance(problem.noise, Jpeg):
            return "dncnn-jpeg"
        if problem.y.shape[1] == 3:
            return "dncnn-b-colour"
        sigma = problem.noise.sigma
        return "dncnn-s-25" if sigma is not None and abs(255 * sigma - 25) <= 2.5 else "dncnn-b-gray"
