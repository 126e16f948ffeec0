"""Estimate whether a picture was enlarged by interpolation, and by which factor.

Model: a picture interpolated s times has s output pixels between two of its samples, so the mean size of its first and
second differences, taken along the other axis, is periodic with period s: its spectrum has a peak at 1/s, or at 1 − 1/s
where that folds over (s < 2). And it has little energy above the frequency 1/(2s).

Algorithm:
 1. For rows and columns, v_j = log mean_i |Δy| and log mean_i |Δ²y|; less its moving mean over 9; magnitude of its
    Fourier transform, divided by the median; S(f) = mean of the four.
 2. The peak of S over 0.2 <= f <= 1/2. Where S(1/8) or S(3/8) is at least half of S at 1/4 and 1/2, these four are the
    comb of JPEG blocks and are left out.
 3. d₁, d₂ = how far the log-spectrum of the picture at 0.28 … 0.36 and 0.42 … 0.5 cycles a pixel lies below its own
    |f|^(−2.2) from 0.04 … 0.12. Enlarged where S > 7.5 and d₂ > 3, or S > 16 and d₂ > 2.2; by 1/f where d₁ > 4, else
    by 1/(1 − f). The thresholds are from training photographs.

Cost: a few passes over the pixels, linear.
Departures: first differences too (with samples at half pixels, an enlargement by 2 leaves no trace in the second), and
the emptiness of the high frequencies, which tells a factor from its alias and an enlargement from a reduction.

A. C. Gallagher, Detection of linear and cubic interpolation in JPEG compressed images, CRV 2005,
doi:10.1109/CRV.2005.33.
B. Mahdian, S. Saic, Blind authentication using periodic properties of interpolation, IEEE TIFS 3(3), 2008,
doi:10.1109/TIFS.2004.924603.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.diagnosis.spectrum import frequencies, gray, mean_spectrum, radius

_LENGTH = 4096
_ALPHA = 2.2


@dataclass(frozen=True, slots=True)
class UpscalingEstimate:
    """The enlargement that was detected in a picture.

    Attributes:
        upscaled: the picture was enlarged by interpolation.
        factor: by how much, from 1.2 to 5; 1 where it was not.
        sentence: the same in words.
    """

    upscaled: bool
    factor: float
    sentence: str


def estimate_upscaling(y: Float[Tensor, "b c h w"]) -> UpscalingEstimate:
    """Estimate the enlargement of y by bilinear, bicubic, Lanczos or similar interpolation, by a factor from 1.2 to 5.

    Nearest-neighbour enlargement, factors near 1.6 and 2.67 (multiples of 1/8, like the blocks of JPEG), and pictures
    that were then reduced, made noisy or strongly compressed are not detected; after light compression the factor may
    be an alias. The factor is 1 for pictures with a side below 64 pixels.
    """
    pictures = gray(y)
    P = mean_spectrum(pictures)
    if P is None:
        return _none(f"a picture of {y.shape[-2]} × {y.shape[-1]} pixels is too small to detect an enlargement")
    S = _without_jpeg_comb(_trace(pictures), min(pictures.shape[1:]))
    f = torch.arange(len(S)) / _LENGTH
    peak = int(torch.where(f >= 0.2, S, 0.0).argmax())
    middle, high = _drop(P, 0.28, 0.36), _drop(P, 0.42, 0.5)
    if not ((S[peak] > 7.5 and high > 3) or (S[peak] > 16 and high > 2.2)):
        return _none("no enlargement was detected")
    frequency = float(f[peak])
    factor = round(1 / frequency if middle > 4 else 1 / (1 - frequency), 2)
    return UpscalingEstimate(True, factor, f"enlarged by about {factor:g}: the finest details are interpolated")


def _none(sentence: str) -> UpscalingEstimate:
    return UpscalingEstimate(False, 1.0, sentence)


def _trace(pictures: Float[Tensor, "b h w"]) -> Float[Tensor, " f"]:
    """S(f) of step 1 at f = 0, 1/4096 … 1/2."""
    spectra = []
    for x in (pictures, pictures.transpose(1, 2)):
        first = x[:, 1:] - x[:, :-1]
        for difference in (first, first[:, 1:] - first[:, :-1]):
            v = (difference.abs().mean(dim=(0, 2)).double() + 1e-4).log()[:_LENGTH]
            around = torch.nn.functional.pad(v[None, None], (4, 4), mode="reflect")[0, 0].unfold(0, 9, 1).mean(dim=1)
            window = torch.hann_window(len(v) + 2, periodic=False, dtype=v.dtype)[1:-1]
            S = torch.fft.rfft((v - around) * window, _LENGTH).abs()
            spectra.append(S / S[int(0.08 * _LENGTH) :].median().clamp_min(1e-6))
    return torch.stack(spectra).mean(dim=0)


def _without_jpeg_comb(S: Float[Tensor, " f"], side: int) -> Float[Tensor, " f"]:
    """S with 0 about the multiples of 1/8 if they are the comb of JPEG blocks; a windowed peak is 4/side wide."""
    half = 3 * _LENGTH // side
    teeth = [slice(k * _LENGTH // 8 - half, k * _LENGTH // 8 + half + 1) for k in range(1, 5)]
    odd, even = (max(float(S[teeth[k]].max()) for k in pair) for pair in ((0, 2), (1, 3)))
    if odd < 0.5 * even:
        return S
    S = S.clone()
    for tooth in teeth:
        S[tooth] = 0
    return S


def _drop(P: Float[Tensor, "64 33"], low: float, high: float) -> float:
    """How far, in log units, the band lies below the power law that continues the low frequencies."""
    vertical, horizontal = frequencies()
    flat = P.double().clamp_min(1e-12).log() + _ALPHA * radius(vertical, horizontal).log()
    side = torch.maximum(vertical.abs(), horizontal.abs())
    off_axes = (vertical != 0) & (horizontal != 0)
    base = flat[off_axes & (side > 0.04) & (side < 0.12)].mean()
    return float(base - flat[off_axes & (side > low) & (side < high)].mean())
