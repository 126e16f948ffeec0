from typing import get_args

import numpy as np
import pytest
import pywt
import torch

from restora.core.errors import InvalidParameter, UnknownName
from restora.frames.wavelet import WaveletTransform
from restora.frames.wavelet_filters import WaveletName, filter_bank

NAMES = get_args(WaveletName)
PYWT_MODE = {"periodic": "periodization", "reflect": "symmetric"}
PYWT_DIGITS = 2e-11  # it holds the symlets and bior4.4 to 12 digits, which three levels add up

every_bank = pytest.mark.parametrize("name", NAMES)
every_boundary = pytest.mark.parametrize("boundary", PYWT_MODE)
sizes = pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (3, 2), (16, 32), (17, 23), (40, 9)], ids=str)


def noise(shape, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape)).to(dtype)


def bands(pyramid):
    return [pyramid.approximation, *(detail[:, :, k] for detail in pyramid.details for k in range(3))]


@every_bank
def test_the_filters_are_those_of_pywavelets(name):
    bank, theirs = filter_bank(name), pywt.Wavelet(name)
    assert np.allclose(
        [bank.analysis_low, bank.analysis_high, bank.synthesis_low, bank.synthesis_high],
        theirs.filter_bank,
        rtol=0,
        atol=1e-12,
    )


@every_bank
@every_boundary
@sizes
@pytest.mark.filterwarnings("ignore:Level value of")
def test_the_coefficients_are_those_of_pywavelets(name, boundary, size):
    x = noise((2, 1, *size))
    pyramid = WaveletTransform(name, 3, boundary).forward(x)
    theirs = pywt.wavedec2(x.numpy(), name, PYWT_MODE[boundary], 3, axes=(-2, -1))
    expected = [theirs[0], *(band for level in reversed(theirs[1:]) for band in level)]
    for ours, band in zip(bands(pyramid), expected, strict=True):
        assert ours.shape == band.shape
        assert np.allclose(ours.numpy(), band, rtol=0, atol=PYWT_DIGITS)


@every_bank
@every_boundary
@sizes
def test_the_inverse_inverts(name, boundary, size):
    for dtype, tolerance in ((torch.float32, 5e-6), (torch.float64, 1e-13)):
        x = noise((2, 3, *size), dtype)
        transform = WaveletTransform(name, 3, boundary)
        back = transform.inverse(transform.forward(x))
        assert back.dtype == dtype
        assert torch.allclose(back, x, rtol=0, atol=tolerance)


@every_bank
@every_boundary
@pytest.mark.parametrize("size", [(1, 5), (18, 23)], ids=str)
def test_torch_and_numba_agree(name, boundary, size):
    x = noise((2, 2, *size))
    transform = WaveletTransform(name, 2, boundary)
    numba, torches = transform.forward(x), transform.forward(x.clone().requires_grad_())
    for ours, other in zip(bands(numba), bands(torches)):
        assert torch.allclose(ours, other, rtol=0, atol=1e-13)
    assert torch.allclose(transform.inverse(torches), transform.inverse(numba), rtol=0, atol=1e-13)


def test_the_threaded_kernels_are_the_serial_ones(monkeypatch):
    x = noise((3, 2, 37, 50))
    transform = WaveletTransform("sym8", 3)
    serial = transform.forward(x)
    back = transform.inverse(serial)
    monkeypatch.setattr("restora.frames.wavelet_cpu._SERIAL", 0)
    threaded = transform.forward(x)
    for ours, other in zip(bands(serial), bands(threaded)):
        assert torch.equal(ours, other)
    assert torch.equal(transform.inverse(threaded), back)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "bior4.4"])
def test_an_orthonormal_bank_keeps_the_norm_of_an_even_image(name):
    x = noise((1, 1, 24, 40))
    pyramid = WaveletTransform(name, 3, "periodic").forward(x)
    energy = sum(float(band.square().sum()) for band in bands(pyramid))
    assert energy == pytest.approx(float(x.square().sum()), rel=1e-14)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "bior4.4"])
def test_a_bank_of_2n_taps_has_n_vanishing_moments(name):
    high = np.array(filter_bank(name).analysis_high)
    k = np.arange(len(high)) - len(high) / 2
    for power in range(len(high) // 2):
        assert abs((high * k**power).sum()) < 1e-15 * (np.abs(high * k**power)).sum() + 1e-15


@every_bank
def test_the_noise_gains_are_the_norms_of_the_rows(name):
    # On a torus larger than any kernel all rows of a subband have one norm: the root of ‖Wⱼ‖²_F over their number.
    size, levels = 128, 2
    transform = WaveletTransform(name, levels, "periodic")
    impulses = torch.zeros(16, 1, size, size, dtype=torch.float64)
    for i in range(16):
        impulses[i, 0, 60 + i // 4, 60 + i % 4] = 1
    pyramid = transform.forward(impulses)  # the columns of W at each place of the coarsest grid
    for level, gains in enumerate(transform.noise_gains()):
        for k, gain in enumerate(gains):
            energy = float(pyramid.details[level][:, :, k].square().sum()) * 4 ** (level + 1) / 16
            assert gain == pytest.approx(energy**0.5, rel=1e-9)


@every_boundary
def test_gradients_pass(boundary):
    x = noise((1, 1, 5, 6)).requires_grad_()
    transform = WaveletTransform("db2", 1, boundary)
    assert torch.autograd.gradcheck(lambda x: transform.forward(x).details[0], (x,))
    assert torch.autograd.gradcheck(lambda x: transform.inverse(transform.forward(x)), (x,))


def test_no_levels_leave_the_image():
    x = noise((1, 1, 3, 4))
    transform = WaveletTransform("haar", 0)
    assert torch.equal(transform.forward(x).approximation, x)
    assert torch.equal(transform.inverse(transform.forward(x)), x)


def test_what_does_not_exist_is_refused():
    with pytest.raises(InvalidParameter, match="levels"):
        WaveletTransform("haar", -1)
    with pytest.raises(UnknownName, match="sym8"):
        filter_bank("sym9")
