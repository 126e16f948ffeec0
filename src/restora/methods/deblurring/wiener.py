"""Wiener deconvolution: the linear inverse of a known blur, held back where the noise is stronger than the image.

Problem. y = k * x + n with known k and white noise n of standard deviation σ.

Model. x is Gaussian and stationary with spectrum S_x. Its posterior mean is one filter,

    X = conj(K) Y / (|K|² + R),    R = σ²/S_x,

and R is taken to be b|D|² (``prior="gradient"``: the gradients of x are white, so S_x falls as 1/f², as it does in
photographs; D are the circular forward differences, |D|² = 4 sin²(πu) + 4 sin²(πv) at the frequencies u, v in cycles a
pixel) or b (``prior="white"``, the constant noise-to-signal ratio of MATLAB's ``deconvwnr``). The filter minimises
‖y − k * x‖² + b‖Dx‖² or + b‖x‖².

Algorithm.
1. Where the blur is not circular, y is closed to a torus (``closing``) and the result is cropped.
2. Unless ``b`` is given, it is found for each image and channel from σ, by one of two rules on the spectra. With the
   filter's gain h = |K|²/(|K|² + R) and N pixels,
   - ``rule="risk"``: b minimises Σ [(1 − h)² |Y|²/N + 2σ²h], which but for a constant is an unbiased estimate of
     ‖k * x − k * x̂‖² (Mallows 1973). With the gradient prior it comes within 0.1 dB of the best b on photographs; with
     the white one it is 0.5 to 4 dB short, for what amplifies the noise is what the blur hides from this estimate;
   - ``rule="discrepancy"``: ‖y − k * x̂‖² = Nσ², whose left side grows with b (Hunt 1973). It takes for noise all that
     noise could explain: 0.5 to 1.2 dB short with the gradient prior, 0.1 to 0.4 dB with the white one.
   Both depend on a frequency only through R/(b|K|²); frequencies are put in classes by that ratio, 10 % wide, and the
   rule is tried for values of b 10 % apart: PSNR moves by less than 0.01 dB over that distance.
3. The filter is applied.

Cost. Two FFTs of each image; eight more for edgetaper; the choice of b takes about as long as two.

Departures from the original. Wiener's S_x is the true spectrum of the scene; here it is a one-parameter family, fitted.
Hunt's regulariser is the Laplacian; the gradient is what photographs ask for.

References.
N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, MIT Press, 1949.
B. R. Hunt, "The application of constrained least squares estimation to image restoration by digital computer", IEEE
Transactions on Computers C-22(9), 1973.
C. L. Mallows, "Some comments on C_p", Technometrics 15, 1973, doi:10.1080/00401706.1973.10489103.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, cast

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from restora.core.method import Context, Method
from restora.core.operator import Size
from restora.core.parameters import nonnegative
from restora.core.problem import Problem
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.numerics.boundary import Closing, close
from restora.numerics.differences import gradient_spectrum
from restora.numerics.frequencies import multiplicity
from restora.operators.blur import Blur

Prior = Literal["gradient", "white"]
Rule = Literal["risk", "discrepancy"]

_B = (1e-12, 1e6)
"""Range in which b is sought."""

_RATIO = (1e-12, 1e12)
"""Range of R/(b|K|²); beyond it a frequency is kept or lost at any b."""

_STEP = 1.1
"""Width of the classes of that ratio, and distance of the values of b that are tried."""


@dataclass(frozen=True, slots=True)
class Wiener(Method):
    """Wiener deconvolution with a fitted power spectrum.

    Attributes:
        b: weight of the prior, b >= 0, whatever the range of the image; None finds it from σ. Doubled, it makes the
            image a little smoother.
        prior: spectrum of the scene: white ``gradient``, or all ``white``.
        rule: how b is found: by estimated ``risk``, or by ``discrepancy``, which suits the ``white`` prior.
        closing: how a blur that is not circular is made so. With ``replicate`` give ``b``: the jumps it leaves are
            taken for detail by both rules.
    """

    spec: ClassVar[Spec] = Spec(
        name="wiener",
        tasks=("deblur",),
        solves=(Blur,),
        colour="native",
        paper="N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949",
        published=tuple(f"deblur4-gray-scenario{i}-noclip-matlabv4" for i in range(1, 7)),
    )

    b: Annotated[float | None, nonnegative] = None
    prior: Prior = "gradient"
    rule: Rule = "risk"
    closing: Closing = "edgetaper"

    def solve(self, problem: Problem, context: Context) -> Result:
        H = cast(Blur, problem.H)
        torus = close(problem.y, H, self.closing)
        size = (torus.y.shape[-2], torus.y.shape[-1])
        Y, K = torch.fft.rfft2(torus.y), H.otf(size, torus.y)
        power, shape = K.abs() ** 2, self._shape(size, torus.y)
        if self.b is None:
            b = _found(Y, shape / power, size[1], problem.sigma, self.rule)
        else:
            b = power.new_full((1, 1), self.b)
        R = b[..., None, None] * shape
        X = K.conj() * Y / (power + R).clamp_min(torch.finfo(power.dtype).tiny)
        x = torus.crop(torch.fft.irfft2(X, s=size), problem.size)
        origin = f"by {self.rule}" if self.b is None else "as given"
        return Result(x, Status.done(f"b = {float(b.mean()):.3g}, {origin}"))

    def _shape(self, size: Size, like: Tensor) -> Float[Tensor, "h v"]:
        """R/b on the half plane of frequencies."""
        if self.prior == "white":
            return like.new_ones(size[0], size[1] // 2 + 1)
        return gradient_spectrum(size, "circular", dtype=like.dtype, device=like.device)


def _found(
    Y: Complex[Tensor, "b c h v"], ratio: Float[Tensor, "h v"], width: int, sigma: float, rule: Rule
) -> Float[Tensor, "b c"]:
    """b of each image and channel.

    Args:
        Y: half of the spectrum.
        ratio: R/(b|K|²).
        width: columns of the whole spectrum.
        sigma: standard deviation of the noise.
        rule: how b is chosen.
    """
    count, energy, r = _classes(Y, ratio, width)
    variance = _noise_variance(energy, int(count.sum()), sigma, Y.real.dtype)
    b = _grid(_B, r)
    h = 1 / (1 + b * r[:, None])
    residual = energy @ (1 - h) ** 2
    if rule == "discrepancy":
        chosen = (residual <= count.sum() * variance).sum(-1).sub(1).clamp_min(0)
    else:
        chosen = (residual + 2 * variance * (count @ h)).argmin(-1)
    return b[chosen].to(Y.real.dtype)


def _classes(
    Y: Complex[Tensor, "b c h v"], ratio: Float[Tensor, "h v"], width: int
) -> tuple[Float[Tensor, " k"], Float[Tensor, "b c k"], Float[Tensor, " k"]]:
    """For each class of ratio: how many frequencies it has, their |Y|²/N by image and channel, and the ratio itself."""
    times = multiplicity((Y.shape[-2], width), "circular", ratio.double())
    r = _grid(_RATIO, times)
    position = torch.log(ratio.double().nan_to_num(_RATIO[0]).clamp(*_RATIO) / _RATIO[0]) / math.log(_STEP)
    index = position.round().long().flatten()
    weighted = Y.abs().double() ** 2 * (times / (Y.shape[-2] * width))
    energy = weighted.new_zeros(*Y.shape[:2], len(r)).index_add_(-1, index, weighted.flatten(-2))
    return r.new_zeros(len(r)).index_add_(0, index, times.flatten()), energy, r


def _grid(ends: tuple[float, float], like: Tensor) -> Float[Tensor, " n"]:
    steps = math.ceil(math.log(ends[1] / ends[0]) / math.log(_STEP))
    return ends[0] * _STEP ** torch.arange(steps + 1, dtype=torch.float64, device=like.device)


def _noise_variance(
    energy: Float[Tensor, "b c k"], pixels: int, sigma: float, dtype: torch.dtype
) -> Float[Tensor, "b c 1"]:
    """σ², and the rounding errors of the transform, which are amplified like noise."""
    return sigma**2 + energy.sum(-1, keepdim=True) / pixels * torch.finfo(dtype).eps ** 2
