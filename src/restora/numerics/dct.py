"""The orthonormal cosine transform DCT-II of images, and its inverse: SciPy on the CPU, Torch's FFT elsewhere.

The DCT-II is the Fourier transform of an image extended by ``reflect`` (edge sample repeated): it turns symmetric
convolution with that border, and the Neumann Laplacian, into a product.
"""

import math

import torch
from jaxtyping import Float
from scipy import fft
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels


def dct2(x: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch h w"]:
    """X[k, l] = a_k a_l Σ_ij x[i, j] cos(πk(2i + 1)/2h) cos(πl(2j + 1)/2w), a_0 = √(1/n), else a = √(2/n).

    The last two axes are transformed, and ⟨X, X⟩ = ⟨x, x⟩. Gradients flow. Cost: that of two FFTs.
    """
    if runs_on_cpu_kernels(x):
        return torch.from_numpy(fft.dctn(x.numpy(), axes=(-2, -1), norm="ortho"))
    return _dct(_dct(x, -1), -2)


def idct2(X: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch h w"]:
    """The inverse of :func:`dct2`, which is its transpose."""
    if runs_on_cpu_kernels(X):
        return torch.from_numpy(fft.idctn(X.numpy(), axes=(-2, -1), norm="ortho"))
    return _idct(_idct(X, -1), -2)


def _dct(x: Tensor, dim: int) -> Tensor:
    """By an FFT of the same length: even samples forwards, odd ones backwards, then a turn by −πk/2n (Makhoul 1980)."""
    x = x.movedim(dim, -1)
    turned = torch.fft.fft(torch.cat((x[..., ::2], x[..., 1::2].flip(-1)), -1)) * _turns(x, -1)
    return (turned.real * _scales(x)).movedim(-1, dim)


def _idct(X: Tensor, dim: int) -> Tensor:
    X = X.movedim(dim, -1)
    n = X.shape[-1]
    real = X / _scales(X)
    imaginary = torch.cat((torch.zeros_like(real[..., :1]), -real[..., 1:].flip(-1)), -1)
    samples = torch.fft.ifft(torch.complex(real, imaginary) * _turns(X, 1)).real
    even, odd = samples[..., : (n + 1) // 2], samples[..., (n + 1) // 2 :].flip(-1)
    index = torch.arange(n, device=X.device)
    order = torch.where(index % 2 == 0, index // 2, (n + 1) // 2 + index // 2)
    return torch.cat((even, odd), -1)[..., order].movedim(-1, dim)


def _turns(like: Tensor, sign: int) -> Tensor:
    n = like.shape[-1]
    angle = torch.arange(n, dtype=like.dtype, device=like.device) * (sign * math.pi / (2 * n))
    return torch.polar(torch.ones_like(angle), angle)


def _scales(like: Tensor) -> Tensor:
    n = like.shape[-1]
    scales = torch.full((n,), math.sqrt(2 / n), dtype=like.dtype, device=like.device)
    scales[0] = math.sqrt(1 / n)
    return scales
