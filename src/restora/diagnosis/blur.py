"""Estimate the kind and the extent of the blur of a picture from the shape of its power spectrum.

Model: log P(f) = a − α log|f| + (terms in 2θ and 4θ) + log|K(f)|² + error, where P is the mean spectrum of blocks less
the noise σ², f = |f|(cos θ, sin θ), and K the transfer function of a Gaussian, a disk (defocus) or a line (motion).
Pictures have α near 2.2; the terms in θ are their preference for some directions.

Algorithm:
 1. P = mean periodogram of 64 × 64 Hann blocks; σ² from :func:`estimate_noise`. Weight of a frequency: (1 − 1.3 σ²/P)²,
    0 where noise rules. The axes are left out: borders, lines and JPEG blocks live there.
 2. For each kernel of a list, and for none: least squares of the model in (a, α, θ terms) with a prior on α and θ.
 3. The kernel of least misfit, judged on all frequencies: log P against log(model + σ²). For motion two finer lists, of
    angles about it, then of lengths. "none" unless the misfit without blur is 1.3 times as large and the kernel is
    wider than a Gaussian of 0.7 pixels.

Cost: one pass over at most 2,048 blocks, then 630 fits of six numbers by one matrix product.
Departures: the comparison of log-spectra with a list of kernels follows the idea of the references, which look for the
zeros of the spectrum or cepstrum one kind at a time.

M. Cannon, Blind deconvolution of spatially invariant image blurs with phase, IEEE TASSP 24(1), 1976,
doi:10.1109/TASSP.1976.1162770. D. J. Field, Relations between the statistics of natural images and the response
properties of cortical cells, JOSA A 4(12), 1987, doi:10.1364/JOSAA.4.002379.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.diagnosis.noise import estimate_noise
from restora.diagnosis.spectrum import (
    BLOCK,
    frequencies,
    gray,
    kernel_power,
    mean_spectrum,
    quarter_turns,
    radius,
    smear,
)
from restora.operators.psf import disk_psf, gaussian_psf, motion_psf

Kind = Literal["none", "gaussian", "disk", "motion"]

_GAIN = 1.3
_NARROWEST = 0.7
_ALPHA = 2.2
_PRIOR = 5.0
"""Weight of the prior in frequencies: the errors of neighbouring ones are alike, and count less than their number."""


_FEWEST = 12.0
"""Frequencies above the noise, by weight, without which nothing is said."""

_ROUNDING = 1 / (12 * 255**2)
"""Variance of the rounding to 8 bits. It hides in smooth pictures, where it is constant over patches, but not here."""


@dataclass(frozen=True, eq=False, slots=True)
class BlurEstimate:
    """The blur that was detected in a picture.

    Attributes:
        kind: Gaussian, disk (defocus), straight motion, or none.
        extent: in pixels: the Gaussian's standard deviation, the disk's radius, the length of the motion; 0 for none.
        angle: of the motion in degrees, counter-clockwise from the horizontal, in [0, 180); 0 for the others.
        psf: the kernel, odd sides, sum one; 1 × 1 for none.
        sentence: the same in words.
    """

    kind: Kind
    extent: float
    angle: float
    psf: Float[Tensor, "kh kw"]
    sentence: str


def estimate_blur(y: Float[Tensor, "b c h w"]) -> BlurEstimate:
    """Estimate the blur that the images of y share: Gaussian of σ <= 4, defocus of radius <= 8, or motion <= 26 pixels.

    The kind is "none" for pictures with a side below 64 pixels or without structure above their noise; the sentence
    then says why.
    """
    P = mean_spectrum(gray(y))
    if P is None:
        return _none(f"a picture of {y.shape[-2]} × {y.shape[-1]} pixels is too small to estimate its blur", y)
    noise = max(estimate_noise(y.detach().mean(dim=1, keepdim=True)).sigma ** 2, _ROUNDING)
    fit = _Fit.of(P.double(), noise)
    if fit is None:
        return _none("no structure stands above the noise, so the blur cannot be estimated", y)
    kernels, spectra = _kernels()
    misfit = fit.misfit(spectra)
    best = kernels[int(misfit.argmin())]
    if best.kind == "motion":
        # The angle first: only at the right one do the zeros of the right length stand out from those of others.
        best = fit.best(best.turned())
        best = fit.best(best.stretched())
    if float(misfit[0]) < _GAIN * float(misfit.min()) or best.spread < _NARROWEST:
        return _none("no blur was detected", y)
    return BlurEstimate(best.kind, best.extent, best.angle, best.psf().to(y), best.sentence)


def _none(sentence: str, y: Tensor) -> BlurEstimate:
    return BlurEstimate("none", 0.0, 0.0, torch.ones(1, 1).to(y), sentence)


@dataclass(frozen=True, slots=True)
class _Kernel:
    """A candidate."""

    kind: Kind
    extent: float = 0.0
    angle: float = 0.0

    @property
    def spread(self) -> float:
        """Standard deviation along its longest direction."""
        return self.extent * {"none": 0.0, "gaussian": 1.0, "disk": 0.5, "motion": 12**-0.5}[self.kind]

    @property
    def sentence(self) -> str:
        match self.kind:
            case "gaussian":
                return f"a Gaussian blur of σ = {self.extent:.1f} pixels"
            case "disk":
                return f"a defocus blur with a disk of radius {self.extent:.1f} pixels"
            case "motion":
                return f"a motion blur of {self.extent:.0f} pixels at {self.angle:.0f}°"
            case "none":
                return "no blur was detected"

    def psf(self) -> Float[Tensor, "kh kw"]:
        """Return the kernel, float64, with odd sides and sum one."""
        match self.kind:
            case "gaussian":
                return gaussian_psf(self.extent)
            case "disk":
                return disk_psf(self.extent)
            case "motion":
                return motion_psf(self.extent, self.angle)
            case "none":
                return torch.ones(1, 1, dtype=torch.float64)

    def turned(self) -> list["_Kernel"]:
        """Motions at most 4 degrees and 1 pixel from this one."""
        near = (self.extent + length for length in (-1.0, -0.5, 0.0, 0.5, 1.0))
        return [_Kernel("motion", length, (self.angle + turn) % 180) for length in near for turn in range(-4, 5)]

    def stretched(self) -> list["_Kernel"]:
        """Motions of this angle and every length."""
        return [_Kernel("motion", n / 2, self.angle) for n in range(8, 54)]


@cache
def _kernels() -> tuple[list[_Kernel], Tensor]:
    """The list of step 2, "none" first, and its log-spectra."""
    kernels = [_Kernel("none")]
    kernels += [_Kernel("gaussian", n / 10) for n in range(5, 43)]
    kernels += [_Kernel("disk", n / 5) for n in range(6, 42)]
    kernels += [_Kernel("motion", float(n), 7.5 * k) for n in range(4, 27) for k in range(24)]
    return kernels, _spectra(kernels)


def _spectra(kernels: list[_Kernel]) -> Tensor:
    """log|K|² of each kernel at the frequencies in use, as a picture of α = 2.2 shows it through the window."""
    axis = torch.fft.fftfreq(BLOCK, dtype=torch.float64)
    picture = radius(axis[:, None], axis) ** -_ALPHA
    seen = torch.stack([smear(picture * kernel_power(kernel.psf())) for kernel in kernels]) / smear(picture)
    return (seen + 1e-5).log()[:, :, : BLOCK // 2 + 1].flatten(1)[:, _used()]


@cache
def _used() -> Tensor:
    vertical, horizontal = frequencies()
    f = radius(vertical, horizontal)
    return ((f > 2.5 / BLOCK) & (f < 0.5) & (vertical != 0) & (horizontal != 0)).flatten()


@dataclass(frozen=True, eq=False, slots=True)
class _Fit:
    """The least squares of step 2 for one spectrum: log P, L = log(P − σ²), weights w, design A, floor log σ²."""

    measured: Tensor
    L: Tensor
    w: Tensor
    A: Tensor
    floor: Tensor

    @classmethod
    def of(cls, P: Tensor, noise: float) -> "_Fit | None":
        """None where too few frequencies stand above the noise."""
        vertical, horizontal = frequencies()
        slope = -radius(vertical, horizontal).log()
        columns = [torch.ones_like(slope)[..., None], slope[..., None], quarter_turns(vertical, horizontal)]
        A = torch.cat(columns, dim=-1).flatten(0, 1)[_used()]
        P = P.flatten()[_used()].clamp_min(1e-3 * noise)
        w = (1 - 1.3 * noise / P).clamp_min(0) ** 2
        if float(w.sum()) < _FEWEST:
            return None
        L = (P - noise).clamp_min(1e-3 * noise).log()
        return cls(P.log(), L, w, A, torch.tensor(noise, dtype=torch.float64).log())

    def misfit(self, spectra: Float[Tensor, "k f"]) -> Float[Tensor, " k"]:
        """Squares left for each kernel, with those of the prior."""
        prior = _PRIOR * torch.tensor([0.0] + 5 * [1 / 0.3**2], dtype=torch.float64)
        centre = torch.tensor([0.0, _ALPHA, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
        T = self.L - spectra
        weighted = self.A * self.w[:, None]
        normal = weighted.T @ self.A + prior.diag()
        c = torch.linalg.solve(normal, (T @ weighted + prior * centre).T).T
        # Judged on all frequencies: where the kernel lets nothing through, nothing but noise must be there.
        seen = torch.logaddexp(c @ self.A.T + spectra, self.floor)
        return (self.measured - seen).square().sum(dim=1) + (c - centre).square() @ prior

    def best(self, kernels: list[_Kernel]) -> _Kernel:
        """The kernel of least misfit."""
        return kernels[int(self.misfit(_spectra(kernels)).argmin())]
