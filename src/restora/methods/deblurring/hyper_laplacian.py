"""Fast deconvolution with hyper-Laplacian priors: sparse gradients by half-quadratic splitting in Fourier space.

Problem. y = k * x + n with known k and white Gaussian noise; images of megapixels in seconds.

Model. Gradients of natural images have heavier tails than a Laplacian: p(g) ∝ exp(−|g|^α), 0.5 <= α <= 0.8. With
circular forward differences D (down and to the right),

    minimise  λ/2 ‖k * x − y‖² + Σ_i |(Dx)_i|^α,

which an auxiliary w splits:  λ/2 ‖k * x − y‖² + β/2 ‖Dx − w‖² + Σ_i |w_i|^α, with β → ∞.

Algorithm. From x = y, for β = 1, 2√2, 8, … below 2⁸ (six values):
1. w: each w_i = argmin_w |w|^α + β/2 (w − v_i)², v = Dx (exactly, see :func:`restora.numerics.prox.shrink_power`);
2. x: the quadratic is diagonal in Fourier space, X = [conj(K) Y + β/λ F(Dᵀw)] / [|K|² + β/λ |F D|²].
Where the blur is not circular, y is closed to a torus first (``closing``: borders replicated by half the kernel and
tapered four times, as the authors do) and the result is cropped.

Parameters. λ = 2000 in the authors' demonstration with σ = 0.01; it goes as 1/σ², hence λ = 0.2/σ²
(:meth:`HyperLaplacian.for_noise`). The schedule of β belongs to the range [0, 1]: other ranges need another.

Cost. Two FFTs and two shrinkages of each image a step, twelve FFTs in all; memory of about ten images.

Departures from the original. The paper tabulates the w-step; here it is solved where it stands, so there is no
range of gradients to fall out of. α = 1 gives anisotropic total variation, for comparison.

References.
D. Krishnan and R. Fergus, "Fast image deconvolution using hyper-Laplacian priors", NIPS 2009.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, cast

import torch

from restora.core.errors import InvalidParameter
from restora.core.method import Context, Method
from restora.core.parameters import Interval, above, check_number, check_parameters, counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.boundary import Closing, close
from restora.numerics.differences import divergence, gradient, gradient_spectrum
from restora.numerics.prox import shrink_power
from restora.numerics.variation_weight import FINEST_SIGMA
from restora.operators.blur import Blur


@dataclass(frozen=True, slots=True)
class HyperLaplacian(Method):
    """Krishnan and Fergus 2009.

    Attributes:
        lam: λ, weight of the data, > 0. Halved, the image becomes smoother; doubled, noise and rings return.
        alpha: α, exponent of the prior, in (0, 1]. 1/2 is the authors' demonstration, 2/3 their other closed form.
        beta_first: first β, > 0.
        beta_last: β stays below this, > beta_first.
        beta_rate: factor from one β to the next, > 1.
        inner: pairs of steps for each β, >= 1.
        closing: how a blur that is not circular is made so.
    """

    spec: ClassVar[Spec] = Spec(
        name="hyper-laplacian",
        tasks=("deblur",),
        solves=(Blur,),
        colour="per-channel",
        paper='D. Krishnan and R. Fergus, "Fast image deconvolution using hyper-Laplacian priors", NIPS 2009',
    )

    lam: Annotated[float, positive] = 2000.0
    alpha: Annotated[float, Interval(0, 1, has_low=False)] = 2 / 3
    beta_first: Annotated[float, positive] = 1.0
    beta_last: Annotated[float, positive] = 256.0
    beta_rate: Annotated[float, above(1)] = 2 * math.sqrt(2)
    inner: Annotated[int, counting] = 1
    closing: Closing = "edgetaper"

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.beta_last <= self.beta_first:
            raise InvalidParameter.outside("beta_last", self.beta_last, f"> beta_first = {self.beta_first}")

    @classmethod
    def for_noise(cls, sigma: float) -> "HyperLaplacian":
        """λ = 0.2/σ², of σ >= 0 on [0, 1], but not below that of rounding to 8 bits."""
        check_number("sigma", sigma, nonnegative)
        return cls(lam=0.2 / max(sigma, FINEST_SIGMA) ** 2)

    def betas(self) -> tuple[float, ...]:
        """The values of β, in order."""
        steps = math.ceil(math.log(self.beta_last / self.beta_first) / math.log(self.beta_rate) - 1e-9)
        return tuple(self.beta_first * self.beta_rate**i for i in range(steps) for _ in range(self.inner))

    def solve(self, problem: Problem, context: Context) -> Result:
        """Deconvolve. A row of ``stats`` a step: β, and the relative change of x."""
        H = cast(Blur, problem.H)
        torus = close(problem.y, H, self.closing)
        size = (torus.y.shape[-2], torus.y.shape[-1])
        K = H.otf(size, torus.y)
        data, power = K.conj() * torch.fft.rfft2(torus.y), K.abs() ** 2
        spectrum = gradient_spectrum(size, "circular", dtype=power.dtype, device=power.device)
        x, stats, betas = torus.y, [], self.betas()
        for done, beta in enumerate(betas, start=1):
            w = shrink_power(gradient(x, "circular"), 1 / beta, self.alpha)
            b = beta / self.lam
            X = (data - b * torch.fft.rfft2(divergence(w, "circular"))) / (power + b * spectrum)
            previous, x = x, torch.fft.irfft2(X, s=size)
            change = float(torch.linalg.vector_norm(x - previous) / torch.linalg.vector_norm(x).clamp_min(1e-12))
            stats.append({"beta": beta, "change": change})
            context.progress(done, len(betas), f"β = {beta:.3g}")
        status = Status.done(f"{len(betas)} steps, λ = {self.lam:.4g}, α = {self.alpha:.3g}")
        return Result(torus.crop(x, problem.size), status, stats=tuple(stats))
