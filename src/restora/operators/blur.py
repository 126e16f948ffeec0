"""Blur: convolution with one point spread function, and what lies beyond the border."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional as F

from restora.core.errors import InvalidInput, UnknownName
from restora.core.operator import Operator, Size
from restora.operators import perron
from restora.operators.boundaries import extend, extend_adjoint
from restora.operators.fourier import fast_length, kept_otfs, psf_centre, psf_to_otf, psf_values

Boundary = Literal["circular", "reflect", "replicate", "valid"]


@dataclass(frozen=True, eq=False)
class Blur(Operator):
    """y[n] = Σ_m psf[m] x[n − m + centre], centre = ⌊k/2⌋: a true convolution (the kernel flipped, not correlated).

    All boundaries go through the FFT, at O(N log N) whatever the kernel: on a CPU this beats torch's direct convolution
    from 3 × 3 on. It is circular on the image itself, else on the extended image at a length without prime factors
    above 7, where the wrap falls outside what is kept.

    The proximal problem is solved exactly in the Fourier domain for ``circular``; for ``reflect`` with a PSF that is
    even along both axes the mirrored image (2h × 2w) makes the problem circular (this is the DCT's diagonalisation);
    otherwise by conjugate gradients. The norm is exact in the same cases.

    Args:
        psf: point spread function of any size, sum one.
        boundary: ``circular``; ``reflect`` (half-sample symmetric); ``replicate``; or ``valid``: nothing is assumed
            beyond the border, y has h − kh + 1 rows and w − kw + 1 columns.

    Raises:
        InvalidInput: the PSF is not a finite two-dimensional array with sum one; or, when applied with ``valid``, it is
            larger than the image.
        UnknownName: no such boundary.
    """

    psf: Float[Tensor, "kh kw"]
    boundary: Boundary = "circular"
    _values: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_psf(self.psf)
        object.__setattr__(self, "_values", psf_values(self.psf))
        if self.boundary not in get_args(Boundary):
            raise UnknownName.among("boundary", self.boundary, get_args(Boundary))

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        h, w = self.output_size((x.shape[-2], x.shape[-1]))
        if self.boundary == "circular":
            return filtered(x, self.otf((h, w), x), (h, w))
        (top, left), _ = self._margins
        if self.boundary != "valid":
            x = extend(x, *self._margins, self.boundary)
        size = fast_length(x.shape[-2]), fast_length(x.shape[-1])
        return filtered(x, self.otf(size, x), size)[..., top : top + h, left : left + w]

    def adjoint(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        size = y.shape[-2], y.shape[-1]
        if self.boundary == "circular":
            return filtered(y, self.otf(size, y).conj(), size)
        (top, left), (bottom, right) = self._margins
        y = F.pad(y, (left, right, top, bottom))
        h, w = y.shape[-2:]
        size = fast_length(h), fast_length(w)
        x = filtered(y, self.otf(size, y).conj(), size)[..., :h, :w]
        return x if self.boundary == "valid" else extend_adjoint(x, *self._margins, self.boundary)

    def output_size(self, size: Size) -> Size:
        if self.boundary != "valid":
            return size
        h, w = size[0] - self.psf.shape[0] + 1, size[1] - self.psf.shape[1] + 1
        if h < 1 or w < 1:
            raise InvalidInput(
                f"a PSF of {tuple(self.psf.shape)} leaves nothing of an image of {size} with the boundary 'valid'"
            )
        return h, w

    def input_size(self, size: Size) -> Size:
        if self.boundary != "valid":
            return size
        return size[0] + self.psf.shape[0] - 1, size[1] + self.psf.shape[1] - 1

    def otf(self, size: Size, like: Tensor | None = None) -> Complex[Tensor, "h g"]:
        """Transfer function K on images of that size, (h, w // 2 + 1) as rfft2 has it.

        It has the precision and device of ``like``, or of the PSF.
        """
        like = self.psf if like is None else like
        if self.psf.requires_grad:
            return psf_to_otf(self.psf.to(like), size)
        return kept_otfs(self._values, (self.psf.shape[0], self.psf.shape[1]), (size,), like.dtype, like.device)[0]

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b c i j"], rho: float) -> Float[Tensor, "b c h w"]:
        """X = (K̄Y + ρZ) / (|K|² + ρ) where Fourier diagonalises H; conjugate gradients elsewhere."""
        if self.boundary == "circular":
            return self._circular_prox(z, y, rho)
        if self._is_even_reflect:
            h, w = z.shape[-2:]
            z, y = (extend(u, (0, 0), (h, w), "reflect") for u in (z, y))
            return self._circular_prox(z, y, rho)[..., :h, :w]
        return super().prox(z, y, rho)

    @property
    def exact_prox(self) -> bool:
        return self.boundary == "circular"

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        """max |K| where Fourier diagonalises H, and for ``valid``, which is a part of a circular blur.

        Elsewhere it is the bound of Collatz and Wielandt for the magnitudes of the PSF, taken on an image of no more
        than ten times the PSF, in the middle of which the border has no influence: a larger one has the same quotients.
        """
        psf = self.psf.detach().cpu().double()
        total, is_even_reflect = float(psf.abs().sum()), self._is_even_reflect
        if self.boundary in ("circular", "valid") or is_even_reflect:
            if bool((psf >= 0).all()):
                return total
            grid = (2 * size[0], 2 * size[1]) if is_even_reflect else size
            return float(psf_to_otf(psf, grid)[: size[0], : size[1]].abs().max())
        h, w = (min(n, 2 * perron.QUOTIENTS * (k - 1) + 1) for n, k in zip(size, psf.shape))
        return total * perron.nonnegative_norm_bound(Blur(psf.abs() / total, self.boundary), (h, w))

    def first_guess(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        """y where the blur keeps the size; the general form for ``valid``."""
        return super().first_guess(y) if self.boundary == "valid" else y

    @property
    def reach(self) -> int | None:
        return None if self.boundary == "circular" else max(psf_centre(self.psf))

    @property
    def _margins(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows and columns by which x reaches beyond y, before and after."""
        (kh, kw), (ch, cw) = self.psf.shape, psf_centre(self.psf)
        return (kh - 1 - ch, kw - 1 - cw), (ch, cw)

    @property
    def _is_even_reflect(self) -> bool:
        k = self.psf
        odd = k.shape[0] % 2 == 1 and k.shape[1] % 2 == 1
        return self.boundary == "reflect" and odd and torch.equal(k, k.flip(0)) and torch.equal(k, k.flip(1))

    def _circular_prox(self, z: Tensor, y: Tensor, rho: float) -> Tensor:
        size = z.shape[-2], z.shape[-1]
        K = self.otf(size, z)
        Y, Z = torch.fft.rfft2(y), torch.fft.rfft2(z)
        return torch.fft.irfft2((K.conj() * Y + rho * Z) / (K.abs().square() + rho), s=size)


def check_psf(psf: Tensor) -> None:
    """Refuse a tensor that is no PSF.

    Raises:
        InvalidInput: it is not a finite floating-point tensor (kh, kw) with sum one.
    """
    if psf.ndim != 2 or psf.numel() == 0 or not psf.is_floating_point():
        raise InvalidInput(f"a PSF must be a floating-point tensor (kh, kw), not {psf.dtype} of {tuple(psf.shape)}")
    total = float(psf.detach().sum(dtype=torch.float64))
    if not abs(total - 1) < 1e-3:  # also refuses NaN
        raise InvalidInput(f"a PSF must be finite and sum to one; this one sums to {total:.6g}: divide it by its sum")


def filtered(x: Tensor, transfer: Tensor, size: Size) -> Tensor:
    """Circular convolution on a grid of that size; x is filled up with zeros."""
    return torch.fft.irfft2(torch.fft.rfft2(x, s=size) * transfer, s=size)
