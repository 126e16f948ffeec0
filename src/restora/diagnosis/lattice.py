"""The patches of an image plane on a regular lattice, with the energy of their gradients, for the noise estimator."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from numba import prange

from restora.core.kernels import kernel


@dataclass(frozen=True, eq=False, slots=True)
class Lattice:
    """The usable p × p patches of a plane: neither constant nor touching a repeated extreme value.

    Attributes:
        plane: the image.
        size: p.
        along: columns between neighbouring patches.
        down: rows between them.
        index: number of each usable patch in reading order.
        intensity: its mean.
        energy: ξ = ‖D_h z‖² + ‖D_v z‖² with central differences inside the patch.
    """

    plane: Float32[np.ndarray, "h w"]
    size: int
    down: int
    along: int
    index: Int64[np.ndarray, " n"]
    intensity: Float32[np.ndarray, " n"]
    energy: Float32[np.ndarray, " n"]

    @classmethod
    def of(cls, plane: Float32[np.ndarray, "h w"], limit: int) -> "Lattice | None":
        """At most ``limit`` patches of side 7, of 5 or 3 in small pictures; None where there are too few."""
        size = next((p for p in (7, 5, 3) if _count(plane.shape, p, 1, 1) >= 4 * p * p), None)
        if size is None:
            return None
        down, along = 1, 1
        while _count(plane.shape, size, down, along) > limit:
            down, along = (down, along + 1) if down == along else (along, along)
        low, high = _bounds(plane)
        intensity, energy, usable = _scan(plane, size, down, along, low, high)
        index = np.flatnonzero(usable)
        if len(index) < 2 * size**2:
            return None
        return cls(plane, size, down, along, index, intensity.ravel()[index], energy.ravel()[index])

    def vectors(self, chosen: Int64[np.ndarray, " k"]) -> Float32[np.ndarray, "k d"]:
        """The chosen of the usable patches, each less its mean, a row each."""
        columns = (self.plane.shape[1] - self.size) // self.along + 1
        row, column = np.divmod(self.index[chosen], columns)
        return _gather(self.plane, self.size, row * self.down, column * self.along, self.intensity[chosen])


def _count(shape: tuple[int, ...], size: int, down: int, along: int) -> int:
    h, w = shape
    return max((h - size) // down + 1, 0) * max((w - size) // along + 1, 0)


def _bounds(plane: np.ndarray) -> tuple[float, float]:
    """The values usable patches lie strictly between: a clipped picture holds its extremes many times, others once."""
    low, high = float(plane.min()), float(plane.max())
    clipped_low, clipped_high = (np.count_nonzero(plane == bound) > 1 for bound in (low, high))
    return low if clipped_low else -math.inf, high if clipped_high else math.inf


@kernel(parallel=True)
def _scan(
    plane: np.ndarray, size: int, down: int, along: int, below: float, above: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = (plane.shape[0] - size) // down + 1
    columns = (plane.shape[1] - size) // along + 1
    intensity = np.empty((rows, columns), np.float32)
    energy = np.empty((rows, columns), np.float32)
    usable = np.empty((rows, columns), np.bool_)
    for i in prange(rows):
        for j in range(columns):
            total = xi = np.float32(0)
            low = high = plane[i * down, j * along]
            for r in range(i * down, i * down + size):
                for c in range(j * along, j * along + size):
                    v = plane[r, c]
                    total += v
                    low = min(low, v)
                    high = max(high, v)
                    if c >= j * along + 2:
                        xi += (v - plane[r, c - 2]) ** 2
                    if r >= i * down + 2:
                        xi += (v - plane[r - 2, c]) ** 2
            intensity[i, j] = total / (size * size)
            energy[i, j] = xi / 4
            usable[i, j] = low < high and low > below and high < above
    return intensity, energy, usable


@kernel(parallel=True)
def _gather(plane: np.ndarray, size: int, top: np.ndarray, left: np.ndarray, mean: np.ndarray) -> np.ndarray:
    out = np.empty((len(top), size * size), np.float32)
    for n in prange(len(top)):
        for r in range(size):
            for c in range(size):
                out[n, r * size + c] = plane[top[n] + r, left[n] + c] - mean[n]
    return out
