import numpy as np
import pytest
import pywt
import torch

from restora.core.errors import InvalidParameter
from restora.frames.undecimated_wavelet import UndecimatedWavelet


def noise(*shape):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape))


@pytest.mark.parametrize("name", ["haar", "db2", "sym8"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (32, 16)], ids=str)
def test_the_adjoint_inverts(name, size):
    frame = UndecimatedWavelet(name, 3)
    x = noise(2, 3, *size)
    coefficients = frame.forward(x)
    assert coefficients.shape == (2, 3, 10, *size)
    assert torch.allclose(frame.adjoint(coefficients), x, rtol=0, atol=1e-13)
    assert float(coefficients.square().sum()) == pytest.approx(float(x.square().sum()), rel=1e-13)


def test_the_adjoint_is_the_adjoint():
    frame = UndecimatedWavelet("db4", 2)
    x, y = noise(1, 1, 9, 12), noise(1, 1, 7, 9, 12)
    assert float((frame.forward(x) * y).sum()) == pytest.approx(float((x * frame.adjoint(y)).sum()), rel=1e-11)


@pytest.mark.parametrize("name", ["haar", "db2", "sym4"])
def test_the_bands_are_those_of_pywavelets_up_to_a_shift(name):
    x = noise(1, 1, 32, 32)
    ours = UndecimatedWavelet(name, 2).forward(x)[0, 0]
    (approximation, coarse, fine) = pywt.swt2(x[0, 0].numpy(), name, 2, trim_approx=True, norm=True)
    for band, theirs in zip(ours, (*fine, *coarse, approximation), strict=True):
        # Same magnitudes of the spectrum: a circular shift changes phases only; reversal of the kernels their sign.
        assert np.allclose(np.abs(np.fft.fft2(band.numpy())), np.abs(np.fft.fft2(theirs)), rtol=0, atol=1e-10)


def test_it_moves_with_the_image():
    frame = UndecimatedWavelet("db2", 3)
    x = noise(1, 1, 24, 20)
    moved = frame.forward(x.roll((1, 3), (-2, -1)))
    assert torch.allclose(moved, frame.forward(x).roll((1, 3), (-2, -1)), rtol=0, atol=1e-14)


def test_noise_halves_at_each_level():
    bands = UndecimatedWavelet("haar", 3).forward(noise(1, 1, 256, 256))[0, 0]
    for level in range(3):
        for k in range(3):
            assert float(bands[3 * level + k].std()) == pytest.approx(0.5 ** (level + 1), rel=0.06)


def test_a_biorthogonal_bank_is_refused():
    with pytest.raises(InvalidParameter, match="orthonormal"):
        UndecimatedWavelet("bior4.4")
