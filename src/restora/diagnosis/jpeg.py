"""Estimate whether a picture was a JPEG, its quality and the place of its 8 × 8 blocks, from the gray values alone.

Model: on the right grid the DCT coefficients of the blocks lie on multiples of the quantisation steps q, but for the
rounding of the pixels: c = n·q + e, e ~ N(0, ρ²). Against a density of c that is smooth over a step, the ratio is

    ℓ(c; q) = log((1 − ε)·q·N(c − nq; 0, ρ²) + ε),  n = round(c / q),

where the share ε lies anywhere (clipped blocks). Coefficients |c| < 1 say nothing: smooth pictures are full of them.

Algorithm:
 1. Grid: of the 64 offsets the one with the most DCT coefficients |c| < 1/2.
 2. For each quality, its steps q of the Independent JPEG Group's luminance table at the first 20 frequencies in zigzag
    order: Λ(quality) = Σ ℓ(c; q) over blocks and frequencies.
 3. The quality of largest Λ if that exceeds 20 nats, and 0.1 nats for each coefficient that says anything.
    Failing that, the same with the best step of each frequency on its own, as other tables have them: then the picture
    is blocked, and the quality is that of the table with the nearest steps.

Colour is looked at through its luma. Cost: 4,096 blocks at most, 0.2 s.
Departures: the likelihood of the steps is that of the reference, restricted to the standard's tables first.

Z. Fan, R. L. de Queiroz, Identification of bitmap compression history: JPEG detection and quantizer estimation, IEEE
TIP 12(2), 2003, doi:10.1109/TIP.2002.807361.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from restora.images.jpeg_tables import tables_of_quality

_BLOCKS = 4096
_RHO = 0.32
"""ρ: 8-bit rounding of the pixels, 1/√12, and a little of colour conversion, in gray levels."""
_OUTLIERS = 0.02
_FREQUENCIES = 20
_QUALITIES = range(1, 98)
"""From 98 on all steps are 1 or 2, and drown in the rounding of the pixels."""


@dataclass(frozen=True, slots=True)
class JpegEstimate:
    """The JPEG compression that was detected in a picture.

    Attributes:
        quality: on the Independent JPEG Group's scale, or None where no compression was detected.
        blocked: the grid of 8 × 8 blocks was detected.
        offset: row and column of the first full block, 0 … 7 each; other than (0, 0) after cropping.
        sentence: the same in words.
    """

    quality: int | None
    blocked: bool
    offset: tuple[int, int]
    sentence: str


def estimate_jpeg_quality(y: Float[Tensor, "b c h w"]) -> JpegEstimate:
    """Estimate the JPEG quality of y, from 1 to 97, if y was decoded to 8 bits and not resized or made noisy.

    The quality is None where fewer than 16 blocks are neither constant nor clipped.
    """
    luma = _luma(y)
    offset = _grid(luma)
    c = _coefficients(luma, offset, _BLOCKS)[:, _zigzag()[1 : _FREQUENCIES + 1]]
    telling = int((c.abs() >= 1).sum())
    needed = max(20.0, 0.1 * telling)
    if len(c) < 16 or telling == 0:
        return JpegEstimate(None, False, (0, 0), "no JPEG compression was detected")
    steps = _steps()
    gains = torch.stack([_gain(c[:, k], steps.unique()) for k in range(_FREQUENCIES)])
    index = torch.searchsorted(steps.unique(), steps)
    scores = gains.gather(1, index.T).sum(dim=0)
    if float(scores.max()) > needed:
        quality = _QUALITIES[int(scores.argmax())]
        return JpegEstimate(quality, True, offset, f"JPEG of quality {quality}" + _where(offset))
    best, free = gains.max(dim=1)
    if float(best.sum()) > needed + 5 * _FREQUENCIES:
        distance = (steps.log() - steps.unique()[free].log()).square() @ best.clamp_min(0)
        quality = _QUALITIES[int(distance.argmin())]
        return JpegEstimate(quality, True, offset, f"JPEG of a quality near {quality}" + _where(offset))
    return JpegEstimate(None, False, (0, 0), "no JPEG compression was detected")


def _where(offset: tuple[int, int]) -> str:
    return "" if offset == (0, 0) else f", then cropped: its blocks start at row {offset[0]}, column {offset[1]}"


def _luma(y: Tensor) -> Tensor:
    """Gray values (b, h, w) on 0 … 255, by the weights JPEG files use; NaN where a channel is clipped."""
    x = y.detach().float().cpu() * 255
    weights = torch.tensor([0.299, 0.587, 0.114]) if x.shape[1] == 3 else torch.full((x.shape[1],), 1 / x.shape[1])
    clipped = ((x < 0.5) | (x > 254.5)).any(dim=1)
    return (x * weights[:, None, None]).sum(dim=1).masked_fill(clipped, math.nan)


def _grid(luma: Tensor) -> tuple[int, int]:
    """Step 1; the first of equals, so (0, 0) where there is no compression."""
    best, found = -1.0, (0, 0)
    for offset in ((row, column) for row in range(8) for column in range(8)):
        c = _coefficients(luma, offset, _BLOCKS // 8)[:, 1:]
        share = float((c.abs() < 0.5).float().mean()) if len(c) else 0.0
        if share > best + 1e-6:
            best, found = share, offset
    return found


def _coefficients(luma: Tensor, offset: tuple[int, int], limit: int) -> Tensor:
    """DCT (n, 64) of the blocks of a grid: about ``limit`` of them, without the constant and the clipped ones."""
    cut = luma[:, offset[0] :, offset[1] :]
    if min(cut.shape[1:]) < 8:
        return cut.new_empty(0, 64)
    h, w = cut.shape[1] // 8, cut.shape[2] // 8
    step = math.ceil(len(cut) * h * w / limit)
    # Every step-th block in reading order; a common divisor of step and w would leave whole columns out.
    index = torch.arange(0, len(cut) * h * w, step + (step > 1 and math.gcd(step, w) > 1))
    blocks = cut.unfold(1, 8, 8).unfold(2, 8, 8)
    chosen = blocks[index // (h * w), index // w % h, index % w].reshape(-1, 64)
    low, high = chosen.amin(dim=1), chosen.amax(dim=1)
    # Comparing with NaN is false: blocks with clipped pixels go too.
    return chosen[low < high] @ _dct().T


def _gain(c: Tensor, steps: Tensor) -> Tensor:
    """Σ ℓ(c; q) for each step q."""
    telling = c[c.abs() >= 1, None]
    e = telling - steps * (telling / steps).round()
    density = torch.exp(-0.5 * (e / _RHO) ** 2) / (_RHO * math.sqrt(2 * math.pi))
    return torch.log((1 - _OUTLIERS) * steps * density + _OUTLIERS).sum(dim=0)


@cache
def _dct() -> Tensor:
    """The orthonormal DCT-II of 8 × 8 blocks as a matrix (64, 64)."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)
    line = torch.cos(math.pi * k * (n + 0.5) / 8) * torch.where(k == 0, math.sqrt(1 / 8), 0.5)
    return torch.kron(line, line)


@cache
def _zigzag() -> Tensor:
    """Places (row-major) of the frequencies in zigzag order."""
    places = [(row, column) for row in range(8) for column in range(8)]
    places.sort(key=lambda p: (sum(p), p[0] if sum(p) % 2 else p[1]))
    return torch.tensor([8 * row + column for row, column in places])


@cache
def _steps() -> Tensor:
    """Return the steps of the Group's luminance tables, (qualities, frequencies)."""
    tables = torch.tensor([tables_of_quality(quality)[0] for quality in _QUALITIES])
    return tables[:, _zigzag()[1 : _FREQUENCIES + 1]].float()
