"""L0 gradient minimisation: as few jumps as possible, as large as they need to be.

Problem. y = x + n, and x is a cartoon: flat pieces with sharp edges. Edge-preserving smoothing, extraction of edges,
the artefacts of JPEG in drawings; gray or colour. Photographs with noise are not what it is for.

Model. Xu, Lu, Xu and Jia's, the "zero norm" of the gradient:

    minimise  Σ_p (S_p − I_p)² + λ·#{p : Σ_c (∂xS_p)² + (∂yS_p)² ≠ 0},

∂ being forward differences with the ``reflect`` border, and a pixel of any channel counting once, so that the colours
share their edges. However high an edge is, it costs λ.

Algorithm (half-quadratic splitting with continuation). g stands for the gradient of S, tied to it by β. From S = I,
β = 2λ, while β < 1e5:
1. g_p = (∂xS_p, ∂yS_p) where Σ_c(∂xS_p)² + (∂yS_p)² > λ/β, else 0: the minimiser over g.
2. S = C⁻¹[ C(I + βDᵀg) / (1 + βΛ) ], C the cosine transform DCT-II, Λ the eigenvalues of DᵀD: the minimiser over S.
3. β ← κβ.

Parameters. λ in squares of the range [0, 1]: 0.02 for smoothing (0.001 to 0.1), κ = 2 (fast; 1.05 finds lower minima in
fourteen times the time), both from the paper. As a denoiser λ = 1.5σ².

Cost. 22 iterations at λ = 0.02, 2 cosine transforms of each channel each. Computed in double precision: the threshold
decides in the same way whatever the precision of the image. Memory: about 8 images in that precision.

Departures from the original. The paper takes periodic differences, so that opposite borders of the picture are
neighbours; here the border is ``reflect`` in the differences and in the transform alike. (OpenCV's implementation mixes
the two, and the error grows with β.)

When not. Noise: an isolated outlier is a jump like any other, so that some noise stays as specks while fine texture
goes; total variation is three decibels better.

References.
L. Xu, C. Lu, Y. Xu and J. Jia, "Image smoothing via L0 gradient minimization", ACM Transactions on Graphics 30
(SIGGRAPH Asia), 2011, doi:10.1145/2070781.2024208.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from restora.core.method import Context, Method
from restora.core.parameters import above, check_number, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.dct import dct2, idct2
from restora.numerics.differences import gradient_spectrum
from restora.numerics.jumps import add_jumps
from restora.operators.identity import Identity

_LAST_BETA = 1e5


@dataclass(frozen=True, slots=True)
class L0Gradient(Method):
    """Xu's smoothing.

    Attributes:
        lam: λ, the price of an edge pixel, > 0, for images on [0, 1]. The square of the smallest jump that survives
            grows with it.
        kappa: κ, by which β grows, > 1. Nearer to 1 it is slower and finds lower minima.
    """

    spec: ClassVar[Spec] = Spec(
        name="l0-gradient",
        tasks=("denoise", "deblock"),
        solves=(Identity,),
        colour="native",
        paper='L. Xu, C. Lu, Y. Xu and J. Jia, "Image smoothing via L0 gradient minimization", 2011',
        doi="10.1145/2070781.2024208",
        leaves_noiseless=True,
        published=awgn_protocols("set12-gray"),
    )

    lam: Annotated[float, positive] = 0.02
    kappa: Annotated[float, above(1)] = 2.0

    @classmethod
    def for_noise(cls, sigma: float) -> "L0Gradient":
        """λ = 1.5σ², of σ on [0, 1] (σ² >= 1e-8)."""
        check_number("sigma", sigma, nonnegative)
        return cls(lam=1.5 * max(sigma, 1e-4) ** 2)

    def solve(self, problem: Problem, context: Context) -> Result:
        """Smooth. A row of ``stats`` each iteration: β, and the share of pixels that are edges."""
        image = problem.y.double().contiguous()
        spectrum = gradient_spectrum(problem.size, "reflect", dtype=image.dtype, device=image.device)
        betas = self._betas()
        S, stats = image, []
        for done, beta in enumerate(betas, start=1):
            target, edges = add_jumps(image, S, self.lam / beta, beta)
            S = idct2(dct2(target) / (1 + beta * spectrum))
            stats.append({"iteration": done, "beta": beta, "edges": edges})
            context.progress(done, len(betas), f"{100 * edges:.1f} % edges")
        sentence = (
            f"β up to {betas[-1]:.2g} in {len(betas)} iterations; {100 * stats[-1]['edges']:.1f} % of pixels are edges"
        )
        return Result(S, Status.done(sentence), stats=tuple(stats))

    def _betas(self) -> list[float]:
        betas = [2 * self.lam]
        while betas[-1] * self.kappa < _LAST_BETA:
            betas.append(betas[-1] * self.kappa)
        return betas
