"""Transfer functions of point spread functions, and lengths for which the FFT is fast."""

from functools import lru_cache

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from restora.core.operator import Size


def psf_centre(psf: Float[Tensor, "kh kw"]) -> tuple[int, int]:
    """Row and column of the centre: ⌊k/2⌋, also where a side is even."""
    return psf.shape[0] // 2, psf.shape[1] // 2


def psf_to_otf(psf: Float[Tensor, "kh kw"], size: Size) -> Complex[Tensor, "h g"]:
    """Transfer function K of ``psf`` on images of that size, as ``torch.fft.rfft2`` lays it out: (h, w // 2 + 1).

    irfft2(K · rfft2(x)) is the circular convolution y[n] = Σ_m psf[m] x[n − m + centre]. A PSF larger than the image
    wraps round it, as circular convolution does.
    """
    for dim, (n, centre) in enumerate(zip(size, psf_centre(psf))):
        index = (torch.arange(psf.shape[dim], device=psf.device) - centre).remainder(n)
        shape = (n, psf.shape[1]) if dim == 0 else (psf.shape[0], n)
        psf = psf.new_zeros(shape).index_add(dim, index, psf)
    return torch.fft.rfft2(psf)


def psf_values(psfs: Float[Tensor, "*r kh kw"]) -> bytes:
    """The values of PSFs as float64, for :func:`kept_otfs`."""
    return psfs.detach().cpu().double().numpy().tobytes()


@lru_cache(maxsize=4)
def kept_otfs(
    values: bytes, shape: Size, sizes: tuple[Size, ...], dtype: torch.dtype, device: torch.device
) -> tuple[Complex[Tensor, "h g"], ...]:
    """Transfer functions of r PSFs of these values and this shape on images of these sizes; the last four are kept.

    Iterations need the same ones over and over, and they cost half as much as applying a blur.
    """
    with torch.inference_mode(False):  # what is kept must also serve calls that record gradients
        psfs = torch.frombuffer(bytearray(values), dtype=torch.float64).reshape(-1, *shape).to(device, dtype)
        return tuple(psf_to_otf(psf, size) for psf, size in zip(psfs, sizes))


@lru_cache(maxsize=1024)
def fast_length(n: int, primes: tuple[int, ...] = (2, 3, 5, 7)) -> int:
    """The smallest product of ``primes`` that is at least n: Fourier transforms of that length are fast.

    ``scipy.fft.next_fast_len`` allows either 2, 3, 5 or up to 11, and results depend on the length where an image is
    extended to it.
    """
    while not _is_product(n, primes):
        n += 1
    return n


def _is_product(n: int, primes: tuple[int, ...]) -> bool:
    for prime in primes:
        while n % prime == 0:
            n //= prime
    return n == 1
