"""Half-quadratic splitting with a denoiser in place of the prior's proximal map, and its annealing.

To minimise ½‖Hx − y‖² + λσ²Φ(x), x is split in two that a quadratic term holds together,

    ½‖Hx − y‖² + λσ²Φ(z) + ρ/2 ‖x − z‖²,

and the two are found in turns (Geman, Yang 1995). The step in z is a denoiser of the noise level √(λσ²/ρ), whatever Φ
is: so Φ need not be known, and the denoiser is (Zhang, Zuo, Gu, Zhang, CVPR 2017). The level is lowered from step to
step, and ρ_k = λσ²/σ_k² rises.

References.
D. Geman and C. Yang, "Nonlinear image recovery with half-quadratic regularization", IEEE Transactions on Image
Processing 4(7), 1995, doi:10.1109/83.392335.
K. Zhang, W. Zuo, S. Gu and L. Zhang, "Learning deep CNN denoiser prior for image restoration", CVPR 2017,
doi:10.1109/CVPR.2017.300.
"""

from collections.abc import Callable, Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.numerics.iterate import root_mean_square

LEAST_SIGMA = 0.255 / 255
"""Noise of a measurement counts as at least this: less would make ρ vanish."""


def annealed(first: float, last: float, K: int) -> tuple[float, ...]:
    """K levels σ_k > 0, log-spaced from ``first`` to ``last``; one level alone is the last."""
    return tuple(last * (first / last) ** (1 - k / (K - 1)) for k in range(K)) if K > 1 else (last,)


def half_quadratic_splitting(
    problem: Problem,
    levels: Sequence[float],
    lam: float,
    denoise: Callable[[Tensor, float, int], Tensor],
    progress: Progress,
) -> tuple[Float[Tensor, "b c h w"], tuple[Mapping[str, float], ...]]:
    """From z = H.first_guess(y), for k = 0, 1 …: x = argmin ½‖Hx − y‖² + ρ_k/2 ‖x − z‖²; z = denoise(x, σ_k, k).

    Args:
        problem: y, H and σ, which counts as at least :data:`LEAST_SIGMA`.
        levels: σ_k > 0.
        lam: λ > 0, of ρ_k = λσ²/σ_k².
        denoise: given x, σ_k and k.
        progress: called after each step.

    Returns:
        The last z, and a row of stats a step: σ_k, ρ_k, and the root mean square of Hz − y.
    """
    H, y, energy = problem.H, problem.y, lam * max(problem.sigma, LEAST_SIGMA) ** 2
    z, stats = H.first_guess(y), list[Mapping[str, float]]()
    for k, sigma in enumerate(levels):
        rho = energy / sigma**2
        z = denoise(H.prox(z, y, rho), sigma, k)
        stats.append({"sigma": sigma, "rho": rho, "residual": root_mean_square(H(z) - y)})
        progress(k + 1, len(levels), f"sigma {255 * sigma:.3g}/255")
    return z, tuple(stats)
