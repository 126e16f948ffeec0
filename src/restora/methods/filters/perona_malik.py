"""Perona–Malik diffusion: noise spreads within regions and stops at their edges.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once.

Model. Heat conduction whose conductance falls where the image is steep:

    ∂u/∂t = div(g(|∇u|) ∇u),  u(0) = y,    x̂ = u(T),

with nothing flowing through the border and, at the contrast K, one of

    g1(s) = exp(−(s/K)²)              prefers steep edges to flat ones,
    g2(s) = 1/(1 + (s/K)²)            prefers wide regions to small ones,
    tukey(s) = ½(1 − (s/K)²/2)²       stops altogether at s = √2 K (Black et al. 1998).

The flux s·g(s) grows up to s = K/√2 for g1, K for g2, √(2/5) K for tukey; steeper edges are sharpened.

Algorithm. ``iterations`` times, from u = y:
1. ∇_N, ∇_S, ∇_E, ∇_W: the differences to the four neighbours, zero across the border.
2. u ← u + λ Σ_d g(|∇_d u|) ∇_d u, each direction with its own conductance; λ is ``step``, at most 1/4.

Parameters. K = K_over_sigma·σ, or, with contrast="quantile", the rule of 1990 (Canny's noise estimator): the
``quantile`` of all |∇_d u|, found anew at each iteration. That rule takes the noise for nine tenths of all differences
and blurs where there is much of it; it also looks at the whole image, so that large pictures are slow in tiles.

Cost. Two conductances a pixel and iteration, one pass through memory.

Departures from the original. Colour: s² is the mean over the channels of the squared difference, so that all of them
share their edges. The table of :meth:`PeronaMalik.for_noise`, for g2 and 255σ = 15, 25, 50, is not in the paper: it was
found on 40 images of Train400 (``benchmarks/tune_filters.py``); between its rows it is interpolated.

When not. Impulses, and the largest grains of noise, are edges to it and stay: see the regularised form
(``catte-diffusion``).

References.
P. Perona, J. Malik, "Scale-space and edge detection using anisotropic diffusion", IEEE Transactions on Pattern Analysis
and Machine Intelligence 12(7), 1990, doi:10.1109/34.56205.
M. J. Black, G. Sapiro, D. H. Marimont, D. Heeger, "Robust anisotropic diffusion", IEEE Transactions on Image Processing
7(3), 1998, doi:10.1109/83.661192.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import Interval, counting, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.diffusion.scalar import Conductance, perona_malik_step
from restora.operators.identity import Identity

_WHOLE = 1 << 30  # pixels: tiles that reach so far see the whole image

Contrast = Literal["noise", "quantile"]
"""Where K comes from: the noise, K_over_sigma·σ, or the image, by the rule of the paper."""

_TABLE = {15: (0.7, 11), 25: (0.64, 14), 50: (0.7, 15)}
"""K/σ and iterations for each 255σ, with g2 and a step of 0.2."""


@dataclass(frozen=True, slots=True)
class PeronaMalik(Method):
    """Explicit diffusion with a conductance for each direction.

    Args:
        K_over_sigma: K/σ, the contrast from which on a difference is an edge, > 0. Halved it leaves grains of noise,
            doubled it blurs edges.
        conductance: the law g.
        step: λ, the time of an iteration, in (0, 1/4].
        iterations: >= 1; the time T is step·iterations. The result tells the time and the largest K of each.
        contrast: where K comes from.
        quantile: in (0, 1), of the differences, for contrast="quantile".
    """

    spec: ClassVar[Spec] = Spec(
        name="perona-malik",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="P. Perona, J. Malik, Scale-space and edge detection using anisotropic diffusion, IEEE TPAMI 12(7), 1990",
        doi="10.1109/34.56205",
        leaves_noiseless=True,
        halo=lambda method: _WHOLE if method.contrast == "quantile" else method.iterations,
        published=awgn_protocols("set12-gray"),
    )

    K_over_sigma: Annotated[float, positive] = 0.5
    conductance: Conductance = "g2"
    step: Annotated[float, Interval(0, 0.25, has_low=False)] = 0.2
    iterations: Annotated[int, counting] = 20
    contrast: Contrast = "noise"
    quantile: Annotated[float, Interval(0, 1, has_low=False, has_high=False)] = 0.9

    @classmethod
    def for_noise(cls, sigma: float) -> "PeronaMalik":
        """K/σ = 0.7, 0.64, 0.7 and 11, 14, 15 iterations for 255σ = 15, 25, 50; interpolated, and held outside."""
        ratio, iterations = interpolated(sigma, _TABLE)
        return cls(ratio, iterations=round(iterations))

    def solve(self, problem: Problem, context: Context) -> Result:
        u = problem.y
        K = u.new_full((len(u),), self.K_over_sigma * problem.sigma, dtype=torch.float64)
        stats = []
        for iteration in range(1, self.iterations + 1):
            if self.contrast == "quantile":
                K = _contrast(u, self.quantile)
            u = perona_malik_step(u, K, self.conductance, self.step)
            stats.append({"time": self.step * iteration, "K": float(K.max())})
            context.progress(iteration, self.iterations, f"K = {float(K.max()):.3g}")
        sentence = f"{self.iterations} steps of {self.step:g} with {self.conductance}, K = {stats[-1]['K']:.3g}"
        return Result(u, Status.done(sentence), stats=tuple(stats))


def _contrast(u: Float[Tensor, "b c h w"], quantile: float) -> Float[Tensor, " b"]:
    """The quantile of the sizes of all differences between neighbours, for each image; never zero."""
    sizes = [u.detach().diff(dim=dim).square().mean(dim=1).flatten(1) for dim in (-2, -1)]
    s2 = torch.cat(sizes, dim=1)
    if s2.shape[1] == 0:
        return u.new_ones(len(u), dtype=torch.float64)
    rank = math.ceil(quantile * s2.shape[1])
    return s2.kthvalue(rank, dim=1).values.double().sqrt().clamp_min(1e-12)
