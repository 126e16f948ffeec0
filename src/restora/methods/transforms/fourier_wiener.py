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
from restora.numerics.power_law import DECAYS, likeliest_power_law
from restora.operators.blur import Blur
from restora.operators.identity import Identity


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
        if not isinstance(H, Blur):
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
        decays = DECAYS if self.decay is None else (self.decay,)
        law = likeliest_power_law(energy, variance, power.expand_as(rho), rho, times, decays)
        del energy
        S = law.at(rho)  # over σ²
        X = K.conj() * S / (power * S + 1) * Y
        X[..., 0, 0] = Y[..., 0, 0] / K[0, 0]
        corner, decay = (float(z.mean()) for z in (law.corner, law.decay))
        return X, f"spectrum 1/(rho² + {corner:.2g}²)^{decay / 2:.3g}"
