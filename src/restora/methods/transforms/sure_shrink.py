"""SureShrink: wavelet coefficients shrunk by the soft threshold of least estimated risk in each subband.

Problem. y = x + n, white noise n of standard deviation σ; gray, or every channel by itself.

Model. In an orthonormal wavelet basis noise has its σ in every coefficient. For the n coefficients u = θ/σ of a
subband, softened by t, Stein's identity gives an estimate of their squared error that is unbiased and does not ask for
the image,

    SURE(t) = n − 2·#{|u| <= t} + Σ min(|u|, t)².

Where nearly all of them are noise its minimum is too uncertain, and the universal threshold √(2 ln n) is better.

Algorithm.
1. θ = W y, a separable transform of J levels.
2. In each subband of details:
   a. it is sparse if (Σu² − n)/n <= (log₂ n)^(3/2)/√n; then t = √(2 ln n);
   b. else t minimises SURE over t = 0 and those |u| that are <= √(2 ln n). Between two neighbouring |u| SURE grows, so
      that one sort and one cumulative sum find the minimum.
3. θ̂ = sign(θ)·max(|θ| − σt, 0). The approximation is kept.
4. x̂ = W⁻¹θ̂.
With ``spins`` > 1 this is averaged over shifts of the image (cycle spinning, Coifman and Donoho 1995).

Cost. O(spins²·N·(L + log N)) for N pixels and kernels of L taps.

Departures from the original. The paper treats signals; here a subband of each orientation has its threshold. An odd
side is made even by repeating its last pixel, and J is lowered to the number of times that the shorter side can be
halved. Spinning is not in the paper, and off unless asked for. With a biorthogonal bank or boundary="reflect" the noise
of a coefficient is σ times the norm of its row in W.

References.
D. L. Donoho, I. M. Johnstone, "Adapting to unknown smoothness via wavelet shrinkage", Journal of the American
Statistical Association 90(432), 1995, doi:10.1080/01621459.1995.10476626.
C. M. Stein, "Estimation of the mean of a multivariate normal distribution", Annals of Statistics 9(6), 1981,
doi:10.1214/aos/1176345632.
R. R. Coifman, D. L. Donoho, "Translation-invariant de-noising", Lecture Notes in Statistics 103, 1995,
doi:10.1007/978-1-4612-2544-7_9.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.spec import Spec, awgn_protocols
from restora.frames.wavelet_shrinkage import WaveletShrinkage
from restora.operators.identity import Identity


@dataclass(frozen=True, slots=True)
class SureShrink(WaveletShrinkage):
    """Soft wavelet thresholds of least estimated risk, a subband at a time (the hybrid rule).

    Args:
        wavelet: name of the filter bank.
        levels: J, >= 1; fewer are taken on small images. Too few leave noise of low frequency.
        spins: cycle spinning over the spins² shifts {0 … spins − 1}², >= 1; 1 is the paper's method.
        boundary: ``periodic`` keeps the transform orthonormal, ``reflect`` avoids the jump at the border.
    """

    spec: ClassVar[Spec] = Spec(
        name="sure-shrink",
        tasks=("denoise",),
        solves=(Identity,),
        colour="per-channel",
        paper="D. L. Donoho, I. M. Johnstone, Adapting to unknown smoothness via wavelet shrinkage, JASA 90(432), 1995",
        doi="10.1080/01621459.1995.10476626",
        leaves_noiseless=True,
        published=awgn_protocols("set12-gray"),
    )

    def shrunk(self, theta: Tensor, noise: Tensor, pixels: int) -> Tensor:
        t = noise * threshold((theta / noise).flatten(-2))[..., None, None]
        return theta - theta.clamp(-t, t)


def threshold(u: Float[Tensor, "*bands n"]) -> Float[Tensor, "*bands"]:
    """The hybrid threshold of each band of coefficients whose noise has a standard deviation of one."""
    n = u.shape[-1]
    universal = math.sqrt(2 * math.log(n))
    energy, order = u.square(), torch.arange(n, device=u.device)
    sparse = energy.mean(dim=-1, dtype=torch.float64) - 1 <= math.log2(n) ** 1.5 / math.sqrt(n)
    energy = _ascending(energy)
    # At t = |u_k|, k from 0 in ascending order, k + 1 coefficients are <= t and n − 1 − k are cut to t.
    risk = energy.cumsum(dim=-1, dtype=torch.float64).add_(energy * (n - 1 - order)).sub_(2 * (order + 1))
    risk.masked_fill_(energy > universal**2, math.inf)
    least, place = risk.min(dim=-1)
    t = energy.gather(-1, place[..., None])[..., 0].sqrt()
    t = torch.where(least < 0, t, 0.0)  # at t = 0 the estimate is n, and n was left out above
    return torch.where(sparse, universal, t)


def _ascending(x: Tensor) -> Tensor:
    """Sorted along the last axis; NumPy is several times faster at it, for Torch also makes the indices."""
    if runs_on_cpu_kernels(x):
        return torch.from_numpy(np.sort(x.numpy(), axis=-1))
    return x.sort(dim=-1).values
