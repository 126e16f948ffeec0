"""Resampling of one image axis with the weights of MATLAB's imresize, and its true adjoint.

Output sample o (from 0) stands at u = (o + ½)/c − ½ of the input, c being the scale (output over input). It is

    y[o] = Σ_i w[o, i] x[i],    w[o, i] = k_c(u − i) / Σ_j k_c(u − j),    k_c(t) = c k(c t) where c < 1, else k(t)

(the widening for c < 1 is the antialiasing), with x extended beyond its ends. Images are resampled axis by axis; the
map of an axis is a banded matrix, kept and applied as a chain of small dense blocks, so that the work is done by matrix
products on any device.

Departures from MATLAB: ``area`` is added (the exact mean over the output pixel's footprint, which ``box`` is only for
integer 1/c), and ``nearest`` and ``box`` decide ties to within 1e-9, not to the last bit of u.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.operators.boundaries import Extension, inside

Kernel = Literal["bicubic", "bilinear", "box", "area", "nearest", "lanczos2", "lanczos3"]

_BLOCK = 32  # samples of the coarser grid a block: long for the matrix product, short to stay near the band


def resampled_length(n: int, scale: float) -> int:
    """⌈n·scale⌉, as imresize has it; a product within 1e-9 above an integer is that integer."""
    return max(1, math.ceil(n * scale - 1e-9))


@dataclass(frozen=True, slots=True)
class Resampler:
    """The linear map from ``n_in`` to ``n_out`` samples along an axis.

    Args:
        n_in: samples of the input.
        n_out: samples of the output; imresize takes ``resampled_length(n_in, scale)``.
        scale: c, output sampling rate over input sampling rate; imresize takes n_out / n_in where a size is asked for.
        kernel: k. ``bicubic`` is Keys' with a = −½; ``box`` a unit box; ``nearest`` a box that is never widened;
            ``area`` the exact mean over the output pixel's footprint, for any scale.
        antialias: widen the kernel where c < 1 (never for ``nearest``, always for ``area``).
        boundary: extension beyond the ends. ``reflect`` is that of MATLAB, ``replicate`` that of its old releases.

    Raises:
        InvalidParameter: a length below 1, or a scale that is not positive.
        UnknownName: no such kernel.
    """

    n_in: int
    n_out: int
    scale: float
    kernel: Kernel = "bicubic"
    antialias: bool = True
    boundary: Extension = "reflect"

    def __post_init__(self) -> None:
        if self.n_in < 1:
            raise InvalidParameter.outside("n_in", self.n_in, ">= 1")
        if self.n_out < 1:
            raise InvalidParameter.outside("n_out", self.n_out, ">= 1")
        if not 0 < self.scale < math.inf:
            raise InvalidParameter.outside("scale", self.scale, "> 0")
        if self.kernel not in _KERNELS:
            raise UnknownName.among("resampling kernel", self.kernel, tuple(_KERNELS))

    def __call__(self, x: Float[Tensor, "b c h w"], dim: int) -> Float[Tensor, "b c i j"]:
        """Resample rows (``dim=-2``) or columns (``dim=-1``). A block of W takes 32 samples of the coarser grid."""
        _check(x, dim, self.n_in)
        blocks = _blocks(self, x.dtype, x.device)
        return torch.cat([_product(W, x.narrow(dim, start, W.shape[1]), dim) for start, W in blocks], dim)

    def adjoint(self, y: Float[Tensor, "b c i j"], dim: int) -> Float[Tensor, "b c h w"]:
        """The transposed weights along ``dim``.

        The resampler of the reciprocal scale is this times 1/c only for integer 1/c, ``reflect``, an exact fit of the
        lengths and a kernel whose shifts sum to one by themselves (not Lanczos); elsewhere it is another map.
        """
        _check(y, dim, self.n_out)
        shape = list(y.shape)
        shape[dim] = self.n_in
        x = y.new_zeros(shape)
        first = 0
        for start, W in _blocks(self, y.dtype, y.device):
            rows, columns = W.shape
            x.narrow(dim, start, columns).add_(_product(W.T, y.narrow(dim, first, rows), dim))
            first += rows
        return x

    @property
    def radius(self) -> int:
        """Half the kernel's support, in samples of the coarser grid, rounded up."""
        return math.ceil(_KERNELS[self.kernel][0])

    def taps(self) -> tuple[Int[Tensor, "n p"], Float[Tensor, "n p"]]:
        """The input samples that each output depends on, and their weights (float64; an index may occur twice)."""
        radius, kernel = _KERNELS[self.kernel]
        c = 1.0 if self.kernel == "nearest" or not (self.antialias or self.kernel == "area") else min(self.scale, 1.0)
        # Counted from one, and in this order of operations, u is rounded as MATLAB's is.
        u = torch.arange(1, self.n_out + 1, dtype=torch.float64) / self.scale + 0.5 * (1 - 1 / self.scale)
        first = torch.floor(u - radius / c).long()
        index = first[:, None] + torch.arange(math.ceil(2 * radius / c) + 2)
        t = u[:, None] - index
        weight = _area(t, 1 / self.scale) if self.kernel == "area" else c * kernel(c * t)
        return inside(index - 1, self.n_in, self.boundary), weight / weight.sum(1, keepdim=True)

    def matrix(self) -> Float[Tensor, "n_out n_in"]:
        """The map as a dense float64 matrix."""
        index, weight = self.taps()
        return torch.zeros(self.n_out, self.n_in, dtype=torch.float64).scatter_add_(1, index, weight)


def enlarged(y: Float[Tensor, "b c i j"], scale: float) -> Float[Tensor, "b c h w"]:
    """Bicubic interpolation as MATLAB's imresize does it, to ⌈scale·m⌉ pixels a side."""
    for dim in (-2, -1):
        n = y.shape[dim]
        y = Resampler(n, resampled_length(n, scale), scale)(y, dim)
    return y


def _check(x: Tensor, dim: int, n: int) -> None:
    if dim not in (-2, -1):
        raise InvalidParameter.outside("dim", dim, "-2 (rows) or -1 (columns)")
    if x.shape[dim] != n:
        raise InvalidInput(f"this resampler takes {n} samples along the axis, not {x.shape[dim]}")


def _product(W: Tensor, x: Tensor, dim: int) -> Tensor:
    return W @ x if dim == -2 else x @ W.T


@lru_cache(maxsize=64)
def _blocks(resampler: Resampler, dtype: torch.dtype, device: torch.device) -> list[tuple[int, Tensor]]:
    """The band cut into dense blocks of consecutive outputs: the first input of each, and its weights."""
    with torch.inference_mode(False):  # what is cached must also serve calls that record gradients
        index, weight = resampler.taps()
        length = math.ceil(_BLOCK * max(resampler.scale, 1.0))
        blocks = []
        for rows, values in zip(index.split(length), weight.split(length)):
            start = int(rows.min())
            W = torch.zeros(len(rows), int(rows.max()) - start + 1, dtype=torch.float64)
            blocks.append((start, W.scatter_add_(1, rows - start, values).to(device, dtype)))
        return blocks


def _bicubic(t: Tensor) -> Tensor:
    """Keys 1981, a = −½."""
    t = t.abs()
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return torch.where(t <= 1, near, torch.where(t <= 2, far, 0.0))


def _bilinear(t: Tensor) -> Tensor:
    return (1 - t.abs()).clamp_min(0)


def _box(t: Tensor) -> Tensor:
    t = t + 1e-9  # a tap on the edge counts on the left side only, whatever u was rounded to
    return ((t >= -0.5) & (t < 0.5)).to(t.dtype)


def _area(t: Tensor, width: float) -> Tensor:
    """Overlap of the input pixel around 0 with the output pixel of that width around t."""
    right = (t + width / 2).clamp(-0.5, 0.5)
    left = (t - width / 2).clamp(-0.5, 0.5)
    return right - left


def _lanczos(lobes: int) -> Callable[[Tensor], Tensor]:
    def kernel(t: Tensor) -> Tensor:
        return torch.where(t.abs() < lobes, torch.sinc(t) * torch.sinc(t / lobes), 0.0)

    return kernel


_KERNELS: dict[str, tuple[float, Callable[[Tensor], Tensor]]] = {  # radius of support, k
    "bicubic": (2.0, _bicubic),
    "bilinear": (1.0, _bilinear),
    "box": (0.5, _box),
    "area": (1.0, _bilinear),
    "nearest": (0.5, _box),
    "lanczos2": (2.0, _lanczos(2)),
    "lanczos3": (3.0, _lanczos(3)),
}
