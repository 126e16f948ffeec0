"""Fourier-domain Wiener filter with a power law for the spectrum of the scene, fitted to what was measured.

Problem. y = k * x + n, white noise n of standard deviation σ and a known k; or y = x + n, which is k = δ.

Model. x is Gaussian and stationary, and its spectrum falls with the frequency ρ (in cycles a pixel) like that of a
photograph,

    S_x(ρ) = A/(ρ² + ρ₀²)^(p/2).

The posterior mean is one filter, X̂ = conj(K) S_x/(|K|² S_x + σ²)·Y, with transforms that keep the norm.

Algorithm.
1. Y = DCT-II of y where there is no blur: the Fourier transform of y and its mirror images, so that no border wraps
   around. Else y is closed to a torus (``closing``) and Y its Fourier transform.
2. A, ρ₀ and p are those under which Y is likeliest (Whittle 1953): with m = |K|² S_x + σ² they minimise
   Σ (ln m + |Y|²/m). It depends on a frequency through ρ and |K|² only: frequencies are put in classes by both, and the
   sum is tried for A 20 % and ρ₀ a factor of two apart, and for p = 1.5, 2, 2.5, 3, 3.5. The mean is left out of it.
3. X̂ as above, the mean as it was measured; x̂ = its inverse transform, cropped.

Cost. Two cosine or Fourier transforms, eight more for edgetaper; the fit takes 5 to 20 ms.

When not. One filter for flat areas and edges blurs the ones or leaves the noise of the others; with a blur it rings
where the scene is not Gaussian. ``wiener`` is the same with p = 2 and ρ₀ = 0, its A found from the estimated risk.

Departures from the original. Wiener's S_x is the true spectrum of the scene.

References.
N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, MIT Press, 1949.
P. Whittle, "Estimation and information in stationary time series", Arkiv för Matematik 2, 1953,
doi:10.1007/BF02590998.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.parameters import positive
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.boundary import Closing, close
from restora.numerics.dct import dct2, idct2
from restora.numerics.frequencies import multiplicity, radial_frequency
from restora.operators.blur import Blur
from restora.operators.identity import Identity

_DECAYS = (1.5, 2.0, 2.5, 3.0, 3.5)
_CORNERS = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)

_A = (1e-7, 1e9, 1.2)
"""Range of A/σ² and ratio of neighbours."""

_RHO = (2e-5, 1.0, 1.1)
"""Range of ρ and width of its classes."""

_POWER = (1e-10, 10.0, 1.5)
"""Range of |K|² and width of its classes; below it σ² is all there is."""

_STRIP = 128


@dataclass(frozen=True, slots=True)
class FourierWiener(Method):
    """Wiener filter with a fitted power law.

    Args:
        decay: p, how fast the spectrum falls, > 0; None fits it too. Doubled it smooths more.
        closing: how a blur that is not circular is made so.
    """

    spec: ClassVar[Spec] = Spec(
        name="fourier-wiener",
        tasks=("denoise", "deblur"),
        solves=(Identity, Blur),
        colour="native",
        paper="N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949",
    )

    decay: Annotated[float | None, positive] = None
    closing: Closing = "edgetaper"

    def solve(self, problem: Problem, context: Context) -> Result:
        H, y, sigma = problem.H, problem.y, problem.sigma
        if isinstance(H, Identity):
            if sigma == 0:
                return Result.left_alone(y, "there is no noise")
            size = (y.shape[-2], y.shape[-1])
            Y = dct2(y)
            rho, times = (grid(size, "reflect", Y) for grid in (radial_frequency, multiplicity))
            X, sentence = self._filtered(Y, rho.new_ones(1, 1), rho, times, sigma)
            return Result(idct2(X), Status.done(sentence))
        torus = close(y, H, self.closing)
        size = (torus.y.shape[-2], torus.y.shape[-1])
        rho, times = (grid(size, "circular", torus.y) for grid in (radial_frequency, multiplicity))
        Y = torch.fft.rfft2(torus.y, norm="ortho")
        X, sentence = self._filtered(Y, H.otf(size, torus.y), rho, times, sigma)
        return Result(torus.crop(torch.fft.irfft2(X, s=size, norm="ortho"), problem.size), Status.done(sentence))

    def _filtered(
        self, Y: Tensor, K: Tensor, rho: Float[Tensor, "h v"], times: Float[Tensor, "h v"], sigma: float
    ) -> tuple[Float[Tensor, "b c h v"] | Complex[Tensor, "b c h v"], str]:
        """X̂, and what was fitted."""
        power = K.abs().square()
        energy = Y.abs().square()
        # The rounding errors of the transform are amplified like noise.
        floor = energy.mean(dim=(-2, -1), dtype=torch.float64) * torch.finfo(rho.dtype).eps ** 2
        variance = floor.clamp_min(max(sigma**2, torch.finfo(torch.float64).tiny))
        classes = _classes(energy, variance, power.expand_as(rho), rho, times)
        del energy
        decays = _DECAYS if self.decay is None else (self.decay,)
        a, corner, p = (z[..., None, None].to(rho) for z in _likeliest(classes, decays))
        S = a * (rho.square() + corner.square()) ** (-p / 2)  # over σ²
        X = K.conj() * S / (power * S + 1) * Y
        X[..., 0, 0] = Y[..., 0, 0] / K[0, 0]
        return X, f"spectrum 1/(rho² + {float(corner.mean()):.2g}²)^{float(p.mean()) / 2:.3g}"


@dataclass(frozen=True, eq=False, slots=True)
class _Classes:
    """Classes of frequencies: ρ, |K|², the number of coefficients and, by image and channel, the sum of |Y|²/σ²."""

    rho: Float[Tensor, " k"]
    power: Float[Tensor, " k"]
    count: Float[Tensor, " k"]
    energy: Float[Tensor, "b c k"]


def _classes(
    energy: Float[Tensor, "b c h v"],
    variance: Float[Tensor, "b c"],
    power: Float[Tensor, "h v"],
    rho: Float[Tensor, "h v"],
    times: Float[Tensor, "h v"],
) -> _Classes:
    """All frequencies but 0 in classes; those classes that occur. Strip by strip, which saves memory."""
    radii, powers = _geometric(*_RHO, like=variance), _geometric(*_POWER, like=variance)
    count = variance.new_zeros(len(radii) * len(powers))
    sums = variance.new_zeros(*variance.shape, len(count))
    for rows in torch.arange(len(rho), device=rho.device).split(_STRIP):
        weight = times[rows].double() * (rho[rows] > 0)
        index = (_nearest(rho[rows], _RHO) * len(powers) + _nearest(power[rows], _POWER)).flatten()
        count.index_add_(0, index, weight.flatten())
        sums.index_add_(-1, index, (energy[..., rows, :] * weight).flatten(-2))
    occurs = count.nonzero()[:, 0]
    sums = sums[..., occurs] / variance[..., None]
    return _Classes(radii[occurs // len(powers)], powers[occurs % len(powers)], count[occurs], sums)


def _likeliest(classes: _Classes, decays: tuple[float, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """A/σ², ρ₀ and p that minimise Σ (ln m + |Y|²/m), m = 1 + |K|² S_x/σ², for each image and channel."""
    a = _geometric(*_A, like=classes.rho)
    least = classes.energy.new_full(classes.energy.shape[:2], math.inf)
    best = torch.zeros(3, *least.shape, dtype=least.dtype, device=least.device)
    for p in decays:
        for corner in _CORNERS:
            shape = classes.power * (classes.rho.square() + corner**2) ** (-p / 2)
            m = 1 + a[:, None] * shape
            cost, place = (m.log() @ classes.count + classes.energy @ m.reciprocal().mT).min(dim=-1)
            candidate = torch.stack((a[place], torch.full_like(cost, corner), torch.full_like(cost, p)))
            best = torch.where(cost < least, candidate, best)
            least = torch.minimum(cost, least)
    return best[0], best[1], best[2]


def _geometric(low: float, high: float, ratio: float, like: Tensor) -> Float[Tensor, " n"]:
    steps = math.ceil(math.log(high / low) / math.log(ratio))
    return low * ratio ** torch.arange(steps + 1, dtype=torch.float64, device=like.device)


def _nearest(x: Tensor, grid: tuple[float, float, float]) -> Tensor:
    """Index of the nearest value of :func:`_geometric`."""
    low, high, ratio = grid
    return (torch.log(x.double().clamp(low, high) / low) / math.log(ratio)).round().long()
