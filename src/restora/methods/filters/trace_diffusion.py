"""Trace-based diffusion of vector-valued images: every pixel is smoothed by an oriented Gaussian of its own.

Problem. y = x + n, white noise n of standard deviation σ; made for colour, all channels at once.

Model. Tschumperlé and Deriche's equation for the channels k with their Hessians H_k,

    ∂I_k/∂t = trace(T H_k),    T = f−(λ+, λ−) θ− θ−ᵀ + f+(λ+, λ−) θ+ θ+ᵀ,    f± = (1 + λ+ + λ−)^−p±,

where λ+ >= λ− are the eigenvalues of the smoothed structure tensor G = G_ρ * mean_k ∇I_k ∇I_kᵀ (on 0 … 255), θ+ its
direction across the edge, θ− along it, and p− < p+. Unlike div(D∇I), whose flux also depends on how D varies, one step
is exactly a local filter with a Gaussian of covariance 2tT. All channels share the one T.

Algorithm. ``iterations`` times, from I = y:
1. G from I smoothed by ``pre_smoothing``, by central differences; G smoothed by ρ = ``rho``; T from it.
2. β = T_xx ∂²I/∂x² + 2 T_xy ∂²I/∂x∂y + T_yy ∂²I/∂y², 3 × 3 differences, reflecting border.
3. I ← I + τ β with τ = ``dt``/max|β|, so that no value changes by more than dt; then I is clamped to the range of y.

Parameters. p− = 0.5, p+ = 0.9, ρ = 0.5, no pre-smoothing and dt = 20 on 0 … 255 are those of the authors' program.

Cost. Two passes of nine neighbours, a tensor and its small Gaussian an iteration.

Departures from the original. τ is kept below ½/max trace T, up to where the explicit step is stable: without that bound
dt/max|β| grows without end as the image gets smooth. G is the mean, not the sum, over the channels. The authors'
program first stretches the image to 0 … 255; here [0, 1] is that range. The rule of :meth:`TraceDiffusion.for_noise` is
not in the paper: it was found on training photographs.

When not. The result depends on the largest |β| in the image, so tiles are an approximation.

References.
D. Tschumperlé, R. Deriche, "Vector-valued image regularization with PDEs: a common framework for different
applications", IEEE Transactions on Pattern Analysis and Machine Intelligence 27(4), 2005, doi:10.1109/TPAMI.2005.87.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.method import Context, Method
from restora.core.parameters import check_parameters, counting, nonnegative, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.rules import interpolated
from restora.core.spec import Spec
from restora.numerics.diffusion.evolution import DiffusionTensors
from restora.numerics.diffusion.structure_tensor import PowerLaw
from restora.numerics.diffusion.tensor import tensor_velocity
from restora.operators.identity import Identity

_ITERATIONS = {15: (20,), 25: (40,), 50: (120,)}
"""For each 255σ, with a pre-smoothing of 0.7 and ρ = 2."""


@dataclass(frozen=True, slots=True)
class TraceDiffusion(Method):
    """Smoothing by oriented Gaussians, the same for all channels.

    Args:
        p_along: p−, how fast smoothing along edges falls with their steepness, >= 0.
        p_across: p+, the same across edges, >= p_along.
        dt: the largest change of a value in an iteration, > 0.
        pre_smoothing: standard deviation in pixels of the Gaussian before the gradient, >= 0.
        rho: that of the Gaussian over the structure tensor, >= 0.
        iterations: >= 1. The result tells the largest |β| and the longest τ of each.
    """

    spec: ClassVar[Spec] = Spec(
        name="trace-diffusion",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper=(
            "D. Tschumperlé, R. Deriche, Vector-valued image regularization with PDEs: a common framework for "
            "different applications, IEEE TPAMI 27(4), 2005"
        ),
        doi="10.1109/TPAMI.2005.87",
        leaves_noiseless=True,
    )

    p_along: Annotated[float, nonnegative] = 0.5
    p_across: Annotated[float, nonnegative] = 0.9
    dt: Annotated[float, positive] = 20 / 255
    pre_smoothing: Annotated[float, nonnegative] = 0.0
    rho: Annotated[float, nonnegative] = 0.5
    iterations: Annotated[int, counting] = 10

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.p_across < self.p_along:
            raise InvalidParameter.outside("p_across", self.p_across, f">= p_along = {self.p_along}")

    @classmethod
    def for_noise(cls, sigma: float) -> "TraceDiffusion":
        """20, 40, 120 iterations for 255σ = 15, 25, 50, interpolated and held outside, with more smoothing of G.

        Noise tilts a tensor that is smoothed as little as the program does: pre_smoothing = 0.7 and ρ = 2.
        """
        (iterations,) = interpolated(sigma, _ITERATIONS)
        return cls(pre_smoothing=0.7, rho=2.0, iterations=round(iterations))

    def solve(self, problem: Problem, context: Context) -> Result:
        y = problem.y
        low, high = (bound(y, dim=(1, 2, 3), keepdim=True) for bound in (torch.amin, torch.amax))
        tensors = DiffusionTensors(PowerLaw(self.p_along, self.p_across), self.pre_smoothing, self.rho)
        I, stats = y, []
        for iteration in range(1, self.iterations + 1):
            T = tensors(I)
            beta = tensor_velocity(I, T, "trace")
            largest = beta.abs().amax(dim=(1, 2, 3), keepdim=True)
            tau = torch.minimum(self.dt / largest.clamp_min(torch.finfo(I.dtype).tiny), _stable(T)).detach()
            I = torch.minimum(torch.maximum(I + tau * beta, low), high)
            stats.append({"velocity": float(largest.max()), "step": float(tau.max())})
            context.progress(iteration, self.iterations, f"|β| = {stats[-1]['velocity']:.2g}")
        return Result(I, Status.done(f"{self.iterations} iterations"), stats=tuple(stats))


def _stable(T: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 1 1"]:
    """The largest stable explicit step for each image: the stencil multiplies no wave by less than −4 trace T."""
    return 0.5 / (T[:, :1] + T[:, 2:]).amax(dim=(1, 2, 3), keepdim=True)
