"""RED: regularisation by denoising, for any linear H and any denoiser.

Problem. y = Hx + n with any linear H and white noise n of standard deviation σ.

Model. minimise E(x) = ‖Hx − y‖²/2σ² + λ/2 xᵀ(x − D(x)), where D is a denoiser of the fixed level σ_f.

The gradient of the second term is λ(x − D(x)) only if (1) D is locally homogeneous, D((1 + ε)x) = (1 + ε)D(x), and (2)
its Jacobian is symmetric, (3) of norm at most 1, which makes E convex. Reehorst and Schniter (2019) measured that the
denoisers in use, BM3D, non-local means, wavelets, networks, do not meet (2) even nearly, nor does total variation meet
(1): for them λ(x − D(x)) is the gradient of *no* function, and E is not what is minimised. What remains true, and is
what is computed here, is the fixed point

    Hᵀ(Hx − y)/σ² + λ(x − D(x)) = 0.

Algorithm. x = a first guess (``H.first_guess(y)``); N times, by ``form``
- ``fixed-point``: x ← argmin ‖Hx − y‖²/2σ² + λ/2 ‖x − D‖², D = D(x) of the x before: the operator's proximal map with
  ρ = λσ², exact or by conjugate gradients;
- ``gradient-descent``: x ← x − μ(Hᵀ(Hx − y)/σ² + λ(x − D(x))), μ = 1/(‖H‖²/σ² + λ).
Both end at the same x if D is nonexpansive.

Parameters. The defaults are the paper's for a uniform blur and σ = √2 on the range 0 … 255: λ = 0.02 and σ_f = 3.25; on
[0, 1] they are λ = 1300.5 and σ_f = 3.25/255. ``for_problem`` has a rule for other noise and other H. It keeps the
paper's ratio of σ_f and σ, and goes by g = E‖Hz‖²/E‖z‖² for white z, the share of an image that H lets through:

    σ_f = max(2.3σ, 3.25/255),    λσ_f² = 0.69^(1−g) · 5^g,

fitted with BM3D on two training photographs, one strong blur and pure noise (g = 1). The fixed λ and σ_f of the paper
were up to 1.3 dB behind for the blur (after 20 iterations) and 2.6 dB for noise of 25/255. In the iterations σ counts
as at least 0.255/255.

Cost. N calls of the denoiser; a proximal map of H each (in the first form), or an H and an Hᵀ (in the second).

Departures from the original. The paper runs 200 iterations of the first form and 1500 of the second, with the step
2/(1/σ² + λ), for an H of norm 1. From the first guess here, 30 of the first form bring most of the gain; the step here
is half of that, which was on the verge of what is safe, for an H of any norm. The form by ADMM is left out:
``fixed-point`` makes the same inversion and needs no inner iteration.

When not. The level σ_f is fixed, so large holes take many iterations, and the finer frequencies that a strong blur hid
come back slowly: there ``pnp-hqs`` is better.

References.
Y. Romano, M. Elad and P. Milanfar, "The little engine that could: regularization by denoising (RED)", SIAM Journal on
Imaging Sciences 10(4), 2017, doi:10.1137/16M1102884.
E. T. Reehorst and P. Schniter, "Regularization by denoising: clarifications and new interpretations", IEEE Transactions
on Computational Imaging 5(1), 2019, doi:10.1109/TCI.2018.2880326.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from torch import Tensor

from restora.core.denoiser import Denoiser
from restora.core.method import Context, Method
from restora.core.operator import Operator
from restora.core.parameters import counting, positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.iterate import root_mean_square
from restora.numerics.plug_and_play import LEAST_SIGMA
from restora.numerics.variation_weight import white_gain
from restora.weights.denoiser import FFDNET_GRAY, ffdnet_for

Form = Literal["fixed-point", "gradient-descent"]

_SIGMA_F = 3.25 / 255
_OF_NOISE = 2.3
"""σ_f/σ = 3.25/√2 of the paper."""


@dataclass(frozen=True, slots=True)
class RED(Method):
    """Regularisation by denoising.

    Attributes:
        denoiser: the prior. By name: a method that denoises (``bm3d``, ``tv`` …), or the name or path of weights of a
            network that takes the noise level. From Python: any function of (x, sigma).
        lam: λ, weight of the prior, > 0, for images on [0, 1]. Doubled, the result is smoother.
        sigma_f: σ_f, level of the denoiser, > 0, on [0, 1]. Doubled, smoother too, and the iteration is faster.
        N: iterations, >= 1.
        form: ``fixed-point`` or ``gradient-descent``, which needs some 10 times the iterations.
    """

    spec: ClassVar[Spec] = Spec(
        name="red",
        tasks=("deblur", "super-resolve", "inpaint", "demosaick", "denoise"),
        solves=(Operator,),
        colour="native",
        paper='Y. Romano et al., "The little engine that could: regularization by denoising (RED)", SIIMS 10(4), 2017',
        doi="10.1137/16M1102884",
        keeps_constants=False,
        weights=("ffdnet-gray", "ffdnet-colour"),
    )

    denoiser: Denoiser = FFDNET_GRAY
    lam: Annotated[float, positive] = 0.02 * 255**2
    sigma_f: Annotated[float, positive] = _SIGMA_F
    N: Annotated[int, counting] = 30
    form: Form = "fixed-point"

    @classmethod
    def for_problem(cls, problem: Problem) -> "RED":
        """λ and σ_f by the rule above; FFDNet for gray or for colour, as x has one channel or three."""
        sigma_f = max(_OF_NOISE * problem.sigma, _SIGMA_F)
        gain = min(white_gain(problem), 1.0)
        lam = 0.69 ** (1 - gain) * 5**gain / sigma_f**2
        return cls(ffdnet_for(problem.channels), lam, sigma_f)

    def solve(self, problem: Problem, context: Context) -> Result:
        """Restore. A row of ``stats`` an iteration: the root mean squares of Hx − y and of the change of x."""
        H, y = problem.H, problem.y
        x, step, stats = H.first_guess(y), self._step(problem), list[Mapping[str, float]]()
        for n in range(1, self.N + 1):
            before, x = x, step(x)
            change = root_mean_square(x - before)
            stats.append({"residual": root_mean_square(H(x) - y), "change": change})
            context.progress(n, self.N, f"change {change:.1e}")
        sentence = f"{self.N} iterations of {self.form} with the denoiser {self.denoiser}"
        return Result(x, Status.done(sentence), stats=tuple(stats))

    def _step(self, problem: Problem) -> Callable[[Tensor], Tensor]:
        """The map from an x to the next."""
        H, y, variance = problem.H, problem.y, max(problem.sigma, LEAST_SIGMA) ** 2
        if self.form == "fixed-point":
            return lambda x: H.prox(self.denoiser(x, self.sigma_f), y, self.lam * variance)
        mu = 1 / (H.norm_bound(problem.size, problem.channels) ** 2 / variance + self.lam)

        def descend(x: Tensor) -> Tensor:
            return x - mu * (H.adjoint(H(x) - y) / variance + self.lam * (x - self.denoiser(x, self.sigma_f)))

        return descend
