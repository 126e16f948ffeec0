"""The finite ridgelet transform: sums along the lines of a finite plane, then wavelets across the lines."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from restora.core.backend import single_at_least
from restora.core.errors import InvalidParameter
from restora.core.operator import Size
from restora.frames.blocks import BlockGrid
from restora.frames.frame import Bands
from restora.frames.wavelet_filters import WaveletName, filter_bank

LARGEST_MATRIX = 31
"""The largest p for which the transform is a matrix of p² x p²: up to there a product is faster than Fourier."""


@dataclass(frozen=True, slots=True)
class FiniteRidgelet:
    """W: the orthonormal finite ridgelet transform (FRIT) of blocks of p x p pixels, p a prime.

    The plane Z_p² has p + 1 families of p parallel lines; each pair of pixels lies on exactly one line. For a block f

        r_k[l] = p^(−½) Σ_i f[i, (ki + l) mod p],  0 <= k < p;    r_p[l] = p^(−½) Σ_j f[l, j]

    are the projections of its pixels, and f − mean f has projections of zero mean and the same norm. In each the lines
    are put in the order l' = m·l mod p, for which m·(−k, 1), modulo p as near 0 as can be, is shortest: neighbours in
    this order are neighbours in the block. The p numbers of zero mean become p − 1 by a reflection that turns the
    constant vector into the last unit vector (the others change by r[p − 1]/(√p − 1)), and these are transformed by a
    periodic wavelet as often as their number can be halved. So mean and details of a block are an orthonormal basis.

    The bands are the scaled means p·mean f, (b, c, m, n), and the details (b, c, m, n, p + 1, p − 1), coarse scales
    first, for m x n blocks. Blocks are ``step`` apart, the last ones flush with the border; synthesis is the mean over
    the blocks that cover a pixel, the pseudo-inverse. With a step of p, W is orthonormal where p divides both sides. An
    image smaller than p is continued by zeros.

    Cost: p⁴ multiplications a block up to p = 31, O(p² log p) above, by Fourier transforms.

    It suits edges along a line that does not wrap around the border: few coefficients approximate them to any accuracy.
    Other edges are approximated to about 20 dB; the remainder is spread over the lines of all other directions.

    Departures from the paper: the reflection above makes any orthonormal wavelet orthonormal on the p numbers, where
    the paper drops one coefficient of p = 2ⁿ + 1; blocks overlap on demand.

    Args:
        side: p, of a block, a prime >= 3. Those with many halves in p − 1 have many scales: 5, 17, 97, 257.
        step: distance of neighbouring blocks, from 1 to p.
        wavelet: an orthonormal filter bank.

    Raises:
        InvalidParameter: a parameter is outside its range.
        UnknownName: there is no such wavelet.

    Reference: M. N. Do, M. Vetterli, "The finite ridgelet transform for image representation", IEEE Transactions on
    Image Processing 12(1), 2003, doi:10.1109/TIP.2002.806252.
    """

    side: int = 17
    step: int = 17
    wavelet: WaveletName = "sym4"

    def __post_init__(self) -> None:
        if self.side < 3 or any(self.side % d == 0 for d in range(2, math.isqrt(self.side) + 1)):
            raise InvalidParameter.outside("side", self.side, "a prime >= 3")
        BlockGrid(self.side, self.step)
        bank = filter_bank(self.wavelet)
        if bank.analysis_low != bank.synthesis_low[::-1]:
            raise InvalidParameter.outside("wavelet", self.wavelet, "orthonormal")

    @property
    def tight(self) -> bool:
        """False: blocks overlap unless they tile the image."""
        return False

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        blocks = self._grid.cut(self._continued(x))
        coefficients = blocks @ self.matrix(blocks).T if self._has_matrix else _analyse(blocks, self.side, self.wavelet)
        return coefficients[..., 0], coefficients[..., 1:].unflatten(-1, (self.side + 1, self.side - 1))

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        coefficients = torch.cat((bands[0][..., None], bands[1].flatten(-2)), dim=-1)
        if self._has_matrix:
            blocks = coefficients @ self.matrix(coefficients)
        else:
            blocks = _synthesise(coefficients, self.side, self.wavelet)
        covered = self._covered(size)
        x = self._grid.add(blocks, covered) / self._grid.coverage(covered, blocks)
        return x[..., : size[0], : size[1]]

    def norms(self, size: Size) -> Bands:
        """All 1, unless the image is smaller than a block."""
        inside = torch.zeros(self.side, self.side, dtype=torch.float64)
        inside[: size[0], : size[1]] = 1
        across = torch.from_numpy(_across(self.side, self.wavelet))
        lines = _ordered(finite_radon(inside), _order(self.side))
        square = lines @ across.square().T / math.sqrt(self.side)
        return inside.sum().sqrt().reshape(1, 1) / self.side, square.clamp_min(0).sqrt()

    def thresholded(self, x: Float[Tensor, "b c h w"], t: float) -> Float[Tensor, "b c h w"]:
        """Synthesis of the coefficients of x without the details of at most t, a row of blocks at a time. p <= 31."""
        x_all = self._continued(x)
        matrix = self.matrix(x_all)
        limits = torch.full_like(matrix[:, 0], t)
        limits[0] = -1  # the mean is kept
        total = self._grid.thresholded(x_all, matrix, limits)
        covered = (x_all.shape[-2], x_all.shape[-1])
        return (total / self._grid.coverage(covered, total))[..., : x.shape[-2], : x.shape[-1]]

    def matrix(self, like: Tensor) -> Float[Tensor, "pixels pixels"]:
        """R, orthonormal: the mean, then the details of a block from its pixels."""
        return _matrix(self.side, self.wavelet, like.dtype, like.device)

    @property
    def _grid(self) -> BlockGrid:
        return BlockGrid(self.side, self.step)

    @property
    def _has_matrix(self) -> bool:
        return self.side <= LARGEST_MATRIX

    def _covered(self, size: Size) -> Size:
        return max(size[0], self.side), max(size[1], self.side)

    def _continued(self, x: Tensor) -> Tensor:
        x = single_at_least(x)
        height, width = self._covered((x.shape[-2], x.shape[-1]))
        return pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]))


def finite_radon(f: Float[Tensor, "*batch p p"]) -> Float[Tensor, "*batch p+1 p"]:
    """The projections r_k[l] of :class:`FiniteRidgelet`, p a prime, the lines in the order of l.

    By the slice theorem, DFT(r_k)[l] = p^(−½) F[−kl mod p, l]: one Fourier transform of the block, and p + 1 of lines.
    """
    p = f.shape[-1]
    half = torch.arange(p // 2 + 1, device=f.device)
    row = -torch.arange(p, device=f.device)[:, None] * half % p
    spectrum = torch.fft.rfft2(f)
    slices = torch.cat((spectrum[..., row, half], spectrum[..., None, : p // 2 + 1, 0]), dim=-2)
    return torch.fft.irfft(slices, n=p) / math.sqrt(p)


def inverse_finite_radon(r: Float[Tensor, "*batch directions p"]) -> Float[Tensor, "*batch p p"]:
    """The block of zero mean with these projections, which must have zero mean: the transpose of the finite Radon map.

    f[i, j] = p^(−½) (Σ_k r_k[(j − ki) mod p] + r_p[i])
    """
    p = r.shape[-1]
    half = torch.arange(1, p // 2 + 1, device=r.device)
    inverses = torch.tensor([pow(int(l), -1, p) for l in half], device=r.device)
    k = -torch.arange(p, device=r.device)[:, None] * inverses % p
    slices = torch.fft.fft(r)
    first = slices[..., p, :, None]
    first = torch.cat((torch.zeros_like(first[..., :1, :]), first[..., 1:, :]), dim=-2)
    spectrum = torch.cat((first, slices[..., k, half]), dim=-1)
    return torch.fft.irfft2(spectrum, s=(p, p)) * math.sqrt(p)


def _analyse(blocks: Tensor, p: int, wavelet: WaveletName) -> Tensor:
    """Scaled mean and details of blocks (..., p²), in a line."""
    f = blocks.unflatten(-1, (p, p))
    mean = f.mean(dim=(-2, -1), keepdim=True)
    across = torch.from_numpy(_across(p, wavelet)).to(blocks)
    lines = _ordered(finite_radon(f - mean), _order(p))
    return torch.cat((mean.flatten(-2) * p, (lines @ across.T).flatten(-2)), dim=-1)


def _synthesise(coefficients: Tensor, p: int, wavelet: WaveletName) -> Tensor:
    """The inverse of :func:`_analyse`."""
    across = torch.from_numpy(_across(p, wavelet)).to(coefficients)
    lines = _ordered(coefficients[..., 1:].unflatten(-1, (p + 1, p - 1)) @ across, _order(p).argsort(axis=-1))
    return inverse_finite_radon(lines).flatten(-2) + coefficients[..., :1] / p


def _ordered(lines: Tensor, order: np.ndarray) -> Tensor:
    """(..., p + 1, p) with the lines of each direction in that order."""
    return lines.gather(-1, torch.from_numpy(order).to(lines.device).expand_as(lines))


@lru_cache(maxsize=8)
def _matrix(p: int, wavelet: WaveletName, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        unit = torch.eye(p * p, dtype=torch.float64)
        return _analyse(unit, p, wavelet).T.contiguous().to(device, dtype)


@lru_cache(maxsize=8)
def _order(p: int) -> np.ndarray:
    """(p + 1, p): the line l at position l' = m·l mod p in each direction."""

    def length(m: int, k: int) -> int:
        normal = (-m * k, m) if k < p else (m, 0)
        return sum(((n + p // 2) % p - p // 2) ** 2 for n in normal)

    multipliers = [min(range(1, p), key=lambda m, k=k: length(m, k)) for k in range(p + 1)]
    return np.array([[pow(m, -1, p) * place % p for place in range(p)] for m in multipliers])


@lru_cache(maxsize=8)
def _across(p: int, wavelet: WaveletName) -> np.ndarray:
    """D, (p − 1, p): p numbers of zero mean to p − 1 of the same norm, reflected and transformed. D·1 = 0, DDᵀ = I."""
    reflected = np.eye(p - 1, p)
    reflected[:, p - 1] = 1 / (math.sqrt(p) - 1)
    reflected -= reflected.mean(axis=1, keepdims=True)
    bank = filter_bank(wavelet)
    low, details = np.eye(p - 1), []
    while len(low) % 2 == 0:
        taps = (2 * np.arange(len(low) // 2)[:, None] + np.arange(bank.length)) % len(low)
        details.append(np.einsum("j,kjn->kn", bank.analysis_high, low[taps]))
        low = np.einsum("j,kjn->kn", bank.analysis_low, low[taps])
    return np.concatenate([low, *reversed(details)]) @ reflected
