"""Noise level from one noisy picture, by its weakly textured patches.

Model: y = x + n, n ~ N(0, σ²) white, or N(0, a·x + b). A patch of x without texture leaves a patch of y whose
covariance is σ²I; the smallest eigenvalue of the covariance of many such patches is σ².

Algorithm (letters as below), for each channel:
 1. p×p patches of a regular lattice, p = 7. s = smallest eigenvalue of their covariance.
 2. Keep the patches whose gradient energy ξ = ‖D_h z‖² + ‖D_v z‖² is below τ = s·F⁻¹(δ), F the Gamma law that ξ has on
    a flat patch, δ = 1 − 1e-6. s = smallest eigenvalue of the covariance of those kept. Repeat 3 times.
 3. σ² = s, averaged over the channels.
 4. Signal dependence: the patches of each channel in groups of like intensity m, steps 1 and 2 in each group, and a
    line a·m + b through the (m, s) found.

Departures: the mean of each patch is removed, so the eigenvalue is the smallest of the other p² − 1 (single precision
then suffices). The smallest eigenvalue of n samples lies below the truth; σ is divided by 1 − ½·√((p² − 1) / n), half of
the Marchenko–Pastur edge, the share that leaves least error on training photographs. Patches that touch a repeated
extreme value (clipping) or are exactly constant are left out. Of large pictures only so many patches are taken.

Cost: linear in the pixels up to 200,000 patches, constant beyond: 0.1 s.

X. Liu, M. Tanaka, M. Okutomi, Single-image noise level estimation for blind denoising, IEEE TIP 22(12), 2013,
doi:10.1109/TIP.2013.2283400; and Practical signal-dependent noise parameter estimation from a single noisy image,
IEEE TIP 23(10), 2014, doi:10.1109/TIP.2014.2347204.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.stats import gamma
from torch import Tensor

_ROUNDS = 3
_CONFIDENCE = 1 - 1e-6
_PATCHES = 200_000
_GROUPS = 8


@dataclass(frozen=True, slots=True)
class NoiseEstimate:
    """What the noise of a picture looks like.

    Attributes:
        sigma: standard deviation on [0, 1]; the root mean square over the picture where it depends on the signal.
        signal_dependent: the variance grows with the intensity, as shot·x + read.
        shot: a, variance a unit of intensity; 0 unless ``signal_dependent``.
        read: b, variance in the dark; σ² unless ``signal_dependent``.
        sentence: the same for a person.
    """

    sigma: float
    signal_dependent: bool
    shot: float
    read: float
    sentence: str


def estimate_noise(y: Float[Tensor, "b c h w"]) -> NoiseEstimate:
    """Level of the noise in y and whether it depends on the signal; images and channels are pooled.

    Noise-free pictures give σ near zero, 8-bit ones about their rounding. Noise that is correlated from pixel to pixel
    (developed camera pictures, JPEG) is underestimated: the smallest eigenvalue is its weakest direction.
    """
    planes = y.detach().flatten(0, 1)
    limit = max(_PATCHES // len(planes), 16_384)
    patches = [_patches(plane, limit) for plane in planes]
    patches = [p for p in patches if p is not None]
    if not patches:
        size = "×".join(map(str, y.shape[-2:]))
        return NoiseEstimate(0.0, False, 0.0, 0.0, f"a picture of {size} pixels is too small to tell its noise")
    floors = [_noise_floor(p)[0] for p in patches]
    variance = sum(floors) / len(floors)
    line = _line([point for p in patches for point in _levels(p)])
    if line is None:
        return NoiseEstimate(math.sqrt(variance), False, 0.0, variance, _sentence_white(math.sqrt(variance)))
    shot, read = line
    sigma = math.sqrt(max(shot * float(y.mean()) + read, 0))
    return NoiseEstimate(sigma, True, shot, read, _sentence_dependent(sigma, shot, read))


def _patches(plane: Tensor, limit: int) -> Tensor | None:
    """Patches (n, p, p) of a lattice of at most ``limit``, without clipped and constant ones; None if too few."""
    size = next((p for p in (7, 5, 3) if _count(plane, p, 1) >= 10 * p * p), None)
    if size is None:
        return None
    step = next(s for s in range(1, max(plane.shape) + 1) if _count(plane, size, s) <= limit)
    patches = plane.unfold(0, size, step).unfold(1, size, step).reshape(-1, size, size)
    low, high = patches.amin(dim=(1, 2)), patches.amax(dim=(1, 2))
    for extreme in (plane.min(), plane.max()):
        if (plane == extreme).sum() > 1:
            low, high, patches = _drop((low != extreme) & (high != extreme), low, high, patches)
    patches = patches[low < high]
    return patches


def _drop(keep: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    return tuple(t[keep] for t in tensors)
