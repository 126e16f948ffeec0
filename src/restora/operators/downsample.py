"""Downsample: reduction by MATLAB's imresize, antialiased; the operator of the super-resolution benchmarks."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import eigvals_banded
from scipy.sparse import csr_array
from torch import Tensor

from restora.core.conjugate_gradient import conjugate_gradient
from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Operator, Size
from restora.operators.boundaries import Extension
from restora.operators.resampling import Kernel, Resampler, enlarged, resampled_length

_LONGEST_GRAM = 1024  # rows of AAᵀ up to which its eigenvectors are worth their O(m³)


@dataclass(frozen=True, eq=False)
class Downsample(Operator):
    """H = A ⊗ B: each axis is resampled by 1/scale with the antialiased weights of :class:`Resampler`.

    Its adjoint is the transpose of the weights. imresize with the reciprocal scale is scale² times that where the scale
    is an integer that divides the size, the kernel bicubic and the boundary ``reflect``; elsewhere, in general, not. As
    HHᵀ = AAᵀ ⊗ BBᵀ, two small symmetric eigenproblems (once a size) diagonalise it, and the proximal problem is solved
    exactly while the sides of y are at most 1024; above, conjugate gradients run on the coarse grid.

    Args:
        scale: reduction factor > 1, an integer or not; y has ⌈n / scale⌉ pixels a side.
        kernel: as for :class:`Resampler`.
        size: height and width of x. None means that x is as large as y allows with an exact fit: ⌊scale · m⌋ pixels for
            m of y, that is ``scale`` × the size of y for integers.
        boundary: as for :class:`Resampler`.

    Raises:
        InvalidParameter: a scale of 1 or less.
        UnknownName: no such kernel.
        InvalidInput: x or y has not the size that belongs to ``size``; without ``size``, the size of x does not
            follow from that of y (crop it, or give ``size``).
    """

    scale: float
    kernel: Kernel = "bicubic"
    size: Size | None = None
    boundary: Extension = "reflect"

    def __post_init__(self) -> None:
        if not 1 < self.scale < float("inf"):
            raise InvalidParameter.outside("scale", self.scale, "> 1")
        if self.size is not None and min(self.size) < 1:
            raise InvalidParameter.outside("size", self.size, "None or two numbers >= 1")
        self._axis(1)

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        size = x.shape[-2], x.shape[-1]
        if size != self.input_size(self.output_size(size)):
            hint = f"crop it to {self.input_size(self.output_size(size))} or give size={size}"
            raise InvalidInput(
                f"an image of {size} is not what Downsample({self.scale}, size={self.size}) takes: {hint}"
            )
        A, B = self._axes(size)
        return B(A(x, -2), -1)

    def adjoint(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        A, B = self._axes(self.input_size((y.shape[-2], y.shape[-1])))
        return A.adjoint(B.adjoint(y, -1), -2)

    def output_size(self, size: Size) -> Size:
        return resampled_length(size[0], 1 / self.scale), resampled_length(size[1], 1 / self.scale)

    def input_size(self, size: Size) -> Size:
        if self.size is None:
            return int(size[0] * self.scale + 1e-9), int(size[1] * self.scale + 1e-9)
        if self.output_size(self.size) != size:
            raise InvalidInput(f"an image of {self.size} reduced {self.scale} times is not of {size}")
        return self.size

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b c i j"], rho: float) -> Float[Tensor, "b c h w"]:
        """z + Hᵀ (HHᵀ + ρI)⁻¹ (y − Hz); the inverse in the eigenvectors of AAᵀ and BBᵀ."""
        A, B = self._axes((z.shape[-2], z.shape[-1]))
        r = y - self(z)
        if max(A.n_out, B.n_out) <= _LONGEST_GRAM:
            (a, U), (b, V) = ((t.to(z) for t in _eigen(axis)) for axis in (A, B))
            q = U @ (U.T @ r @ V / (torch.outer(a, b) + rho)) @ V.T
        else:
            q = conjugate_gradient(lambda u: self(self.adjoint(u)) + rho * u, r, torch.zeros_like(r))
        return z + self.adjoint(q)

    @property
    def exact_prox(self) -> bool:
        return True

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        """‖A‖ ‖B‖, exact."""
        A, B = self._axes(size)
        return _norm(A) * _norm(B)

    def first_guess(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        """Bicubic interpolation; of ⌈scale·m⌉ pixels, the surplus at the right and below is left out."""
        height, width = self.input_size((y.shape[-2], y.shape[-1]))
        return enlarged(y, self.scale)[..., :height, :width]

    @property
    def stride(self) -> int | None:
        return int(self.scale) if float(self.scale).is_integer() else None

    @property
    def reach(self) -> int | None:
        """Half the kernel's support on the coarse grid; None for scales whose phase changes from pixel to pixel."""
        return None if self.stride is None else self._axis(1).radius

    def window(self, top: int, left: int, height: int, width: int) -> Operator:
        if self.reach is None or self.size is None:
            return super().window(top, left, height, width)
        s = int(self.scale)
        rows, columns = min(height * s, self.size[0] - top * s), min(width * s, self.size[1] - left * s)
        return Downsample(self.scale, self.kernel, (rows, columns), self.boundary)

    def _axes(self, size: Size) -> tuple[Resampler, Resampler]:
        return self._axis(size[0]), self._axis(size[1])

    def _axis(self, n: int) -> Resampler:
        c = 1 / self.scale
        return Resampler(n, resampled_length(n, c), c, self.kernel, boundary=self.boundary)


@lru_cache(maxsize=8)
def _eigen(axis: Resampler) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of AAᵀ, float64."""
    with torch.inference_mode(False):
        A = axis.matrix()
        values, vectors = torch.linalg.eigh(A @ A.T)
        return values.clamp_min(0), vectors


@lru_cache(maxsize=64)
def _norm(axis: Resampler) -> float:
    """‖A‖, from the largest eigenvalue of the band AAᵀ: O(m²) for m outputs."""
    index, weight = (t.numpy() for t in axis.taps())
    m = axis.n_out
    rows = np.repeat(np.arange(m), index.shape[1])
    A = csr_array((weight.ravel(), (rows, index.ravel())), shape=(m, axis.n_in))
    gram = (A @ A.T).tocoo()
    lower = gram.row >= gram.col
    band = np.zeros((int((gram.row - gram.col).max()) + 1, m))
    band[(gram.row - gram.col)[lower], gram.col[lower]] = gram.data[lower]
    return float(eigvals_banded(band, lower=True, select="i", select_range=(m - 1, m - 1))[0]) ** 0.5
