"""Local ridgelets: wavelets across straight lines, in overlapping blocks with smooth windows. A tight frame."""

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
from restora.frames.curvelet_windows import radial_window
from restora.frames.frame import Bands


@dataclass(frozen=True, slots=True)
class LocalRidgelet:
    """W: digital ridgelets of blocks of B x B pixels, weighted by a window and ``step`` apart.

    1. Blocks are weighted by w(i)·w(j), w(i) = √(2·step/B) sin(π(i + ½)/B). All shifts of w² add up to 1 where step
       divides B at least twice.
    2. The Fourier transform F of a block is read along the 4R straight lines, R = ⌊B/2⌋, that join the origin with the
       border of the square of frequencies |k| <= R: on each at the 2R + 1 radii r = −R … R, from the nearest frequency.
       So every frequency k is read, m(k) times, and counts 1/√m(k): the samples have the norm of the block.
    3. Each line is cut by radial windows W_j(r), with Σ W_j² = 1, those of the curvelet transform in one dimension, and
       wrapped to their support; its inverse Fourier transforms are the coefficients: wavelets across a ridge.

    Every step preserves the norm, so Wᵀ W = 1. A line read this way is a projection of the block on a torus; the window
    makes it one of the block. The bands are, for j = 0 … scales − 1, (b, c, m, n, 4R, L_j), with m x n blocks of which
    those at the border hang over it, the image being continued by zeros.

    The whole transform of a block is one matrix, of about 4B² x B²; all blocks of a row are one product. Cost:
    4B²(B/step)² multiplications a pixel; redundancy about 4(B/step)².

    Departures from the paper: it reads lines by interpolation, of which the inverse is approximate; the share 1/√m(k)
    makes the frame tight.

    Args:
        side: B, >= 4; a matrix of 4B⁴ numbers is kept, so 32 is large.
        step: distance of neighbouring blocks, a divisor of the side, at most half of it.
        scales: radial windows, >= 1.

    Raises:
        InvalidParameter: a parameter is outside its range.

    Reference: J.-L. Starck, E. J. Candès, D. L. Donoho, "The curvelet transform for image denoising", IEEE Transactions
    on Image Processing 11(6), 2002, section III, doi:10.1109/TIP.2002.1014998.
    """

    side: int = 24
    step: int = 12
    scales: int = 4

    def __post_init__(self) -> None:
        if not 4 <= self.side <= 64:
            raise InvalidParameter.outside("side", self.side, "from 4 to 64")
        if not 1 <= self.step <= self.side // 2 or self.side % self.step:
            raise InvalidParameter.outside("step", self.step, f"a divisor of {self.side}, at most half of it")
        if self.scales < 1:
            raise InvalidParameter.outside("scales", self.scales, ">= 1")

    @property
    def tight(self) -> bool:
        return True

    def analysis(self, x: Float[Tensor, "b c h w"]) -> Bands:
        blocks = self._grid.cut(self._continued(x))
        return self._as_bands(blocks @ self.matrix(blocks).T)

    def synthesis(self, bands: Bands, size: Size) -> Float[Tensor, "b c h w"]:
        blocks = torch.cat([band.flatten(-2) for band in bands], dim=-1) @ self.matrix(bands[0])
        return self._cropped(self._grid.add(blocks, self._covered(size)), size)

    def norms(self, size: Size) -> Bands:
        """Norms for every block; all blocks within the image have the same."""
        return self._as_bands(self._block_norms(size))

    def thresholded(self, x: Float[Tensor, "b c h w"], t: float) -> Float[Tensor, "b c h w"]:
        """Wᵀ of Wx, without the details of at most t times the norm of their row, a row of blocks at a time.

        The norm is that of blocks inside of the image, also for those that hang over its border.
        """
        x_all = self._continued(x)
        matrix = self.matrix(x_all)
        limits = t * matrix.square().sum(dim=1).sqrt()
        limits[: math.prod(self._shapes()[0])] = -1  # the coarsest scale is kept
        return self._cropped(self._grid.thresholded(x_all, matrix, limits), (x.shape[-2], x.shape[-1]))

    def matrix(self, like: Tensor) -> Float[Tensor, "coefficients pixels"]:
        """The ridgelets of a block, times its window."""
        return _matrix(self.side, self.step, self.scales, like.dtype, like.device)

    @property
    def _grid(self) -> BlockGrid:
        return BlockGrid(self.side, self.step)

    def _covered(self, size: Size) -> Size:
        """Of the image continued so far that every pixel lies in as many blocks as any other."""
        height, width = (self._before + -(-n // self.step) * self.step + self._before for n in size)
        return height, width

    @property
    def _before(self) -> int:
        return self.side - self.step

    def _continued(self, x: Tensor) -> Tensor:
        x = single_at_least(x)
        height, width = self._covered((x.shape[-2], x.shape[-1]))
        before = self._before
        return pad(x, (before, width - before - x.shape[-1], before, height - before - x.shape[-2]))

    def _cropped(self, x: Tensor, size: Size) -> Tensor:
        return x[..., self._before : self._before + size[0], self._before : self._before + size[1]]

    def _shapes(self) -> list[tuple[int, int]]:
        """(lines, coefficients a line) of each scale."""
        lines = 4 * (self.side // 2)
        return [(lines, 2 * reach + 1) for reach, _ in _radial_windows(self.side // 2, self.scales)]

    def _as_bands(self, coefficients: Tensor) -> Bands:
        shapes = self._shapes()
        parts = coefficients.split([math.prod(shape) for shape in shapes], dim=-1)
        return tuple(part.unflatten(-1, shape) for part, shape in zip(parts, shapes, strict=True))

    def _block_norms(self, size: Size) -> Float[Tensor, "m n coefficients"]:
        """Found once for each way in which blocks hang over the border."""
        square = self.matrix(torch.zeros((), dtype=torch.float64)).square().unflatten(-1, (self.side, self.side))
        kinds, kind_of = [], []
        for n, covered in zip(size, self._covered(size)):
            place = torch.tensor(self._grid.starts(covered))[:, None] + torch.arange(self.side) - self._before
            kind, inverse = ((place >= 0) & (place < n)).to(square).unique(dim=0, return_inverse=True)
            kinds.append(kind)
            kind_of.append(inverse)
        norms = torch.einsum("cij,mi,nj->mnc", square, *kinds).sqrt()
        return norms[kind_of[0][:, None], kind_of[1]]


@lru_cache(maxsize=4)
def _matrix(side: int, step: int, scales: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    window = np.sin(np.pi * (np.arange(side) + 0.5) / side) * math.sqrt(2 * step / side)
    with torch.inference_mode(False):
        matrix = _ridgelets(side, scales) * np.outer(window, window).ravel()
        return torch.from_numpy(matrix).to(device, dtype)


def _ridgelets(side: int, scales: int) -> np.ndarray:
    """The matrix of steps 2 and 3, whose columns are orthonormal: (coefficients, side²)."""
    spectrum = np.fft.fft2(np.eye(side * side).reshape(-1, side, side), norm="ortho")
    k1, k2 = _lines(side)
    times = np.zeros((side, side))
    np.add.at(times, (k1, k2), 1)
    samples = spectrum[:, k1, k2] / np.sqrt(times[k1, k2])
    r = np.arange(-(side // 2), side // 2 + 1)
    scale = []
    for reach, weight in _radial_windows(side // 2, scales):
        length = 2 * reach + 1
        inverse_fourier = np.exp(2j * np.pi * np.outer(r, np.arange(length)) / length) / math.sqrt(length)
        scale.append((samples @ (weight[:, None] * inverse_fourier)).real.reshape(side * side, -1))
    return np.concatenate(scale, axis=1).T


def _lines(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (modulo the side) along each line, (lines, radii)."""
    radius = side // 2
    r = np.arange(-radius, radius + 1)
    near = np.rint(np.outer(np.arange(-radius, radius + 1), r) / radius).astype(np.int64)
    steep, flat = near[:-1], near[1:]  # each diagonal once
    k1 = np.concatenate((np.broadcast_to(r, steep.shape), flat))
    k2 = np.concatenate((steep, np.broadcast_to(r, flat.shape)))
    return k1 % side, k2 % side


def _radial_windows(radius: int, scales: int) -> list[tuple[int, np.ndarray]]:
    """(largest radius with a weight, W_j(r) for |r| <= ``radius``) for each scale j."""
    r = np.arange(-radius, radius + 1)
    windows = []
    for j in range(scales):
        weight = np.broadcast_to(radial_window(r / radius, np.zeros(1), j, scales), r.shape)
        windows.append((int(np.abs(r[weight > 1e-9]).max(initial=0)), weight))
    return windows
