"""DPIR: plug-and-play restoration with DRUNet, a deep denoiser of every noise level.

Problem. y = Hx + n with any linear H and white noise n of standard deviation σ; in the paper deblurring,
super-resolution and demosaicking.

Model. minimise ½‖Hx − y‖² + λσ²Φ(x), Φ being what the denoiser knows of images.

Algorithm. Half-quadratic splitting. σ_k is log-spaced from σ_1 to σ_K; for k = 1 … K
1. x = argmin ½‖Hx − y‖² + α_k/2 ‖x − z‖², α_k = λσ²/σ_k²: in closed form for the H of the paper;
2. x is turned or mirrored by the k-th, modulo 8, of the eight symmetries of the square, denoised by DRUNet at σ_k, and
   turned back: a geometric self-ensemble at the price of a single pass ("periodic").
The last z is the result. Where there is no noise, the pixels a mask or a mosaic measured are put back as they were.

Parameters. λ = 0.23, σ_1 = 49/255, and by the kind of H

    H                                      K    255·σ_K         z at first
    a blur, and any not named here         8    max(σ, 0.255)   y, or a smooth guess where the sizes differ
    reduction s times                      24   max(σ, s)       bicubic; after blur and decimation shifted by (s−1)/2
    mosaic, mask                           40   max(σ, 0.6)     each colour interpolated; Laplace's equation

with σ in α_k at least 0.255/255 (here σ on 0 … 255).

Cost. K passes of DRUNet, 139 G multiply-adds for 256×256 each (the small one of the default weights far fewer), and K
proximal maps of H; where those are conjugate gradients, up to 200 H and Hᵀ each.

Departures from the original. The paper has no inpainting: a mask is treated as a mosaic, of which it is the general
form. There the demosaicking of Malvar et al. is the first z, here a smooth interpolation; and there x is clipped to
[0, 1] before it is denoised, here nothing is clipped. An H that is no circular blur is not made circular: its own
proximal problem is solved. The weights of the default are of a small DRUNet, trained here; the authors' own,
``drunet_gray.pth`` and ``drunet_color.pth``, are used where ``weights`` names their file.

References.
K. Zhang, Y. Li, W. Zuo, L. Zhang, L. Van Gool and R. Timofte, "Plug-and-play image restoration with deep denoiser
prior", IEEE Transactions on Pattern Analysis and Machine Intelligence 44(10), 2022, doi:10.1109/TPAMI.2021.3088914.
"""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from jaxtyping import Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import counting, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.nets.precision import Precision
from restora.numerics.plug_and_play import LEAST_SIGMA, annealed, half_quadratic_splitting
from restora.operators.decimate import BlurDecimate, Decimate
from restora.operators.downsample import Downsample
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic
from restora.weights.denoiser import NetworkDenoiser

SYMMETRIES = ((0, False), (1, True), (0, True), (3, False), (2, True), (1, False), (2, False), (3, True))
"""Of the square, in the authors' order: quarter turns, and then upside down or not."""


@dataclass(frozen=True, slots=True)
class DPIR(Method):
    """Half-quadratic splitting with DRUNet.

    Attributes:
        weights: of a network that takes the noise level: a name, or the path of a file.
        K: steps, >= 1.
        sigma_1: σ_1, the first level of the denoiser, > 0, on [0, 1].
        least_sigma_K: the least σ_K, > 0, on [0, 1]; σ_K is that or σ of the measurement, whichever is more.
        lam: λ, weight of the prior, > 0. Doubled, the measurement counts for half.
        periodic: turn or mirror the image, another way in each step.
        precision: in which numbers the network computes.
    """

    spec: ClassVar[Spec] = Spec(
        name="dpir",
        tasks=("deblur", "super-resolve", "demosaick", "inpaint", "denoise"),
        solves=(Operator,),
        colour="native",
        paper='K. Zhang et al., "Plug-and-play image restoration with deep denoiser prior", IEEE TPAMI 44(10), 2022',
        doi="10.1109/TPAMI.2021.3088914",
        keeps_constants=False,
        weights=("drunet-small-gray", "drunet-small-colour"),
    )

    weights: str = "drunet-small-gray"
    K: Annotated[int, counting] = 8
    sigma_1: Annotated[float, positive] = 49 / 255
    least_sigma_K: Annotated[float, positive] = LEAST_SIGMA
    lam: Annotated[float, positive] = 0.23
    periodic: bool = True
    precision: Precision = "auto"

    @classmethod
    def for_operator(cls, H: Operator) -> "DPIR":
        """The table above."""
        if isinstance(H, Decimate | BlurDecimate | Downsample):
            return cls(K=24, least_sigma_K=H.scale / 255)
        if isinstance(H, Mosaic | Mask):
            return cls(K=40, least_sigma_K=0.6 / 255)
        return cls()

    @classmethod
    def for_problem(cls, problem: Problem) -> "DPIR":
        """The table above, and the weights for gray or for colour."""
        colour = problem.channels == 3
        return replace(cls.for_operator(problem.H), weights="drunet-small-colour" if colour else "drunet-small-gray")

    def solve(self, problem: Problem, context: Context) -> Result:
        """Restore. A row of ``stats`` a step: σ_k, α_k as ``rho``, and the root mean square of Hz − y."""
        H, sigma = problem.H, problem.sigma
        levels = annealed(self.sigma_1, max(sigma, self.least_sigma_K), self.K)
        z, stats = half_quadratic_splitting(problem, levels, self.lam, self._denoise, context.progress)
        if sigma == 0 and isinstance(H, Mask | Mosaic):
            z = z + H.adjoint(problem.y - H(z))
        return Result(z, Status.done(f"{self.K} steps with the weights {self.weights}"), stats=stats)

    def _denoise(self, x: Float[Tensor, "b c h w"], sigma: float, k: int) -> Float[Tensor, "b c h w"]:
        denoiser = NetworkDenoiser(self.weights, self.precision)
        if not self.periodic:
            return denoiser(x, sigma)
        turns, mirrored = SYMMETRIES[k % 8]
        turned = x.rot90(turns, (-2, -1))
        cleaned = denoiser(turned.flip(-2) if mirrored else turned, sigma)
        return (cleaned.flip(-2) if mirrored else cleaned).rot90(-turns, (-2, -1))
