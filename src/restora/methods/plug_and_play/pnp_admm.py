"""Plug-and-play ADMM: any linear H, with any denoiser for a prior, towards a fixed point.

Problem. y = Hx + n with any linear H and white noise n of standard deviation σ.

Model. minimise ½‖Hx − y‖² + λσ²Φ(v) subject to x = v. The step in v of the alternating direction method of multipliers
is the proximal map of Φ, which is a denoiser; any other denoiser D is put in its place.

Algorithm. v = a first guess (``H.first_guess(y)``), u = 0, ρ = λσ²/σ_1²; K times
1. x = argmin ½‖Hx − y‖² + ρ/2 ‖x − (v − u)‖²;
2. v = D(x + u, √(λσ²/ρ));
3. u ← u + x − v;
4. ρ ← γρ, u ← u/γ, so that the multiplier ρu stays.
The last v is the result. If D is a proximal map and γ = 1, this is ADMM and ends at the minimum. With a linear,
symmetric, invertible D = W and γ = 1 it ends at (HᵀH + ρ(W⁻¹ − I))x = Hᵀy. For γ > 1 and a D that is bounded,
‖D(x, s) − x‖² <= n s² C for images of n numbers, Chan et al. prove that it ends at a fixed point, but which one depends
on the schedule. For other D and γ = 1 nothing is promised, though it is what is mostly done.

Parameters. λ = 1: the weight with which D, taken for the proximal map of −log p, gives the most probable x. γ = 1 and
σ_1 = 30/255, which on two training photographs is a compromise: 20/255 is better by 0.4 dB at σ = 2.55/255, 49/255 by
0.3 dB at σ = 7.65/255. σ counts as at least 0.255/255.

Cost. K calls of the denoiser and K proximal maps of H; where those are conjugate gradients, up to 200 H and Hᵀ each.

Departures from the original. The papers set λ and ρ by hand for each problem. Chan et al. do not rescale u when ρ
grows; with γ > 1 that was several decibels worse here. Their rule that raises ρ only when the iteration stalls would
make the images of a batch depend on each other, and is left out.

References.
S. V. Venkatakrishnan, C. A. Bouman and B. Wohlberg, "Plug-and-play priors for model based reconstruction", IEEE
GlobalSIP 2013, doi:10.1109/GlobalSIP.2013.6737048.
S. H. Chan, X. Wang and O. A. Elgendy, "Plug-and-play ADMM for image restoration: fixed-point convergence and
applications", IEEE Transactions on Computational Imaging 3(1), 2017, doi:10.1109/TCI.2016.2629286.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch

from restora.core.denoiser import Denoiser
from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import at_least, counting, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.iterate import root_mean_square
from restora.numerics.plug_and_play import LEAST_SIGMA
from restora.weights.denoiser import FFDNET_GRAY, ffdnet_for


@dataclass(frozen=True, slots=True)
class PnPADMM(Method):
    """The alternating direction method of multipliers with a denoiser.

    Attributes:
        denoiser: the prior. By name: a method that denoises (``bm3d``, ``tv`` …), or the name or path of weights of a
            network that takes the noise level. From Python: any function of (x, sigma).
        K: iterations, >= 1.
        sigma_1: σ_1, the first level of the denoiser, > 0, on [0, 1]; ρ begins as λσ²/σ_1².
        gamma: γ, growth of ρ in each iteration, >= 1; the level of the denoiser falls by √γ.
        lam: λ, weight of the prior, > 0. Doubled, the measurement counts for half.
    """

    spec: ClassVar[Spec] = Spec(
        name="pnp-admm",
        tasks=("deblur", "super-resolve", "inpaint", "demosaick", "denoise"),
        solves=(Operator,),
        colour="native",
        paper='S. V. Venkatakrishnan et al., "Plug-and-play priors for model based reconstruction", GlobalSIP 2013',
        doi="10.1109/GlobalSIP.2013.6737048",
        keeps_constants=False,
        weights=("ffdnet-gray", "ffdnet-colour"),
    )

    denoiser: Denoiser = FFDNET_GRAY
    K: Annotated[int, counting] = 8
    sigma_1: Annotated[float, positive] = 30 / 255
    gamma: Annotated[float, at_least(1)] = 1.0
    lam: Annotated[float, positive] = 1.0

    @classmethod
    def for_problem(cls, problem: Problem) -> "PnPADMM":
        """FFDNet for gray or for colour, as x has one channel or three."""
        return cls(ffdnet_for(problem.channels))

    def solve(self, problem: Problem, context: Context) -> Result:
        """Restore.

        A row of ``stats`` an iteration: the level of the denoiser, ρ, the root mean squares of Hv − y and of x − v.
        """
        H, y, energy = problem.H, problem.y, self.lam * max(problem.sigma, LEAST_SIGMA) ** 2
        v = H.first_guess(y)
        u, rho, stats = torch.zeros_like(v), energy / self.sigma_1**2, list[Mapping[str, float]]()
        for k in range(1, self.K + 1):
            level = math.sqrt(energy / rho)
            x = H.prox(v - u, y, rho)
            v = self.denoiser(x + u, level)
            u = u + x - v
            split = root_mean_square(x - v)
            stats.append({"sigma": level, "rho": rho, "residual": root_mean_square(H(v) - y), "split": split})
            context.progress(k, self.K, f"x - v {split:.1e}")
            rho, u = rho * self.gamma, u / self.gamma
        return Result(v, Status.done(f"{self.K} iterations with the denoiser {self.denoiser}"), stats=tuple(stats))
