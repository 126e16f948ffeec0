"""Curvature-preserving diffusion by line integrals: every pixel is averaged along curves that follow the structures.

Problem. y = x + n, white noise n of standard deviation σ; made for colour, all channels at once. Known as
GREYCstoration and, in G'MIC, as anisotropic smoothing.

Model. Tschumperlé's equation, for the channels k with Hessians H_k and for w = √T a_α, a_α = (cos α, sin α),

    ∂I_k/∂t = (2/π) ∫_0^π [ wᵀ H_k w + ∇I_kᵀ J_w w ] dα,

J_w being the Jacobian of w. It is trace-based diffusion with the tensor T and a second term that bends it: smoothing
goes along the curves of w, so that it rounds no corner and thins no curved line. T has the directions of the smoothed
structure tensor with eigenvalues λ+ >= λ− (on 0 … 255) and there the eigenvalues (1 + λ+ + λ−)^−p, so √T those of half
the power.

Algorithm. ``iterations`` times, from I = y:
1. ∇ of I smoothed by ``pre_smoothing``; the structure tensor, mean over the channels, smoothed by ρ = ``rho``; √T from
   it, with p−/2 = ``sharpness``/2 along the edge and p+/2 = p−/2/(1 − ``anisotropy``) across.
2. For each of ``directions`` angles α of the whole circle (a curve is followed one way from its pixel, so both ±α are
   needed): w = √T a_α, and the mean of I along its curve with Gaussian weights of standard deviation |w|√(2·amplitude),
   to ``precision`` times that, in steps of ``dl`` pixels (:mod:`restora.numerics.diffusion.line_integral`).
3. I ← the mean over all α.

Parameters. sharpness 0.7, anisotropy 0.6, amplitude 60, pre-smoothing 0.6, ρ = 1.1, dl = 0.8, 12 directions (30°) and
precision 2 are those of the authors' program, which does one iteration: the defaults.

Cost. Up to directions·precision·√(2·amplitude)/dl samples a pixel, some hundreds with the defaults, fewer where there
are edges. One iteration smooths like dozens of explicit steps.

Departures from the original. Curves are followed through a linearly interpolated field and image, where the program
takes the nearest pixel; their last sample is faded and at the border they go on along it: so the result depends
continuously on the image, and tiles equal the whole. G is the mean, not the sum, over the channels. The program first
stretches the image to 0 … 255; here [0, 1] is that range. The rule of :meth:`CurvaturePreservingDiffusion.for_noise` is
not in the paper: it was found on training photographs.

References.
D. Tschumperlé, "Fast anisotropic smoothing of multi-valued images using curvature-preserving PDE's", International
Journal of Computer Vision 68(1), 2006, doi:10.1007/s11263-006-5631-z.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import Interval, at_least, counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec
from restora.numerics.diffusion.evolution import DiffusionTensors, tensors_reach
from restora.numerics.diffusion.line_integral import line_integral, line_reach
from restora.numerics.diffusion.structure_tensor import PowerLaw
from restora.operators.identity import Identity

_SHARPNESS = {15: (0.6,), 25: (0.4,), 50: (0.25,)}
"""For each 255σ, with two iterations."""


@dataclass(frozen=True, slots=True)
class CurvaturePreservingDiffusion(Method):
    """Means along curves, in all directions.

    Args:
        amplitude: half the variance in pixels² of the Gaussian along a curve where the image is flat, > 0.
        sharpness: p−, how fast smoothing falls with the steepness of edges, >= 0.
        anisotropy: in [0, 1); 0 smooths across edges as along them.
        pre_smoothing: standard deviation in pixels of the Gaussian before the gradient, >= 0.
        rho: that of the Gaussian over the structure tensor, >= 0.
        dl: step along a curve in pixels, in (0, 2].
        directions: number of angles α, >= 2.
        precision: where curves end, in standard deviations, > 0.
        iterations: >= 1.
    """

    spec: ClassVar[Spec] = Spec(
        name="lic-diffusion",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper=(
            "D. Tschumperlé, Fast anisotropic smoothing of multi-valued images using curvature-preserving PDE's, IJCV "
            "68(1), 2006"
        ),
        doi="10.1007/s11263-006-5631-z",
        leaves_noiseless=True,
        halo=lambda method: method.reach,
    )

    amplitude: Annotated[float, positive] = 60.0
    sharpness: Annotated[float, nonnegative] = 0.7
    anisotropy: Annotated[float, Interval(0, 1, has_high=False)] = 0.6
    pre_smoothing: Annotated[float, nonnegative] = 0.6
    rho: Annotated[float, nonnegative] = 1.1
    dl: Annotated[float, Interval(0, 2, has_low=False)] = 0.8
    directions: Annotated[int, at_least(2)] = 12
    precision: Annotated[float, positive] = 2.0
    iterations: Annotated[int, counting] = 1

    @property
    def reach(self) -> int:
        """Pixels from which a result depends."""
        once = tensors_reach(self.pre_smoothing, self.rho) + line_reach(self.amplitude, self.precision)
        return self.iterations * once

    @classmethod
    def for_noise(cls, sigma: float) -> "CurvaturePreservingDiffusion":
        """Two iterations of sharpness 0.6, 0.4, 0.25 for 255σ = 15, 25, 50; interpolated, and held outside."""
        (sharpness,) = interpolated(sigma, _SHARPNESS)
        return cls(sharpness=sharpness, iterations=2)

    def solve(self, problem: Problem, context: Context) -> Result:
        I, total = problem.y, self.iterations * self.directions
        law = PowerLaw(self.sharpness / 2, self.sharpness / 2 / (1 - self.anisotropy))
        tensors = DiffusionTensors(law, self.pre_smoothing, self.rho)
        for iteration in range(self.iterations):
            root = tensors(I)
            mean = torch.zeros_like(I)
            for k in range(self.directions):
                mean.add_(self._along(I, root, 2 * math.pi * k / self.directions), alpha=1 / self.directions)
                context.progress(iteration * self.directions + k + 1, total, "directions")
            I = mean
        sentence = f"averaged along curves in {self.directions} directions, amplitude {self.amplitude:.3g}"
        return Result(I, Status.done(sentence))

    def _along(
        self, I: Float[Tensor, "b c h w"], root: Float[Tensor, "b 3 h w"], alpha: float
    ) -> Float[Tensor, "b c h w"]:
        """The means along the curves of w = √T a_α."""
        a, b, c = root.unbind(1)
        cos, sin = math.cos(alpha), math.sin(alpha)
        w = torch.stack((cos * a + sin * b, cos * b + sin * c), dim=1)
        return line_integral(I, w, amplitude=self.amplitude, dl=self.dl, precision=self.precision)
