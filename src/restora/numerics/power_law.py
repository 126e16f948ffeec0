"""Power law: the spectrum A/(ρ² + ρ₀²)^(p/2) of a scene under which what was measured of it is likeliest.

With white noise of σ² and a filter K a coefficient Y of the measurement is Gaussian of variance m = |K|² S + σ², so the
likeliest law minimises Σ (ln m + |Y|²/m) (Whittle 1953). The sum depends on a frequency through ρ and |K|² only:
frequencies are put in classes by both, and it is tried for A 20 % and ρ₀ a factor of two apart.

P. Whittle, "Estimation and information in stationary time series", Arkiv för Matematik 2, 1953, doi:10.1007/BF02590998.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

DECAYS = (1.5, 2.0, 2.5, 3.0, 3.5)
"""The p that are tried."""

_CORNERS = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
_A = (1e-7, 1e9, 1.2)  # range of A/σ² and ratio of neighbours
_RHO = (2e-5, 1.0, 1.1)  # range of ρ and width of its classes
_POWER = (1e-10, 10.0, 1.5)  # of |K|²; below it σ² is all there is
_STRIP = 128  # rows that are classified at once


@dataclass(frozen=True, eq=False, slots=True)
class PowerLawSpectrum:
    """S(ρ)/σ² = a/(ρ² + ρ₀²)^(p/2) of each image and channel.

    Attributes:
        a: A/σ².
        corner: ρ₀, in cycles a pixel.
        decay: p.
    """

    a: Float[Tensor, "b c"]
    corner: Float[Tensor, "b c"]
    decay: Float[Tensor, "b c"]

    def at(self, rho: Float[Tensor, "h v"]) -> Float[Tensor, "b c h v"]:
        """S(ρ)/σ²."""
        a, corner, p = (z[..., None, None].to(rho) for z in (self.a, self.corner, self.decay))
        return a * (rho.square() + corner.square()) ** (-p / 2)


@dataclass(frozen=True, eq=False, slots=True)
class _Classes:
    """Classes of frequencies: ρ, |K|², the number of coefficients and, by image and channel, the sum of |Y|²/σ²."""

    rho: Float[Tensor, " k"]
    power: Float[Tensor, " k"]
    count: Float[Tensor, " k"]
    energy: Float[Tensor, "b c k"]


def likeliest_power_law(
    energy: Float[Tensor, "b c h v"],
    variance: Float[Tensor, "b c"],
    power: Float[Tensor, "h v"],
    rho: Float[Tensor, "h v"],
    times: Float[Tensor, "h v"],
    decays: tuple[float, ...] = DECAYS,
) -> PowerLawSpectrum:
    """The law of each image and channel; the frequency 0 is left out.

    Args:
        energy: |Y|², of transforms that keep the norm.
        variance: σ² of the noise.
        power: |K|².
        rho: ρ, in cycles a pixel.
        times: how often each coefficient stands in the whole spectrum.
        decays: the p that are tried.
    """
    classes = _classes(energy, variance, power, rho, times)
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
    return PowerLawSpectrum(best[0], best[1], best[2])


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


def _geometric(low: float, high: float, ratio: float, like: Tensor) -> Float[Tensor, " n"]:
    steps = math.ceil(math.log(high / low) / math.log(ratio))
    return low * ratio ** torch.arange(steps + 1, dtype=torch.float64, device=like.device)


def _nearest(x: Tensor, grid: tuple[float, float, float]) -> Tensor:
    """Index of the nearest value of :func:`_geometric`."""
    low, high, ratio = grid
    return (torch.log(x.double().clamp(low, high) / low) / math.log(ratio)).round().long()
