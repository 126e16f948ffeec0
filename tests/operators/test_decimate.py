import numpy as np
import pytest
import torch
from scipy import ndimage

from restora.core.errors import InvalidParameter
from restora.operators.decimate import BlurDecimate, Decimate


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_it_is_a_circular_convolution_and_every_sth_pixel(scale):
    rng = np.random.default_rng(0)
    x, psf = rng.random((12, 18)), rng.random((5, 3))
    psf /= psf.sum()
    expected = ndimage.convolve(x, psf, mode="wrap")[::scale, ::scale]
    y = BlurDecimate(torch.from_numpy(psf), scale)(torch.from_numpy(x)[None, None])
    np.testing.assert_allclose(y[0, 0].numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("rho", [1e-3, 0.5])
def test_prox_is_the_closed_form_of_zhao_et_al(rho):
    """x = (1/ρ) F* (r − Λ̲ᴴ (ρ s² I + Λ̲Λ̲ᴴ)⁻¹ Λ̲ r), r = F(Hᵀy + ρz), Λ̲ the aliasing blocks side by side."""
    rng, s, m = np.random.default_rng(1), 3, 4
    n = s * m
    psf, z, y = rng.random((5, 5)), rng.random((n, n)), rng.random((m, m))
    psf /= psf.sum()
    kernel = np.zeros((n, n))
    kernel[:5, :5] = psf
    K = np.fft.fft2(np.roll(kernel, (-2, -2), (0, 1)))
    up = np.zeros((n, n))
    up[::s, ::s] = y
    r = np.conj(K) * np.fft.fft2(up) + rho * np.fft.fft2(z)
    blocks = lambda a: a.reshape(s, m, s, m)  # noqa: E731
    ratio = blocks(K * r).sum((0, 2)) / (rho * s * s + blocks(abs(K) ** 2).sum((0, 2)))
    expected = np.fft.ifft2((r - np.conj(K) * np.tile(ratio, (s, s))) / rho).real
    ours = BlurDecimate(torch.from_numpy(psf), s).prox(*(torch.from_numpy(a)[None, None] for a in (z, y)), rho)
    np.testing.assert_allclose(ours[0, 0].numpy(), expected, rtol=1e-9)


def test_scales_below_one_are_refused():
    for make in (Decimate, lambda s: BlurDecimate(torch.ones(1, 1), s)):
        with pytest.raises(InvalidParameter, match="scale = 0"):
            make(0)
