"""Orthogonal bandlets: wavelets whose coefficients are transformed again, along the geometry of the image."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Size
from restora.frames.frame import Bands
from restora.frames.wavelet import WaveletTransform
from restora.frames.wavelet_filters import filter_bank

_CHUNK = 1 << 20  # coefficients held at once, of all directions
_SPLIT = 1 / 7  # of T²: what the split of a square costs


@dataclass(frozen=True, eq=False, slots=True)
class Geometry:
    """A dyadic partition of the subbands of a level, and a direction for each of its squares.

    Attributes:
        direction: for squares of each side, smallest first, the number of the direction, 0 for none: that of
            ``BandletBasis.directions``.
        merged: for each side but the smallest, which squares are not split. One that is not is made of smaller ones.
    """

    direction: tuple[Int[Tensor, "b c 3 _ _"], ...]
    merged: tuple[Bool[Tensor, "b c 3 _ _"], ...]


@dataclass(frozen=True, eq=False, slots=True)
class BandletBasis:
    """W: an orthonormal basis of images of one size, found for some images by :func:`best_basis`.

    Each square of w x w wavelet coefficients either stays as it is or is read in the order of t = −x sin θ + y cos θ,
    along lines of the direction θ, and transformed by a one-dimensional Haar transform: what is constant along an edge
    ends up in few coefficients. The bands have the shapes of those of the wavelet transform, with the coefficients of a
    square, coarsest first, at its position. Coefficients in no whole square stay as they are.

    Attributes:
        wavelets: an orthonormal wavelet transform with periodic boundary.
        size: of the images; both sides are multiples of 2^levels.
        smallest: side of the smallest squares.
        geometry: one for each level, coarsest first; of the images, in their order, that it was found for.
    """

    wavelets: WaveletTransform
    size: Size
    smallest: int
    geometry: tuple[Geometry, ...]

    @property
    def tight(self) -> bool:
        return True

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        approximation, *details = self.wavelets.analysis(x)
        return approximation, *(self._turned(d, g, _analyse) for d, g in zip(details, self.geometry, strict=True))

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        details = (self._turned(d, g, _synthesise) for d, g in zip(bands[1:], self.geometry, strict=True))
        return self.wavelets.synthesis((bands[0], *details), size)

    def norms(self, size: Size) -> Bands:
        """All 1."""
        return tuple(torch.ones(1, 1, dtype=torch.float64) for _ in range(self.wavelets.levels + 1))

    def _turned(self, detail: Tensor, geometry: Geometry, transform: Callable[[Tensor, Tensor, int], Tensor]) -> Tensor:
        """Every square of a level through its transform."""
        out = detail
        for i, direction in enumerate(geometry.direction):
            w = self.smallest << i
            squares = squares_of(detail, w)
            turned = transform(squares, direction, w)
            if i > 0:
                turned = torch.where(geometry.merged[i - 1][..., None], turned, squares_of(out, w))
            out = _with_squares(out, turned, w)
        return out


def best_basis(
    x: Float[Tensor, "b c h w"],
    T: float,
    wavelets: WaveletTransform,
    *,
    smallest: int = 4,
    largest: int = 8,
    penalty: float = 1.0,
) -> BandletBasis:
    """The bandlet basis that minimises the penalised error of x thresholded at T, for each image and channel.

        L = Σ_{|c| <= T} c² + T²·#{|c| > T} + penalty·T²·#{squares with a direction} + T²/7·#{splits}

    All directions are tried for each square of each side; then squares are merged from the bottom up where
    that lowers L.

    Cost: N·w²·(4w + 1) multiplications for N pixels and each side w, as products of matrices: about 2400 a pixel for
    sides of 4 and 8.

    Args:
        x: images; both sides are multiples of 2^levels.
        T: threshold, usually 3σ, > 0.
        wavelets: an orthonormal wavelet transform with periodic boundary.
        smallest: side of the smallest squares, a power of two, >= 2.
        largest: side of the largest squares, a power of two, >= ``smallest``.
        penalty: what a direction costs, in T², >= 0. One that is too small fits the noise.

    Raises:
        InvalidInput: the sides are no multiples of 2^levels.
        InvalidParameter: a parameter is outside its range.
    """
    _check(x, T, wavelets, smallest, largest, penalty)
    geometry = []
    for detail in wavelets.analysis(x)[1:]:
        sides = [smallest << i for i in range((largest // smallest).bit_length())]
        geometry.append(_geometry(detail, T, [w for w in sides if w <= min(detail.shape[-2:])], penalty))
    return BandletBasis(wavelets, (x.shape[-2], x.shape[-1]), smallest, tuple(geometry))


def _check(x: Tensor, T: float, wavelets: WaveletTransform, smallest: int, largest: int, penalty: float) -> None:
    if not T > 0:
        raise InvalidParameter.outside("T", T, "> 0")
    if not penalty >= 0:
        raise InvalidParameter.outside("penalty", penalty, ">= 0")
    if smallest < 2 or smallest & (smallest - 1):
        raise InvalidParameter.outside("smallest", smallest, "a power of two, >= 2")
    if largest < smallest or largest & (largest - 1):
        raise InvalidParameter.outside("largest", largest, f"a power of two, >= {smallest}")
    bank = filter_bank(wavelets.wavelet)
    if wavelets.boundary != "periodic" or bank.analysis_low != bank.synthesis_low[::-1]:
        raise InvalidParameter.outside("wavelets", wavelets, "orthonormal, with periodic boundary")
    h, w = x.shape[-2:]
    if h % (1 << wavelets.levels) or w % (1 << wavelets.levels):
        raise InvalidInput(f"an image of {h}x{w} has no orthonormal wavelet transform of {wavelets.levels} levels")


@torch.no_grad()
def _geometry(detail: Tensor, T: float, sides: list[int], penalty: float) -> Geometry:
    """The best direction of each square, from the smallest to the largest, and whether it beats its four quarters."""
    directions, merged = [], []
    cost = detail.new_zeros(())
    for i, w in enumerate(sides):
        direction, whole = _best_direction(squares_of(detail, w), T, w, penalty)
        directions.append(direction)
        if i == 0:
            cost = whole
            continue
        m, n = whole.shape[-2:]
        quarters = cost[..., : 2 * m, : 2 * n].unflatten(-2, (m, 2)).unflatten(-1, (n, 2)).sum(dim=(-3, -1))
        merged.append(whole < quarters + _SPLIT * T**2)
        cost = torch.minimum(whole, quarters + _SPLIT * T**2)
    return Geometry(tuple(directions), tuple(merged))


def _best_direction(squares: Tensor, T: float, w: int, penalty: float) -> tuple[Tensor, Tensor]:
    """The number of the direction of least L, and that L, for each square (..., w²)."""
    bases = _bases(w, squares.dtype, squares.device)
    directions, costs = [], []
    for chunk in squares.flatten(0, -2).split(max(1, _CHUNK // len(bases))):
        error = (chunk @ bases.T).square_().clamp_max_(T**2)
        cost, best = error.unflatten(-1, (-1, w * w)).sum(dim=-1).min(dim=-1)
        plain = chunk.square().clamp_max_(T**2).sum(dim=-1)
        cost = cost + penalty * T**2
        directions.append(torch.where(cost < plain, best + 1, 0))
        costs.append(torch.minimum(cost, plain))
    shape = squares.shape[:-1]
    return torch.cat(directions).reshape(shape), torch.cat(costs).reshape(shape)


def _analyse(squares: Tensor, direction: Tensor, w: int) -> Tensor:
    """Squares (..., w²) in the order of their directions, then Haar-transformed; as they are where there is none."""
    order = torch.from_numpy(_orders(w)).to(squares.device)[direction]
    haar = torch.from_numpy(_haar(w * w)).to(squares)
    return torch.where(direction[..., None] > 0, squares.gather(-1, order) @ haar.T, squares)


def _synthesise(coefficients: Tensor, direction: Tensor, w: int) -> Tensor:
    """The inverse of :func:`_analyse`."""
    place = torch.from_numpy(_orders(w).argsort(axis=-1)).to(coefficients.device)[direction]
    haar = torch.from_numpy(_haar(w * w)).to(coefficients)
    return torch.where(direction[..., None] > 0, (coefficients @ haar).gather(-1, place), coefficients)


def squares_of(plane: Float[Tensor, "*batch h v"], w: int) -> Float[Tensor, "*batch m n pixels"]:
    """The whole squares of side w, each in a line."""
    m, n = plane.shape[-2] // w, plane.shape[-1] // w
    whole = plane[..., : m * w, : n * w]
    return whole.unflatten(-2, (m, w)).unflatten(-1, (n, w)).transpose(-3, -2).flatten(-2)


def _with_squares(plane: Tensor, squares: Tensor, w: int) -> Tensor:
    """The plane with these squares in place of its own."""
    whole = squares.unflatten(-1, (w, w)).transpose(-3, -2).flatten(-2).flatten(-3, -2)
    if whole.shape == plane.shape:
        return whole
    plane = plane.clone()
    plane[..., : whole.shape[-2], : whole.shape[-1]] = whole
    return plane


@lru_cache(maxsize=8)
def _orders(w: int) -> np.ndarray:
    """(1 + 4w, w²): the order of a square's pixels for no direction and for θ = iπ/4w, 0 <= i < 4w.

    Pixels on a line t keep the order of rows; t is rounded, so that rounding errors order nothing.
    """
    y, x = np.mgrid[:w, :w].reshape(2, -1)
    theta = np.arange(4 * w)[:, None] * (np.pi / (4 * w))
    t = np.round(y * np.cos(theta) - x * np.sin(theta), 9)
    return np.concatenate((np.arange(w * w)[None], t.argsort(axis=-1, kind="stable")))


@lru_cache(maxsize=8)
def _haar(n: int) -> np.ndarray:
    """The orthonormal Haar transform of n samples, n a power of two, coarsest row first."""
    rows = np.ones((1, 1))
    while len(rows) < n:
        rows = np.concatenate((np.kron(rows, [1, 1]), np.kron(np.eye(len(rows)), [1, -1]))) / np.sqrt(2)
    return rows


@lru_cache(maxsize=8)
def _bases(w: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrices of all directions, one under the other: (4w·w², w²)."""
    haar = _haar(w * w)
    with torch.inference_mode(False):
        return torch.from_numpy(np.concatenate([haar[:, o.argsort()] for o in _orders(w)[1:]])).to(device, dtype)
