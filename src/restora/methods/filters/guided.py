"""Guided filter: in every window the image is a linear function of the guide.

Problem. y = x + n, white noise n of standard deviation σ; gray or colour, all channels at once. Also: smooth an image,
or carry the edges of a guide over to it (mattes, depth, transmission).

Model. In the window ω_k of radius r around each pixel k, q = a_kᵀI + b_k with the guide I, where a_k and b_k minimise

    Σ_{i in ω_k} ((a_kᵀI_i + b_k − y_i)² + ε|a_k|²).

So q has an edge only where I has one; and where I varies by less than √ε, a_k is small and q nearly the mean.

Algorithm. Means are over windows cut at the border.
1. Ī, ȳ, Σ = mean(IIᵀ) − ĪĪᵀ, C = mean(I yᵀ) − Ī ȳᵀ.
2. a = (Σ + εU)⁻¹C, b = ȳ − aᵀĪ. For a gray guide a = C/(Σ + ε).
3. q = āᵀI + b̄, with the means ā, b̄ over all windows that hold a pixel.
With ``subsampling`` s > 1 the steps 1 and 2 and the means ā, b̄ are done on images reduced s times and enlarged
bilinearly (He and Sun 2015).

Parameters. ε = 4.2σ², 6.6σ², 12σ² for 255σ = 15, 25, 50, interpolated between, and r = 1 pixel, 2 from 37.5 on. They
were found on 40 images of Train400 (``benchmarks/tune_filters.py``). To smooth: r = 2 … 8, √ε = 0.1 … 0.4.

Cost. O(N) for N pixels, whatever r: 4 box means for gray, 21 for a colour image guided by itself or another one.

Departures from the original. The mean of the guide is subtracted first, so that Σ does not cancel in float32. Guides of
neither one nor three channels are solved by Cholesky's method, three in closed form. The rule for σ is not in the
paper.

When not. As a denoiser: where the noisy guide varies it is kept, noise and all. Give a denoised guide.

References.
K. He, J. Sun, X. Tang, "Guided image filtering", IEEE Transactions on Pattern Analysis and Machine Intelligence 35(6),
2013, doi:10.1109/TPAMI.2012.213.
K. He, J. Sun, "Fast guided filter", arXiv:1505.00996, 2015.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import counting, nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec, awgn_protocols
from restora.numerics.smoothing.guide import guide_for
from restora.numerics.smoothing.guided import guided
from restora.operators.identity import Identity

_EPSILON = {15: (4.2,), 25: (6.6,), 50: (12.0,)}
"""255σ -> ε/σ²."""


@dataclass(frozen=True, eq=False, slots=True)
class GuidedFilter(Method):
    """The guided filter.

    Args:
        radius: r in pixels, >= 1. Doubled it smooths flat parts more; halos along edges get wider.
        epsilon: ε on the scale of [0, 1]², >= 0; 0 leaves an image that guides itself alone. Halved it leaves noise,
            doubled it blurs edges.
        subsampling: s, >= 1; 4 is many times faster for large r, and nearly as good.
        guide: I, (1 or b, d, h, w); None is y itself.
    """

    spec: ClassVar[Spec] = Spec(
        name="guided",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="K. He, J. Sun, X. Tang, Guided image filtering, IEEE TPAMI 35(6), 2013",
        doi="10.1109/TPAMI.2012.213",
        # None with a guide, which cannot be cut, and with a reduced grid, which tiles would shift.
        halo=lambda method: 2 * method.radius if method.guide is None and method.subsampling == 1 else None,
        published=awgn_protocols("set12-gray"),
    )

    radius: Annotated[int, counting] = 1
    epsilon: Annotated[float, nonnegative] = 0.03
    subsampling: Annotated[int, counting] = 1
    guide: Tensor | None = None

    @classmethod
    def for_noise(cls, sigma: float) -> "GuidedFilter":
        """ε = 4.2σ², 6.6σ², 12σ² for 255σ = 15, 25, 50, interpolated and held outside; r = 1, 2 from 37.5 on."""
        (times,) = interpolated(sigma, _EPSILON)
        return cls(radius=1 if 255 * sigma < 37.5 else 2, epsilon=times * sigma**2)

    def solve(self, problem: Problem, context: Context) -> Result:
        y = problem.y
        guide = guide_for(y, self.guide)
        if self.guide is None and self.epsilon == 0:
            return Result.left_alone(y, "it is a linear function of itself")
        x = guided(y, guide, radius=self.radius, epsilon=self.epsilon, subsampling=self.subsampling)
        return Result(x, Status.done(f"linear in {'itself' if self.guide is None else 'the guide'} by windows"))
