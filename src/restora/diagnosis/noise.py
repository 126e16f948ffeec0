"""Estimate the noise level of a single picture from its weakly textured patches.

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
then suffices). The smallest eigenvalue of n samples lies below the truth, for independent ones by the Marchenko–Pastur
edge (1 − √((p² − 1)/n))²; s is divided by such a factor with half that root, the share that leaves least error on
training photographs, where a rest of texture acts the other way. Patches that touch a repeated extreme value (clipping)
or are constant are left out, and of large pictures only so many are taken. The thresholds of step 4 are our own.

Cost: linear in the pixels up to 131,072 patches a picture, constant beyond.

X. Liu, M. Tanaka, M. Okutomi, Single-image noise level estimation for blind denoising, IEEE TIP 22(12), 2013,
doi:10.1109/TIP.2013.2283400; and Practical signal-dependent noise parameter estimation from a single noisy image,
IEEE TIP 23(10), 2014, doi:10.1109/TIP.2014.2347204.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Float32, Int64
from scipy.stats import gamma
from torch import Tensor

from restora.diagnosis.lattice import Lattice

_ROUNDS = 3
_CONFIDENCE = 1 - 1e-6
_PATCHES = 131_072
_GROUPS = 8
_EDGE = 0.5
"""Share of the Marchenko–Pastur root by which s is brought up."""
_UNSEEN = 1 / 255
"""σ below which a picture counts as free of noise: about the rounding of 8 bits and a little texture."""


@dataclass(frozen=True, slots=True)
class NoiseEstimate:
    """The noise that was estimated in a picture.

    Attributes:
        sigma: standard deviation on [0, 1]; the root mean square over the picture where it depends on the signal.
        signal_dependent: the variance grows with the intensity, as shot·x + read.
        shot: a, variance a unit of intensity; 0 unless ``signal_dependent``.
        read: b, variance in the dark; σ² unless ``signal_dependent``.
        sentence: the same in words.
    """

    sigma: float
    signal_dependent: bool
    shot: float
    read: float
    sentence: str


def estimate_noise(y: Float[Tensor, "b c h w"]) -> NoiseEstimate:
    """Estimate the level of the noise in y, and whether it depends on the signal. Images and channels are pooled.

    Noise-free pictures give σ near zero, 8-bit ones about their rounding, 0.3 / 255. Noise that is correlated from
    pixel to pixel (developed camera pictures, JPEG) is underestimated: the smallest eigenvalue is its least.
    σ is 0 for pictures below 10 pixels a side and for constant ones; the sentence then says why.
    """
    planes = y.detach().flatten(0, 1).float().cpu().numpy()
    limit = max(_PATCHES // len(planes), 16_384)
    lattices = [lattice for plane in planes if (lattice := Lattice.of(plane, limit)) is not None]
    if not lattices:
        reason = (
            f"the noise of a picture of {y.shape[-2]} × {y.shape[-1]} pixels so small or so even cannot be estimated"
        )
        return NoiseEstimate(0.0, False, 0.0, 0.0, reason)
    variance = sum(_floor(lattice, np.arange(len(lattice.index))).variance for lattice in lattices) / len(lattices)
    line = _line([floor for lattice in lattices for floor in _floors_by_intensity(lattice)])
    if line is None or variance < _UNSEEN**2:
        sigma = math.sqrt(variance)
        return NoiseEstimate(sigma, False, 0.0, variance, _describe(sigma))
    shot, read = line
    sigma = math.sqrt(max(shot * float(y.mean()) + read, 0.0))
    dark, light = math.sqrt(read), math.sqrt(shot + read)
    sentence = f"noise of σ = {255 * dark:.1f} (of 255) in black, growing to {255 * light:.1f} in white"
    return NoiseEstimate(sigma, True, shot, read, sentence)


def _describe(sigma: float) -> str:
    if sigma < _UNSEEN:
        return f"no noise was detected: σ = {255 * sigma:.1f} (of 255)"
    return f"noise of σ = {255 * sigma:.1f} (of 255), the same in light and dark"


@dataclass(frozen=True, slots=True)
class _Floor:
    """The variance found in a group of patches and the mean intensity of the patches it was found in."""

    variance: float
    intensity: float


def _floor(lattice: Lattice, group: Int64[np.ndarray, " n"]) -> _Floor:
    """Steps 1 and 2 on a group of patches."""
    quantile = _flat_quantile(lattice.size)
    s, flat = _smallest_eigenvalue(lattice.vectors(group)), group
    for _ in range(_ROUNDS):
        kept = group[lattice.energy[group] < quantile * s]
        # As many kept as before are the same ones: those of least energy.
        if len(kept) == len(flat) or len(kept) < 2 * lattice.size**2:
            break
        s, flat = _smallest_eigenvalue(lattice.vectors(kept)), kept
    return _Floor(s, float(lattice.intensity[flat].mean()))


@cache
def _flat_quantile(p: int) -> float:
    """F⁻¹(δ) of ξ / σ² on a flat patch.

    ξ is close to a Gamma variable of shape r/2 and scale 2 tr(D) / r, D = D_hᵀD_h + D_vᵀD_v of rank r.
    """
    pixels = np.eye(p**2).reshape(-1, p, p)
    horizontal, vertical = pixels[:, :, 2:] - pixels[:, :, :-2], pixels[:, 2:] - pixels[:, :-2]
    differences = np.hstack([horizontal.reshape(p**2, -1), vertical.reshape(p**2, -1)]) / 2
    D = differences @ differences.T
    rank, trace = int(np.linalg.matrix_rank(D)), float(D.trace())
    return float(gamma.ppf(_CONFIDENCE, rank / 2, scale=2 * trace / rank))


def _smallest_eigenvalue(z: Float32[np.ndarray, "n d"]) -> float:
    """Of the covariance of the rows of z, brought up from where the finite number of rows puts it.

    The rows have no mean, so the second eigenvalue is meant: the first belongs to the constant vector.
    """
    mean = z.mean(axis=0, dtype=np.float64)
    covariance = (z.T @ z).astype(np.float64) / len(z) - np.outer(mean, mean)
    edge = _EDGE * math.sqrt((z.shape[1] - 1) / len(z))
    return max(float(np.linalg.eigvalsh(covariance)[1]), 0.0) / (1 - edge) ** 2


def _floors_by_intensity(lattice: Lattice) -> list[_Floor]:
    """A floor for each of the groups of like intensity (step 4); none where the groups would be too small."""
    if len(lattice.index) < _GROUPS * 10 * lattice.size**2:
        return []
    return [_floor(lattice, group) for group in np.array_split(np.argsort(lattice.intensity), _GROUPS)]


def _line(floors: list[_Floor]) -> tuple[float, float] | None:
    """(a, b) of variance = a·m + b by the median of slopes (Theil, Sen), or None where it does not clearly grow.

    It grows clearly where Kendall's τ is at least 0.7, the rise from the darkest group to the lightest is at least
    3.5 times the scatter about the line, and at least 0.3 of the median variance (chosen on training photographs).
    """
    if len(floors) < _GROUPS:
        return None
    v = np.array([floor.variance for floor in floors])
    m = np.array([floor.intensity for floor in floors])
    dv, dm = np.subtract.outer(v, v), np.subtract.outer(m, m)
    pairs = dm > 1e-3
    if not pairs.any():
        return None
    a = float(np.median(dv[pairs] / dm[pairs]))
    b = float(np.median(v - a * m))
    scatter = 1.4826 * float(np.median(np.abs(v - a * m - b)))
    rise = a * float(np.ptp(m))
    if np.sign(dv[pairs]).mean() < 0.7 or rise < 3.5 * scatter or rise < 0.3 * np.median(v):
        return None
    return (a, b) if b >= 0 else (float(np.median(v / m)), 0.0)
