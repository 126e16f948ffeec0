import numpy as np
import pytest
import torch
from scipy import ndimage

from restora.operators.fourier import fast_length, psf_to_otf


@pytest.mark.parametrize("shape", [(3, 3), (4, 5), (9, 2)])
@pytest.mark.parametrize("size", [(8, 9), (7, 6), (3, 1)])
def test_the_transfer_function_convolves_circularly_also_where_the_psf_is_larger(shape, size):
    rng = np.random.default_rng(0)
    psf, x = rng.random(shape), rng.random(size)
    K = psf_to_otf(torch.from_numpy(psf), size)
    assert K.shape == (size[0], size[1] // 2 + 1)
    y = torch.fft.irfft2(torch.fft.rfft2(torch.from_numpy(x)) * K, s=size)
    np.testing.assert_allclose(y.numpy(), ndimage.convolve(x, psf, mode="wrap"), rtol=1e-12)


def test_a_centred_impulse_has_the_transfer_function_one():
    for shape in ((3, 5), (4, 4)):
        psf = torch.zeros(shape, dtype=torch.float64)
        psf[shape[0] // 2, shape[1] // 2] = 1
        assert torch.allclose(psf_to_otf(psf, (9, 8)), torch.ones(9, 5, dtype=torch.complex128))


def test_fast_lengths_are_the_products_of_small_primes():
    smooth = sorted(
        {2**a * 3**b * 5**c * 7**d for a in range(15) for b in range(9) for c in range(7) for d in range(6)}
    )
    for n in [*range(1, 600), 10_007, 16_385]:
        assert fast_length(n) == next(m for m in smooth if m >= n)


def test_fast_lengths_of_odd_primes_only():
    odd = sorted({3**a * 5**b * 7**c for a in range(8) for b in range(6) for c in range(5)})
    for n in range(1, 600):
        assert fast_length(n, (3, 5, 7)) == next(m for m in odd if m >= n)
