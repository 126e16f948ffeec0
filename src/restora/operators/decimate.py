"""Decimate: every s-th pixel; BlurDecimate: a circular blur before it, the classical model of super-resolution."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidInput, InvalidParameter
from restora.core.operator import Operator, Size
from restora.operators.blur import Blur
from restora.operators.resampling import enlarged


@dataclass(frozen=True, eq=False)
class Decimate(Operator):
    """S: y[i, j] = x[si, sj]. SSᵀ = I.

    Args:
        scale: s, an integer >= 1; the sides of x must be multiples of it.

    Raises:
        InvalidParameter: s < 1.
        InvalidInput: applied to an image whose sides are no multiples of s.
    """

    scale: int

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise InvalidParameter.outside("scale", self.scale, ">= 1")

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        self.output_size((x.shape[-2], x.shape[-1]))
        return x[..., :: self.scale, :: self.scale]

    def adjoint(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        x = y.new_zeros(*y.shape[:2], *self.input_size((y.shape[-2], y.shape[-1])))
        x[..., :: self.scale, :: self.scale] = y
        return x

    def output_size(self, size: Size) -> Size:
        s = self.scale
        if size[0] % s or size[1] % s:
            raise InvalidInput(f"the sides of an image of {size} are no multiples of {s}: crop it to multiples")
        return size[0] // s, size[1] // s

    def input_size(self, size: Size) -> Size:
        return size[0] * self.scale, size[1] * self.scale

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b c i j"], rho: float) -> Float[Tensor, "b c h w"]:
        """z + Sᵀ(y − Sz) / (1 + ρ)."""
        return z + self.adjoint((y - self(z)) / (1 + rho))

    @property
    def exact_prox(self) -> bool:
        return True

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        return 1.0

    def first_guess(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        """Bicubic interpolation, moved to where the pixels were measured."""
        return _at_first_pixels(enlarged(y, self.scale), self.scale)

    @property
    def stride(self) -> int:
        return self.scale

    @property
    def reach(self) -> int:
        return 0


@dataclass(frozen=True, eq=False)
class BlurDecimate(Operator):
    """H = SB: circular convolution with ``psf``, then every s-th pixel from the first.

    HHᵀ is a circular convolution on the coarse grid. Its transfer function is the mean of the s² blocks of |K|² that
    alias into one another, so the proximal problem has a closed form (Zhao et al. 2016) at the price of four FFTs.

    Args:
        psf: point spread function, sum one, centre ⌊k/2⌋.
        scale: s, an integer >= 1; the sides of x must be multiples of it.

    Raises:
        InvalidParameter: s < 1.
        InvalidInput: no PSF; or applied to an image whose sides are no multiples of s.

    Departure from the paper: the solution is written as z plus a correction made of y − Hz, equal to theirs by the same
    matrix inversion lemma, but without their division by ρ, which costs digits where ρ is small.

    Reference: N. Zhao, Q. Wei, A. Basarab, N. Dobigeon, D. Kouamé, J.-Y. Tourneret, "Fast single image super-resolution
    using a new analytical solution for ℓ2-ℓ2 problems", IEEE TIP 25(8), 2016, doi:10.1109/TIP.2016.2567075.
    """

    psf: Float[Tensor, "kh kw"]
    scale: int

    blur: Blur = field(init=False, repr=False)
    decimate: Decimate = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "blur", Blur(self.psf, "circular"))
        object.__setattr__(self, "decimate", Decimate(self.scale))

    def __call__(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        self.output_size((x.shape[-2], x.shape[-1]))
        return self.decimate(self.blur(x))

    def adjoint(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        return self.blur.adjoint(self.decimate.adjoint(y))

    def output_size(self, size: Size) -> Size:
        return self.decimate.output_size(size)

    def input_size(self, size: Size) -> Size:
        return self.decimate.input_size(size)

    def prox(self, z: Float[Tensor, "b c h w"], y: Float[Tensor, "b c i j"], rho: float) -> Float[Tensor, "b c h w"]:
        """z + Hᵀ (HHᵀ + ρI)⁻¹ (y − Hz), the inverse in the Fourier domain of the coarse grid."""
        gram = self._gram((z.shape[-2], z.shape[-1]), z)
        residual = torch.fft.rfft2(y - self(z))
        return z + self.adjoint(torch.fft.irfft2(residual / (gram + rho), s=y.shape[-2:]))

    @property
    def exact_prox(self) -> bool:
        return True

    def norm_bound(self, size: Size, channels: int = 1) -> float:
        """‖H‖, from the transfer function of HHᵀ."""
        return float(self._gram(size, self.psf.detach().double()).max()) ** 0.5

    def first_guess(self, y: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c h w"]:
        """The first guess of S: bicubic interpolation, moved to where the pixels were measured."""
        return self.decimate.first_guess(y)

    @property
    def stride(self) -> int:
        return self.scale

    def _gram(self, size: Size, like: Tensor) -> Tensor:
        """Transfer function of HHᵀ: decimating the autocorrelation of the PSF folds the aliased blocks of |K|²."""
        s = self.scale
        autocorrelation = torch.fft.irfft2(self.blur.otf(size, like).abs().square(), s=size)
        return torch.fft.rfft2(autocorrelation[::s, ::s]).real.clamp_min(0)


def _at_first_pixels(x: Tensor, scale: int) -> Tensor:
    """x moved up and to the left by (scale − 1)/2 pixels, half pixels by linear interpolation.

    Interpolation puts a pixel of y in the middle of its block of scale×scale pixels. It was measured at the first pixel
    of the block, and this moves it there; the last row and column are repeated.
    """
    for dim in (-2, -1):
        n = x.shape[dim]
        places = torch.arange(n, device=x.device)
        before, after = ((places + step).clamp_max(n - 1) for step in ((scale - 1) // 2, scale // 2))
        x = (x.index_select(dim, before) + x.index_select(dim, after)) / 2
    return x
