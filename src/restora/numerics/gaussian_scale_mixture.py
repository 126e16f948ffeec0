"""Least squares under a Gaussian scale mixture: the mean of a coefficient given its noisy neighbourhood.

A neighbourhood of N coefficients is √z·u + w with independent Gaussian u and w of covariances C_u and C_w; the scale z
has the prior 1/z (flat in log z). The covariances are diagonal together: with C_w = SSᵀ, S⁻¹C_uS⁻ᵀ = QΛQᵀ, M = SQ,
v = M⁻¹y and g_i(z) = λ_i z/(1 + λ_i z),

    E[x_c | y, z] = Σ_i M_ci g_i(z) v_i,      log p(y | z) = ½ Σ_i g_i(z) v_i² − ½ Σ_i log(1 + λ_i z) + const,

which are averaged over z.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels
from restora.core.operator import Size
from restora.numerics.gaussian_scale_mixture_cpu import posterior_mean_cpu

LOG_SCALES = tuple(-20.5 + 2 * i for i in range(13))
"""Samples of log z; noise has the covariance C_w, so that z = 1 is a neighbourhood of average variance."""

_CHUNK = 1 << 22  # numbers held at once by the Torch kernel, in each of a few arrays


@dataclass(frozen=True, eq=False, slots=True)
class Mixture:
    """The mixture in its own coordinates, those of no signal (λ = 0) left out. All in float64 on the CPU.

    Attributes:
        whitening: M⁻¹, a row for each coordinate.
        log_weights: −½ Σ_i log(1 + λ_i z), for each z.
        gains: g_i(z), for each z a row.
        centre: M_ci, the centre's share in each coordinate.
    """

    whitening: Float[Tensor, "k n"]
    log_weights: Float[Tensor, " z"]
    gains: Float[Tensor, "z k"]
    centre: Float[Tensor, " k"]

    @classmethod
    def of(cls, signal: Float[Tensor, "n n"], noise: Float[Tensor, "n n"], centre: int) -> "Mixture":
        """The mixture for estimates of C_u and C_w, float64 on the CPU.

        Negative eigenvalues of ``signal`` become zero, and the others are scaled to leave its trace as it is.

        Args:
            signal: C_u, symmetric; an estimate, which need not be positive.
            noise: C_w, positive semidefinite.
            centre: which of the coefficients is sought.
        """
        eigenvalues, Q = torch.linalg.eigh(signal)
        positive = eigenvalues.clamp_min(0)
        share = (eigenvalues.sum() / positive.sum().clamp_min(torch.finfo(torch.float64).tiny)).clamp_min(0)
        signal = (Q * (positive * share)) @ Q.T
        D, V = torch.linalg.eigh(noise)
        root = torch.where(D > 1e-12 * D[-1], D, 0.0).sqrt()
        S, inverse = V * root, (V * torch.where(root > 0, 1 / root, 0.0)).T
        eigenvalues, Q = torch.linalg.eigh(inverse @ signal @ inverse.T)
        kept = eigenvalues > 1e-12 * eigenvalues[-1].clamp_min(1e-12)
        lambdas, Q = eigenvalues[kept], Q[:, kept]
        ratios = torch.tensor(LOG_SCALES, dtype=torch.float64).exp()[:, None] * lambdas
        return cls(Q.T @ inverse, -0.5 * ratios.log1p().sum(dim=1), ratios / (1 + ratios), (S @ Q)[centre])


def posterior_mean(
    band: Float[Tensor, "h w"], parent: Float[Tensor, "h w"] | None, window: int, mixture: Mixture
) -> Float[Tensor, "h w"]:
    """E[x_c | y] for every coefficient of a periodic band.

    A neighbourhood is the window x window coefficients around the centre, row by row, then the parent's at the same
    position. CPU tensors take the Numba kernel, all others and those that carry gradients the Torch one. Cost: O(N·k·(n
    + 13)) for N coefficients, neighbourhoods of n and k coordinates with signal.
    """
    if len(mixture.centre) == 0:
        return torch.zeros_like(band)
    if runs_on_cpu_kernels(band, parent):
        arrays = (mixture.whitening, mixture.log_weights, mixture.gains, mixture.centre)
        return posterior_mean_cpu(band, parent, window, arrays)
    return _posterior_mean_torch(band, parent, window, mixture)


def _posterior_mean_torch(band: Tensor, parent: Tensor | None, window: int, mixture: Mixture) -> Tensor:
    radius = window // 2
    height, width = band.shape
    shifts = [(i, j) for i in range(-radius, radius + 1) for j in range(-radius, radius + 1)]
    planes = [band.roll((-i, -j), (0, 1)) for i, j in shifts] + ([] if parent is None else [parent])
    rows = max(1, _CHUNK // (width * max(len(planes), len(LOG_SCALES))))
    parts = []
    for top in range(0, height, rows):
        y = torch.stack([plane[top : top + rows] for plane in planes])
        v = torch.tensordot(mixture.whitening.to(y), y, dims=1)
        exponents = torch.tensordot(0.5 * mixture.gains.to(y), v.square(), dims=1)
        p = torch.softmax(exponents + mixture.log_weights.to(y)[:, None, None], dim=0)
        means = torch.tensordot((mixture.gains * mixture.centre).to(y), v, dims=1)
        parts.append((p * means).sum(dim=0))
    return torch.cat(parts)


def neighbourhood_covariance(
    responses: list[Float[Tensor, "u v"]], power: Float[Tensor, "#u #v"], grid: Size, window: int
) -> Float[Tensor, "n n"]:
    """The covariance of window x window neighbours in a band, and of the parent's coefficient.

    R(δ) = mean_x s(x + δ)·t(x) = Σ_ω S(ω)T(ω) cos(ωδ)/n over the whole spectrum, of which half is given.

    Args:
        responses: the band's frequency response and, where there is a parent, the parent's.
        power: of the spectrum that they filter.
        grid: height and width of the band.
        window: side of the neighbourhood, odd.
    """
    reach = torch.arange(1 - window, window, dtype=torch.float64, device=power.device)
    down, along = (torch.fft.fftfreq(n, dtype=torch.float64, device=power.device) * (2 * torch.pi) for n in grid)
    along = along[: grid[1] // 2 + 1]
    twice = torch.where((along > 0) & (along < torch.pi), 2.0, 1.0).double()
    angle_down, angle_along = torch.outer(reach, down), torch.outer(along, reach)

    def correlation(product: Float[Tensor, "u v"]) -> Float[Tensor, "d d"]:
        weighted = (product * power).double() * (twice / (grid[0] * grid[1]))
        cosines = angle_down.cos() @ weighted @ angle_along.cos()
        return cosines - angle_down.sin() @ weighted @ angle_along.sin()

    i, j = (index.flatten() for index in torch.meshgrid(*2 * [torch.arange(window)], indexing="ij"))
    own = correlation(responses[0].square()).cpu()
    covariance = own[i[:, None] - i + window - 1, j[:, None] - j + window - 1]
    if len(responses) == 1:
        return covariance
    centre = window // 2
    shared = correlation(responses[0] * responses[1]).cpu()[i - centre + window - 1, j - centre + window - 1]
    above = correlation(responses[1].square()).cpu()[window - 1, window - 1]
    return torch.cat((torch.cat((covariance, shared[:, None]), 1), torch.cat((shared, above[None]))[None]))
