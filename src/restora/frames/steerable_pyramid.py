"""The full steerable pyramid: a tight frame of oriented bands, an octave wide each, made in the Fourier domain."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from restora.core.backend import single_at_least
from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Size
from restora.frames.frame import Bands


@dataclass(frozen=True, slots=True)
class SteerablePyramid:
    """W: images to oriented bands and back, with WᵀW = I for every size, on a periodic image.

    With ρ the distance from the zero frequency in units of the Nyquist frequency and θ the direction, the bands are

        scale 0:            hi(ρ)·a_k(θ)                       hi(ρ) = cos(½π·min(max(−log₂ρ, 0), 1))
        scale s = 1, 2 …:   lo(2^(s−1)ρ)·hi(2^s ρ)·a_k(θ)      lo(ρ) = √(1 − hi²(ρ))
        residual:           lo(2^scales ρ)                     a_k(θ) ∝ cos^(K−1)(θ − πk/K), Σ_k a_k² = 1

    for k = 0 … K − 1, times (−i)^(K−1), which makes the kernels real. Scale s lives on a grid 2^(s−1) times coarser
    than the image, the residual on one 2^scales times coarser: ⌈n/2^t⌉ samples, evenly spaced, where 2^t does not
    divide a side n. The bands are the residual (b, c, p, q), then for each scale, coarsest first, (b, c, K, u, v):
    about 7K/3 numbers a pixel, twice as many where ``analytic``: there a last axis of 2 holds √½ times the real band
    and √½ times its Hilbert transform.

    Noise is equally strong at all positions of a band. The transform is periodic. To avoid the jump at the border,
    extend the image; a frame that did so itself would not be tight. Runs on every device. Cost: an FFT a band.

    Args:
        scales: number of scales below the oriented high-pass bands, >= 0.
        orientations: K, >= 1.
        analytic: complex bands, of the half plane around each direction.

    Raises:
        InvalidParameter: a parameter is outside its range.

    References.
    E. P. Simoncelli, W. T. Freeman, "The steerable pyramid: a flexible architecture for multi-scale derivative
    computation", ICIP 1995, doi:10.1109/ICIP.1995.537667. With oriented high-pass bands: J. Portilla, V. Strela, M. J.
    Wainwright, E. P. Simoncelli, IEEE Transactions on Image Processing 12(11), 2003, doi:10.1109/TIP.2003.818640.
    """

    scales: int = 4
    orientations: int = 8
    analytic: bool = False

    def __post_init__(self) -> None:
        if self.scales < 0:
            raise InvalidParameter.outside("scales", self.scales, ">= 0")
        if self.orientations < 1:
            raise InvalidParameter.outside("orientations", self.orientations, ">= 1")

    @property
    def tight(self) -> bool:
        """True for every size."""
        return True

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        size = (x.shape[-2], x.shape[-1])
        X = self.spectrum(x)
        coarsest = coarser(size, self.scales)
        residual = cropped(X, coarsest, self.analytic) * (self.residual(size, X.real) / self._turn)
        low = _inverse(residual, coarsest, self.analytic)
        bands = [low.real if self.analytic else low]
        for scale in range(self.scales, -1, -1):
            grid = coarser(size, max(scale - 1, 0))
            part = cropped(X, grid, self.analytic)
            oriented = [
                _inverse(part * response, grid, self.analytic) for response in self._responses(size, scale, X.real)
            ]
            stacked = torch.stack(oriented, dim=2)
            bands.append(torch.view_as_real(stacked) if self.analytic else stacked)
        return tuple(bands)

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        if len(bands) != self.scales + 2:
            raise InvalidInput(f"there are {len(bands)} bands, where {self.scales} scales have {self.scales + 2}")
        residual = _forward(bands[0], self.analytic)
        X = residual.new_zeros(*residual.shape[:2], size[0], size[1] if self.analytic else size[1] // 2 + 1)
        add_cropped(X, residual * (self.residual(size, bands[0]) * self._turn), self.analytic)
        for scale, band in zip(range(self.scales, -1, -1), bands[1:]):
            oriented = torch.view_as_complex(band.contiguous()) if self.analytic else band
            for k, response in enumerate(self._responses(size, scale, bands[0])):
                add_cropped(X, _forward(oriented[:, :, k], self.analytic) * response, self.analytic)
        return self.image(X, size)

    def norms(self, size: Size) -> Bands:
        """One value for each orientation and scale."""
        like = torch.empty(0, dtype=torch.float64)
        full = SteerablePyramid(self.scales, self.orientations, analytic=True)
        norms = [full.residual(size, like).square().mean().sqrt()]
        for scale in range(self.scales, -1, -1):
            halves = torch.stack(list(full._responses(size, scale, like)))
            others = halves.flip(-2, -1).roll((1, 1), (-2, -1))  # at −ω
            if self.analytic:
                parts = torch.stack((halves + others, halves - others), dim=-1) / 2
                norms.append(parts.square().mean(dim=(1, 2), keepdim=True).sqrt())
            else:
                norms.append(halves.square().mean(dim=(1, 2), keepdim=True).sqrt())
        return tuple(norms)

    def spectrum(self, x: Float[Tensor, "b c h w"]) -> Complex[Tensor, "b c h g"]:
        """The orthonormal Fourier transform of x, turned so that all responses are real."""
        x = single_at_least(x)
        return self._turned(_forward(x, self.analytic), x.shape[-1], self._turn)

    def image(self, X: Complex[Tensor, "b c h g"], size: Size) -> Float[Tensor, "b c h w"]:
        """The inverse of :meth:`spectrum`."""
        x = _inverse(self._turned(X, size[1], self._turn.conjugate()), size, self.analytic)
        return x.real if self.analytic else x

    def radial(self, size: Size, scale: int, grid: Size, like: Tensor) -> Float[Tensor, "u v"]:
        """The factor of ρ in the responses of a scale, to be multiplied by each of :meth:`angular`.

        On a grid that holds the scale; in the dtype and on the device of ``like``; of half of the spectrum, columns
        f >= 0, unless ``analytic``.
        """
        log = torch.hypot(*self._frequencies(size, grid, like)).log2()
        return _high(log + scale) if scale == 0 else _high(log + scale) * _low(log + scale - 1)

    def residual(self, size: Size, like: Tensor) -> Float[Tensor, "u v"]:
        """The response of the residual on its grid."""
        return _low(torch.hypot(*self._frequencies(size, coarser(size, self.scales), like)).log2() + self.scales)

    def angular(self, size: Size, grid: Size, like: Tensor) -> Iterator[Float[Tensor, "u v"]]:
        """The factor of θ in the responses of orientation 0 … K − 1, one after the other."""
        y, x = self._frequencies(size, grid, like)
        inverse = 1 / torch.hypot(y, x).clamp_min(torch.finfo(like.dtype).tiny)
        cosine, sine = x * inverse, y * inverse
        del inverse
        nyquist = (y == -1) | (x.abs() == 1)
        for k in range(self.orientations):
            angle = math.pi * k / self.orientations
            factor = self._directional(cosine * math.cos(angle) + sine * math.sin(angle))
            # A frequency that is its own mirror image in one axis has no direction: all bands share it.
            yield factor.masked_fill_(nyquist, 1 / math.sqrt(self.orientations))
            del factor  # a generator holds what it has while others work

    def _directional(self, along: Float[Tensor, "u v"]) -> Float[Tensor, "u v"]:
        """a_k from cos(θ − πk/K), of half of the plane times √2 where ``analytic``."""
        order = self.orientations - 1
        scale = 2**order * math.factorial(order) / math.sqrt((order + 1) * math.factorial(2 * order))
        if not self.analytic:
            return along.pow(order).mul_(scale)
        half = ((1 + along.sign()) * math.sqrt(0.5)).where(along != 0, 1)
        return along.pow(order).mul_(scale) * half

    def _responses(self, size: Size, scale: int, like: Tensor) -> Iterator[Float[Tensor, "u v"]]:
        grid = coarser(size, max(scale - 1, 0))
        radial = self.radial(size, scale, grid, like)
        return (radial * angular for angular in self.angular(size, grid, like))

    @property
    def _turn(self) -> complex:
        """(−i)^(K−1)."""
        return (1, -1j, -1, 1j)[(self.orientations - 1) % 4]

    def _turned(self, X: Tensor, width: int, turn: complex) -> Tensor:
        """X times ``turn``, but for the Nyquist frequencies, whose responses are real as they are."""
        turned = X * turn
        if X.shape[-2] % 2 == 0:
            middle = X.shape[-2] // 2
            turned = torch.cat((turned[..., :middle, :], X[..., middle, None, :], turned[..., middle + 1 :, :]), -2)
        if width % 2 == 0:
            middle = width // 2
            turned = torch.cat((turned[..., :middle], X[..., middle, None], turned[..., middle + 1 :]), -1)
        return turned

    def _frequencies(self, size: Size, grid: Size, like: Tensor) -> tuple[Tensor, Tensor]:
        """Down (u, 1) and along (1, v), in units of the Nyquist frequency of the image, −1 <= f < 1 or 0 <= f <= 1."""
        lines = []
        for n, m, half in ((size[0], grid[0], False), (size[1], grid[1], not self.analytic)):
            k = torch.arange(m // 2 + 1 if half else m, device=like.device)
            signed = k if half else torch.where(k < (m + 1) // 2, k, k - m)
            lines.append(signed.to(like.dtype) * (2 / n))
        return lines[0][:, None], lines[1][None]


def coarser(size: Size, step: int) -> Size:
    """Sides of a grid 2^step times coarser, rounded up."""
    return -(-size[0] // 2**step), -(-size[1] // 2**step)


def cropped(X: Complex[Tensor, "b c h g"], grid: Size, full: bool) -> Complex[Tensor, "b c u v"]:
    """The lowest frequencies of a whole spectrum or of half of one: those of a coarser grid."""
    if X.shape[-2] == grid[0] and X.shape[-1] == (grid[1] if full else grid[1] // 2 + 1):
        return X
    rows = torch.cat([X[..., part, :] for part, _ in _shared(grid[0], X.shape[-2])], dim=-2)
    if not full:
        return rows[..., : grid[1] // 2 + 1]
    return torch.cat([rows[..., part] for part, _ in _shared(grid[1], X.shape[-1])], dim=-1)


def add_cropped(X: Complex[Tensor, "b c h g"], part: Complex[Tensor, "b c u v"], full: bool) -> None:
    """Add the spectrum of a coarser grid to the one that it was cropped from, in place."""
    columns = _shared(part.shape[-1], X.shape[-1]) if full else [(slice(part.shape[-1]), slice(part.shape[-1]))]
    for there, here in _shared(part.shape[-2], X.shape[-2]):
        for right, left in columns:
            X[..., there, right] += part[..., here, left]


def _shared(m: int, n: int) -> list[tuple[slice, slice]]:
    """Indices of the frequencies of m samples, positive and negative ones, among those of n, and among the m."""
    positive, negative = (m + 1) // 2, m // 2
    parts = [(slice(positive), slice(positive)), (slice(n - negative, n), slice(positive, m))]
    return [pair for pair in parts if pair[1].start is None or pair[1].start < m]


def _forward(x: Tensor, full: bool) -> Tensor:
    return torch.fft.fft2(x, norm="ortho") if full else torch.fft.rfft2(x, norm="ortho")


def _inverse(X: Tensor, size: Size, full: bool) -> Tensor:
    return torch.fft.ifft2(X, norm="ortho") if full else torch.fft.irfft2(X, s=size, norm="ortho")


def _high(log: Tensor) -> Tensor:
    """hi(ρ) from log₂ρ, −∞ at the zero frequency."""
    return torch.cos(0.5 * math.pi * (-log).clamp(0, 1))


def _low(log: Tensor) -> Tensor:
    return torch.sin(0.5 * math.pi * (-log).clamp(0, 1))
