from typing import get_args

import numpy as np
import pytest
import pywt
import torch

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.frames import wavelet_cpu
from restora.frames.wavelet import WaveletTransform, fitting_levels
from restora.frames.wavelet_filters import WaveletName, filter_bank

NAMES = get_args(WaveletName)
PYWT_MODE = {"periodic": "periodization", "reflect": "symmetric"}
PYWT_DIGITS = 2e-11  # it holds the symlets and bior4.4 to 12 digits, which three levels add up

every_bank = pytest.mark.parametrize("name", NAMES)
every_boundary = pytest.mark.parametrize("boundary", PYWT_MODE)
sizes = pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (3, 2), (16, 32), (17, 23), (40, 9)], ids=str)


def noise(shape, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape)).to(dtype)


def planes(bands):
    return [bands[0], *(detail[:, :, k] for detail in bands[1:] for k in range(3))]


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
    bands = WaveletTransform(name, 3, boundary).analysis(x)
    theirs = pywt.wavedec2(x.numpy(), name, PYWT_MODE[boundary], 3, axes=(-2, -1))
    expected = [theirs[0], *(band for level in theirs[1:] for band in level)]
    for ours, band in zip(planes(bands), expected, strict=True):
        assert ours.shape == band.shape
        assert np.allclose(ours.numpy(), band, rtol=0, atol=PYWT_DIGITS)


@every_bank
@every_boundary
@sizes
def test_the_inverse_inverts(name, boundary, size):
    for dtype, tolerance in ((torch.float32, 5e-6), (torch.float64, 1e-13)):
        x = noise((2, 3, *size), dtype)
        transform = WaveletTransform(name, 3, boundary)
        back = transform.synthesis(transform.analysis(x), size)
        assert back.dtype == dtype
        assert torch.allclose(back, x, rtol=0, atol=tolerance)


def test_the_threaded_kernels_are_the_serial_ones(monkeypatch):
    x = noise((3, 2, 37, 50))
    transform = WaveletTransform("sym8", 3)
    serial = transform.analysis(x)
    back = transform.synthesis(serial, (37, 50))
    for kernel in (wavelet_cpu._analyse, wavelet_cpu._synthesise):
        monkeypatch.setattr(kernel, "least", 0)
    threaded = transform.analysis(x)
    assert all(torch.equal(ours, other) for ours, other in zip(serial, threaded, strict=True))
    assert torch.equal(transform.synthesis(threaded, (37, 50)), back)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "bior4.4"])
def test_an_orthonormal_bank_gives_an_orthonormal_transform_where_all_sides_are_even(name):
    x, size = noise((1, 1, 24, 40)), (24, 40)
    transform = WaveletTransform(name, 3, "periodic")
    bands = transform.analysis(x)
    assert sum(float(band.square().sum()) for band in bands) == pytest.approx(float(x.square().sum()), rel=1e-14)
    assert all(torch.allclose(norms, torch.ones_like(norms), rtol=1e-13) for norms in transform.norms(size))
    c = tuple(noise(band.shape) for band in bands)
    products = [float((a * b).sum()) for a, b in zip(bands, c)]
    assert sum(products) == pytest.approx(float((x * transform.synthesis(c, size)).sum()), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "bior4.4"])
def test_a_bank_of_2n_taps_has_n_vanishing_moments(name):
    high = np.array(filter_bank(name).analysis_high)
    k = np.arange(len(high)) - len(high) / 2
    for power in range(len(high) // 2):
        assert abs((high * k**power).sum()) < 1e-15 * (np.abs(high * k**power)).sum() + 1e-15


@every_bank
@every_boundary
@pytest.mark.parametrize("size", [(9, 40), (1, 6)], ids=str)
def test_the_norms_are_those_of_the_rows(name, boundary, size):
    transform = WaveletTransform(name, 3, boundary)
    h, w = size
    columns = transform.analysis(torch.eye(h * w, dtype=torch.float64).reshape(h * w, 1, h, w))
    for band, norms in zip(columns, transform.norms(size), strict=True):
        rows = band.square().sum(dim=0).sqrt()[0]
        assert torch.allclose(norms.expand_as(rows), rows, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("size", "levels"), [((1, 50), 0), ((2, 3), 1), ((31, 40), 4), ((32, 32), 5), ((999, 999), 6)])
def test_levels_fit_the_shorter_side(size, levels):
    assert fitting_levels(6, size) == levels


def test_no_levels_leave_the_image():
    x = noise((1, 1, 3, 4))
    transform = WaveletTransform("haar", 0)
    assert torch.equal(transform.analysis(x)[0], x)
    assert torch.equal(transform.synthesis(transform.analysis(x), (3, 4)), x)
    assert transform.tight


def test_what_does_not_exist_is_refused():
    with pytest.raises(InvalidParameter, match="levels"):
        WaveletTransform("haar", -1)
    with pytest.raises(UnknownName, match="sym8"):
        filter_bank("sym9")
    with pytest.raises(InvalidInput, match="2 bands"):
        WaveletTransform("haar", 3).synthesis(WaveletTransform("haar", 1).analysis(noise((1, 1, 4, 4))), (4, 4))
