"""Windows of the curvelet transform in the Fourier plane, and the indices to which wrapping maps their frequencies."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from restora.core.operator import Size
from restora.operators.fourier import fast_length

Finest = Literal["curvelets", "wavelets"]
"""The finest scale: wedges (``curvelets``), or one isotropic band (``wavelets``)."""


@dataclass(frozen=True, eq=False, slots=True)
class Windows:
    """Windows of one scale, wrapped: of ``wedges`` around one half-axis of the plane, or the only one, isotropic.

    Attributes:
        index: the frequency that lies in each cell of a wrapped window, as an index of the flattened spectrum.
        weight: its weight √2·U, or W where isotropic; frequencies that only fill a rectangle weigh 0.
        complex: the coefficients are complex: there are wedges.
    """

    index: Int[Tensor, "wedges l1 l2"]
    weight: Float[Tensor, "wedges l1 l2"]
    complex: bool

    def apart(self) -> Iterator["Windows"]:
        """The wedges, each by itself."""
        for k in range(len(self.index)):
            yield Windows(self.index[k : k + 1], self.weight[k : k + 1], self.complex)

    def norms(self, size: Size) -> Float[Tensor, "*shape"]:
        """Standard deviation of the coefficients of white noise of σ = 1, those of their two parts where complex.

        The parts have equal norms, the same all over a window, unless the window holds a frequency as well as its
        mirror. That happens only at the Nyquist frequency of an even side.
        """
        power = self.weight.square().mean(dim=(-2, -1))
        if not self.complex:
            return power.sqrt().reshape(1, 1)
        mirrored = self._mirrored(size)
        if mirrored is None:
            return (power / 2).sqrt().reshape(-1, 1, 1, 1)
        parts = power[:, None, None, None] + torch.stack((mirrored, -mirrored), dim=-1)
        return (parts.clamp_min(0) / 2).sqrt()

    def _mirrored(self, size: Size) -> Float[Tensor, "wedges l1 l2"] | None:
        """Re E c² of the complex coefficients c of unit noise: the product of the weights of all pairs k, −k."""
        if size[0] % 2 and size[1] % 2:
            return None
        row, column = self.index // size[1], self.index % size[1]
        at_nyquist = ((2 * row == size[0]) | (2 * column == size[1])) & (self.weight > 0)
        wedge, l1, l2 = at_nyquist.nonzero(as_tuple=True)
        mirror = (-row % size[0]) * size[1] + -column % size[1]
        here, there = self.index[wedge, l1, l2], mirror[wedge, l1, l2]
        one, other = ((here[:, None] == there) & (wedge[:, None] == wedge)).nonzero(as_tuple=True)
        if not len(one):
            return None
        weight = self.weight[wedge, l1, l2]
        spectrum = torch.zeros_like(self.weight)
        place = wedge[one], (l1[one] + l1[other]) % spectrum.shape[1], (l2[one] + l2[other]) % spectrum.shape[2]
        return torch.fft.ifft2(spectrum.index_put(place, weight[one] * weight[other], accumulate=True)).real


@lru_cache(maxsize=8)
def curvelet_windows(
    size: Size, scales: int, angles: int, finest: Finest, dtype: torch.dtype, device: torch.device
) -> tuple[Windows, ...]:
    """All windows for images of a size: isotropic, then of each finer scale the wedges around ω₁ > 0 and ω₂ > 0."""
    # What is cached must serve calls that carry gradients also when the first call did not.
    with torch.inference_mode(False):
        return tuple(_windows(size, scales, angles, finest, dtype, device))


@lru_cache(maxsize=8)
def curvelet_norms(size: Size, scales: int, angles: int, finest: Finest) -> tuple[Float[Tensor, "..."], ...]:
    """The :meth:`Windows.norms` of all windows."""
    windows = _windows(size, scales, angles, finest, torch.float64, torch.device("cpu"))
    with torch.inference_mode(False):
        return tuple(w.norms(size) for w in windows)


def _windows(
    size: Size, scales: int, angles: int, finest: Finest, dtype: torch.dtype, device: torch.device
) -> Iterator[Windows]:
    def as_tensors(index: np.ndarray, weight: np.ndarray, has_wedges: bool) -> Windows:
        places = torch.as_tensor(index.astype(np.int32), device=device)
        return Windows(places, torch.as_tensor(weight, dtype=dtype, device=device), has_wedges)

    yield as_tensors(*_isotropic(size, 0, scales), False)
    for j in range(1, scales):
        if j == scales - 1 and finest == "wavelets":
            yield as_tensors(*_isotropic(size, j, scales), False)
        else:
            for axis in (0, 1):
                yield as_tensors(*_wedges(size, axis, j, scales, angles << (j // 2)), True)


def _rise(x: np.ndarray) -> np.ndarray:
    """cos(½πν(x)): from 1 at x <= 0 to 0 at x >= 1, with the squares at x and 1 − x adding up to 1."""
    x = x.clip(0, 1)
    return np.cos(0.5 * math.pi * x**4 * (35 - 84 * x + 70 * x**2 - 20 * x**3))


def _lowpass(omega1: np.ndarray, omega2: np.ndarray, j: int, scales: int) -> np.ndarray:
    """φ_j(ω), ω in units of the Nyquist frequency; φ_{J−1} = 1, and φ_{−1} = 0."""
    if j < 0 or j == scales - 1:
        return np.ones(1) if j >= 0 else np.zeros(1)
    s = _nyquist(j, scales)
    return _rise(1.5 * np.abs(omega1) / s - 1) * _rise(1.5 * np.abs(omega2) / s - 1)


def _nyquist(j: int, scales: int) -> float:
    """s: half of what φ_j keeps on each axis."""
    return 2.0 ** (j - scales + 1)


def _reach(j: int, scales: int) -> float:
    """The ω beyond which φ_j is 0."""
    return 1.0 if j == scales - 1 else 4 / 3 * _nyquist(j, scales)


def radial_window(omega1: np.ndarray, omega2: np.ndarray, j: int, scales: int) -> np.ndarray:
    """W_j = √(φ_j² − φ_{j−1}²)."""
    square = _lowpass(omega1, omega2, j, scales) ** 2 - _lowpass(omega1, omega2, j - 1, scales) ** 2
    return np.sqrt(square.clip(0))


def _isotropic(size: Size, j: int, scales: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and weights of the window W_j, wrapped to the smallest rectangle that holds it."""
    sides = []
    for n in size:
        needed = 2 * math.floor(_reach(j, scales) * n / 2) + 1
        sides.append(n if needed >= n else min(fast_length(needed), n))
    k1, k2 = (np.fft.fftfreq(side, 1 / side).round().astype(np.int64) for side in sides)
    k1, k2 = k1[:, None], k2[None, :]
    weight = radial_window(2 * k1 / size[0], 2 * k2 / size[1], j, scales)
    return (k1 % size[0] * size[1] + k2 % size[1])[None], np.broadcast_to(weight, (1, *sides)).copy()


def _wedges(size: Size, axis: int, j: int, scales: int, wedges: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and weights √2·W_j·V_l of the wedges around the half-axis ω_a > 0, of the ``wedges`` of a whole turn.

    The frequency (a, b), wrapped, lies at (a mod L_a, b mod L_b): L_a is the extent of the wedges along their axis, and
    L_b that of their widest slice across it, so that no two frequencies of a wedge meet.
    """
    side_a, side_b = size[axis], size[1 - axis]
    delta = 8 / wedges
    centre = -1 + delta * (np.arange(wedges // 4) + 0.5)
    low, high = _slope(centre - delta), _slope(centre + delta)

    first = max(1, math.ceil(_reach(j - 1, scales) / 2 / high.max() * side_a / 2))
    last = math.floor(_reach(j, scales) * side_a / 2)
    length_a = fast_length(max(last - first + 1, 1))
    a = first + (np.arange(length_a) - first) % length_a
    across = np.outer(low, a) * side_b / side_a, np.outer(high, a) * side_b / side_a
    widest = _reach(j, scales) * side_b / 2
    start = np.ceil(across[0].clip(-widest, widest)).astype(np.int64)
    stop = np.floor(across[1].clip(-widest, widest)).astype(np.int64)
    length_b = fast_length(max(int((stop - start)[:, a <= max(last, first)].max()) + 1, 1))

    place = np.empty((len(centre), length_a, length_b), dtype=np.int32)
    weight = np.empty(place.shape)
    for l in range(len(centre)):  # one at a time: what is computed on the way is larger than what is kept
        b = start[l][:, None] + (np.arange(length_b) - start[l][:, None]) % length_b
        omega_a, omega_b = 2 * a[:, None] / side_a, 2 * b / side_b
        angular = _rise(np.abs(_angle(omega_a, omega_b) - centre[l]) / delta)
        weight[l] = (
            angular * radial_window(omega_a, omega_b, j, scales) * _share(a[:, None], side_a) * _share(b, side_b)
        )
        row, column = (a[:, None], b) if axis == 0 else (b, a[:, None])
        place[l] = row % size[0] * size[1] + column % size[1]
    weight *= math.sqrt(2)
    return (place, weight) if axis == 0 else (place.swapaxes(-2, -1), weight.swapaxes(-2, -1))


def _share(k: np.ndarray, n: int) -> np.ndarray:
    """What of a frequency stands at k: all; at the Nyquist frequency of an even side half of its energy, at k = ±n/2.

    With that a real image has a spectrum whose mirror is its conjugate on a grid that is symmetric about 0.
    """
    return np.where(2 * np.abs(k) < n, 1.0, np.where(2 * np.abs(k) == n, math.sqrt(0.5), 0.0))


def _angle(omega_a: np.ndarray, omega_b: np.ndarray) -> np.ndarray:
    """Pseudo-angle along the square around the origin: the slope ω_b/ω_a, continued around the corners ±1 up to ±2."""
    slope = omega_b / omega_a
    steep = np.abs(slope).clip(1)
    return np.where(np.abs(slope) <= 1, slope, np.sign(slope) * (2 - 1 / steep))


def _slope(angle: np.ndarray) -> np.ndarray:
    """The inverse of :func:`_angle`."""
    return np.where(np.abs(angle) <= 1, angle, np.sign(angle) / (2 - np.abs(angle).clip(1)))
