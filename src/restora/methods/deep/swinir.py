"""SwinIR – transformers of shifted windows between convolutions.

Problem. y = x + n, n ~ N(0, σ²), σ known; or y is x after JPEG compression; or y = Hx, an image made smaller by 2, 3, 4
or 8 with MATLAB's bicubic imresize, without noise.

Model. x̂ = F(y), a network learnt for each task and level: with √(‖x̂ − x‖² + ε²) for denoising and JPEG, with ‖x̂ −
x‖₁ for enlargement. n is a normalisation of each pixel's features, R the reconstruction, conv 3×3.

Algorithm.
1. y is extended, right and below, by its mirror image to the next larger multiple of the window, w = 8 (JPEG: 7); the
   mean colour of the training images is taken away.
2. F₀ = conv(y), 180 channels.
3. Six blocks F ← F + conv(L(… L(F))) of six layers each. A layer L adds to F, first, attention within windows of w×w
   pixels with a learnt bias for each displacement, shifted by w/2 in every second layer; then a perceptron; both of
   n(F).
4. F ← F₀ + conv(n(F)).
5. Denoising and JPEG: x̂ = y + conv(F). Enlargement: x̂ = R(F), convolutions and pixel shuffles; the mean is added.
With ``ensemble``, 1 to 5 are done for the eight turned and mirrored y and averaged (SwinIR+).

Parameters. The weights decide what is done; σ and the quality only choose among them. Names are those of the authors'
files.

Cost. 12 million multiplications a pixel of y. Large images take much memory: 12 megapixels some tens of gigabytes.

When not. The noise or the reduction is not as above. In tiles the result is an approximation, as a pixel depends on
those within a few hundred of it.

Departures from the original. restora ships no weights for it. σ between those the authors trained for gets the network
of the nearest.

References.
J. Liang, J. Cao, G. Sun, K. Zhang, L. Van Gool and R. Timofte, "SwinIR: image restoration using Swin Transformer", ICCV
Workshops 2021, doi:10.1109/ICCVW54120.2021.00210.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve
from restora.core.method import Context
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec
from restora.nets.ensemble import over_symmetries
from restora.noise.jpeg import Jpeg
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.weights.load import Trained
from restora.weights.network_method import NetworkMethod
from restora.weights.run import run_network

SIGMAS = (15, 25, 50)
QUALITIES = (10, 20, 30, 40)
SCALES = (2, 3, 4, 8)


@dataclass(frozen=True, slots=True)
class SwinIR(NetworkMethod):
    """SwinIR with given weights.

    Attributes:
        weights: a name of the store or the path of a file.
        ensemble: average over the eight symmetries of the square (SwinIR+), at eight times the cost.
        precision: of the computation; ``auto`` is bfloat16 where the device is fast in it.
    """

    spec: ClassVar[Spec] = Spec(
        name="swinir",
        tasks=("denoise", "super-resolve", "deblock"),
        solves=(Identity, Downsample),
        colour="native",
        paper='J. Liang et al., "SwinIR: image restoration using Swin Transformer", ICCV Workshops 2021',
        doi="10.1109/ICCVW54120.2021.00210",
        # Windows have 8 pixels a side, and 7 for JPEG.
        multiple_of=56,
        keeps_constants=False,
    )
    architectures: ClassVar[tuple[str, ...]] = ("swinir",)

    weights: str = "005_colorDN_DFWB_s128w8_SwinIR-M_noise25"
    ensemble: bool = False

    @classmethod
    def weights_for(cls, problem: Problem) -> str:
        """The authors' network for the scale, the nearest quality of a JPEG, or the nearest σ (25/255 if unknown)."""
        colour = problem.y.shape[1] == 3
        if isinstance(problem.H, Downsample):
            return f"001_classicalSR_DF2K_s64w8_SwinIR-M_x{problem.H.scale:g}"
        if isinstance(problem.noise, Jpeg):
            quality = _nearest(QUALITIES, problem.noise.quality)
            return f"006_{'colorCAR' if colour else 'CAR'}_DFWB_s126w7_SwinIR-M_jpeg{quality}"
        sigma = problem.noise.sigma
        level = _nearest(SIGMAS, 25 if sigma is None else 255 * sigma)
        return f"{'005_color' if colour else '004_gray'}DN_DFWB_s128w8_SwinIR-M_noise{level}"

    def solve(self, problem: Problem, context: Context) -> Result:
        """Denoise, deblock or enlarge y."""
        if isinstance(problem.H, Downsample) and problem.H.scale not in SCALES:
            raise CannotSolve(f"swinir enlarges by {', '.join(map(str, SCALES))}, not by {problem.H.scale:g}")
        return NetworkMethod.solve(self, problem, context)

    def output_of(self, trained: Trained, y: Float[Tensor, "b c h w"], sigma: float) -> Float[Tensor, "b c i j"]:
        """What the network makes of y, or the mean over the symmetries."""
        run = partial(run_network, trained)
        return over_symmetries(run, y) if self.ensemble else run(y)


def _nearest(levels: tuple[int, ...], level: float) -> int:
    """The nearest of the levels, the lower where two are as near."""
    return min(levels, key=lambda one: abs(one - level))
