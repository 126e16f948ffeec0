"""Half-quadratic splitting with a denoiser in place of the prior's proximal map, and its annealing.

To minimise ½‖Hx − y‖² + λσ²Φ(x), x is split in two that a quadratic term holds together,

    ½‖Hx − y‖² + λσ²Φ(z) + ρ/2 ‖x − z‖²,

and the two are found in turns (Geman, Yang 1995). The step in z is a denoiser of the noise level √(λσ²/ρ), whatever Φ
is: so Φ need not be known, and the denoiser is (Zhang, Zuo, Gu, Zhang, CVPR 2017). The level is lowered from step to
step, and ρ = λσ²/σ_k² rises.

References.
D. Geman and C. Yang, "Nonlinear image recovery with half-quadratic regularization", IEEE Transactions on Image
Processing 4(7), 1995, doi:10.1109/83.392335.
K. Zhang, W. Zuo, S. Gu and L. Zhang, "Learning deep CNN denoiser prior for image restoration", CVPR 2017,
doi:10.1109/CVPR.2017.300.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.progress import Progress

LEAST_SIGMA = 0.255 / 255
"""Noise of a measurement counts as at least this: less would make ρ vanish."""


@dataclass(frozen=True, slots=True)
class Step:
    """One turn: ρ of the step in x, σ_k of the denoiser."""

    rho: float
    sigma: float


def annealed(sigma: float, first: float, last: float, K: int, lam: float) -> tuple[Step, ...]:
    """K steps with σ_k log-spaced from ``first`` to ``last`` and ρ_k = λσ²/σ_k²; one step alone is the last.

    Args:
        sigma: σ of the measurement; it counts as at least :data:`LEAST_SIGMA`.
        first: σ_1, > 0.
        last: σ_K, > 0.
        K: steps, >= 1.
        lam: λ, > 0.
    """
    energy = lam * max(sigma, LEAST_SIGMA) ** 2
    levels = [last * (first / last) ** (1 - k / (K - 1)) for k in range(K)] if K > 1 else [last]
    return tuple(Step(energy / level**2, level) for level in levels)


def half_quadratic_splitting(
    problem: Problem,
    z: Float[Tensor, "b c h w"],
    steps: Sequence[Step],
    denoise: Callable[[Tensor, float, int], Tensor],
    progress: Progress,
) -> tuple[Float[Tensor, "b c h w"], tuple[Mapping[str, float], ...]]:
    """For k = 0, 1 …: x = argmin ½‖Hx − y‖² + ρ_k/2 ‖x − z‖²; z = denoise(x, σ_k, k).

    Args:
        problem: y, of a precision to compute in, and H.
        z: where to start.
        steps: ρ_k and σ_k.
        denoise: given x, σ_k and k.
        progress: told after each step.

    Returns:
        The last z, and a row of stats a step: σ_k, ρ_k, and the root mean square of Hz − y.
    """
    stats: list[Mapping[str, float]] = []
    for k, step in enumerate(steps):
        x = problem.H.prox(z, problem.y, step.rho)
        z = denoise(x, step.sigma, k)
        stats.append({"sigma": step.sigma, "rho": step.rho, "residual": residual(problem.H, z, problem.y)})
        progress(k + 1, len(steps), f"sigma {255 * step.sigma:.3g}/255")
    return z, tuple(stats)


def residual(H: Operator, x: Float[Tensor, "b c h w"], y: Float[Tensor, "b d i j"]) -> float:
    """The root mean square of Hx − y."""
    return float((H(x) - y).square().mean().sqrt())


def computable(problem: Problem) -> Problem:
    """The problem with y in float32, where it is in less."""
    y = problem.y
    return problem if y.dtype in (torch.float32, torch.float64) else problem.with_y(y.float())
