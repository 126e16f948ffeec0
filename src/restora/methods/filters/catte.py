"""Regularised Perona–Malik diffusion: the conductance looks at the smoothed image, so that noise is no edge.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once.

Model. Catté, Lions, Morel and Coll's well-posed form of Perona and Malik's equation,

    ∂u/∂t = div(g(|∇(G_ς * u)|) ∇u),  u(0) = y,    g(s) = 1/(1 + (s/K)²),

with nothing flowing through the border. A single grain of noise is steep, but not once it is smoothed: it diffuses.

Algorithm. ``iterations`` times, from u = y:
1. ∇(G_ς * u) by central differences, one-sided on the border; s² is the mean over the channels of its squared length.
2. g at each pixel; at a face between two pixels the mean of both.
3. With scheme="explicit" u ← u + τ div(g ∇u), τ = ``step`` <= 1/4.
   With scheme="aos" u ← ½ Σ_l (I − 2τ A_l)⁻¹u over rows and columns l (additive operator splitting), for any τ.

Parameters. (255K, ς, iterations) = (4.7, 0.5, 11), (8, 0.42, 16), (8, 0.65, 39) for 255σ = 15, 25, 50, interpolated
between. They were found on 40 images of Train400 (``benchmarks/tune_filters.py``).

Cost. An iteration takes a small Gaussian filter and three passes; an AOS one some two to four times as long. So few
long AOS steps are faster than many explicit ones, at a loss: over the time of 255σ = 25 steps of 1, 0.5 and 0.29 end
1.0, 0.3 and 0.1 dB below the explicit ones on training photographs.

Departures from the original. The paper keeps g and ς open, and has no rule for the noise.

References.
F. Catté, P.-L. Lions, J.-M. Morel, T. Coll, "Image selective smoothing and edge detection by nonlinear diffusion", SIAM
Journal on Numerical Analysis 29(1), 1992, doi:10.1137/0729012.
J. Weickert, B. M. ter Haar Romeny, M. A. Viergever, "Efficient and reliable schemes for nonlinear diffusion filtering",
IEEE Transactions on Image Processing 7(3), 1998, doi:10.1109/83.661190.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.method import Context, Method
from restora.core.parameters import check_parameters, counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.convolution import convolve_separable, gaussian_kernel, gaussian_radius
from restora.numerics.diffusion.aos import aos_reach, aos_step
from restora.numerics.diffusion.scalar import conductance, diffusion_step
from restora.numerics.diffusion.structure_tensor import structure_tensor
from restora.operators.identity import Identity

Scheme = Literal["explicit", "aos"]
"""How a step is taken: forwards, up to τ = 1/4, or by additive operator splitting."""

_TABLE = {15: (4.7, 0.5, 11), 25: (8, 0.42, 16), 50: (8, 0.65, 39)}
"""255K, ς and iterations of 0.2 for each 255σ."""


@dataclass(frozen=True, slots=True)
class CatteDiffusion(Method):
    """Diffusion with a conductance from the smoothed image.

    Args:
        K: contrast of an edge in the smoothed image, > 0.
        pre_smoothing: ς, standard deviation in pixels of the Gaussian before the gradient, >= 0.
        step: τ, the time of an iteration, > 0, at most 1/4 for the explicit scheme.
        iterations: >= 1. Halved they leave noise, doubled they flatten what is fainter than K.
        scheme: how a step is taken.
    """

    spec: ClassVar[Spec] = Spec(
        name="catte-diffusion",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper=(
            "F. Catté, P.-L. Lions, J.-M. Morel, T. Coll, Image selective smoothing and edge detection by nonlinear "
            "diffusion, SIAM J. Numer. Anal. 29(1), 1992"
        ),
        doi="10.1137/0729012",
        leaves_noiseless=True,
        halo=lambda method: method.reach,
        published=awgn_protocols("set12-gray"),
    )

    K: Annotated[float, positive] = 8 / 255
    pre_smoothing: Annotated[float, nonnegative] = 0.7
    step: Annotated[float, positive] = 0.2
    iterations: Annotated[int, counting] = 10
    scheme: Scheme = "explicit"

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.scheme == "explicit" and self.step > 0.25:
            raise InvalidParameter.outside("step", self.step, "at most 1/4 in the explicit scheme")

    @property
    def reach(self) -> int:
        """Pixels from which a result depends; in the AOS scheme, to seven digits."""
        step = 1 if self.scheme == "explicit" else aos_reach(self.step)
        return self.iterations * (gaussian_radius(self.pre_smoothing) + 1 + step)

    @classmethod
    def for_noise(cls, sigma: float) -> "CatteDiffusion":
        """255K = 4.7, 8, 8, ς = 0.5, 0.42, 0.65 and 11, 16, 39 iterations for 255σ = 15, 25, 50; interpolated."""
        K, pre_smoothing, iterations = interpolated(sigma, _TABLE)
        return cls(K / 255, pre_smoothing, iterations=round(iterations))

    def solve(self, problem: Problem, context: Context) -> Result:
        u = problem.y
        advance = diffusion_step if self.scheme == "explicit" else aos_step
        for iteration in range(1, self.iterations + 1):
            u = advance(u, self._conductance(u), self.step)
            context.progress(iteration, self.iterations, f"time {self.step * iteration:.3g}")
        sentence = f"{self.iterations} {self.scheme} steps of {self.step:g}, K = {self.K:.3g}"
        return Result(u, Status.done(sentence))

    def _conductance(self, u: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"]:
        """g2 of |∇(G_ς * u)|, whose square is the trace of the structure tensor."""
        smoothed = convolve_separable(u, gaussian_kernel(self.pre_smoothing))
        J = structure_tensor(smoothed)
        return conductance(J[:, :1] + J[:, 2:], self.K, "g2")
