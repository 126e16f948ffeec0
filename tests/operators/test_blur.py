import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

from restora.core.errors import InvalidInput
from restora.operators.blur import Blur
from restora.operators.psf import gaussian_psf

SCIPY_MODE = {"circular": "wrap", "reflect": "reflect", "replicate": "nearest"}


def _image(h, w, seed=0):
    return np.random.default_rng(seed).standard_normal((h, w))


def _psf(kh, kw):
    psf = np.random.default_rng(kh * 31 + kw).random((kh, kw))
    return psf / psf.sum()


def _blurred(x, psf, boundary):
    return Blur(torch.from_numpy(psf), boundary)(torch.from_numpy(x)[None, None])[0, 0].numpy()


@pytest.mark.parametrize("boundary", SCIPY_MODE)
@pytest.mark.parametrize("shape", [(3, 3), (5, 1), (4, 6), (2, 3), (11, 9)])
@pytest.mark.parametrize("size", [(13, 17), (1, 12), (6, 1)])
def test_blur_is_the_convolution_of_scipy_for_each_boundary(boundary, shape, size):
    x, psf = _image(*size), _psf(*shape)
    expected = ndimage.convolve(x, psf, mode=SCIPY_MODE[boundary])
    np.testing.assert_allclose(_blurred(x, psf, boundary), expected, atol=1e-13)


@pytest.mark.parametrize("shape", [(3, 3), (5, 1), (4, 6), (13, 17)])
def test_valid_blur_is_the_valid_convolution_of_scipy(shape):
    x, psf = _image(13, 17), _psf(*shape)
    np.testing.assert_allclose(_blurred(x, psf, "valid"), signal.convolve2d(x, psf, mode="valid"), atol=1e-13)


@pytest.mark.parametrize("boundary", ["circular", "reflect", "replicate"])
@pytest.mark.parametrize(("shape", "centre"), [((3, 5), (1, 2)), ((4, 4), (2, 2)), ((2, 5), (1, 2))])
def test_convention_a_point_becomes_the_psf_with_its_centre_on_the_point(boundary, shape, centre):
    x, psf = np.zeros((16, 17)), _psf(*shape)
    x[8, 9] = 1
    top, left = 8 - centre[0], 9 - centre[1]
    y = _blurred(x, psf, boundary)
    np.testing.assert_allclose(y[top : top + shape[0], left : left + shape[1]], psf, atol=1e-15)
    assert y.sum() == pytest.approx(1)


def test_otf_filters_as_the_blur_does():
    psf, x = torch.from_numpy(_psf(4, 7)), torch.from_numpy(_image(10, 11))
    by_hand = torch.fft.irfft2(torch.fft.rfft2(x) * Blur(psf).otf((10, 11)), s=(10, 11))
    expected = ndimage.convolve(x.numpy(), psf.numpy(), mode="wrap")
    np.testing.assert_allclose(by_hand.numpy(), expected, atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    boundary=st.sampled_from(["circular", "reflect", "replicate"]),
    factor=st.floats(-3, 3),
)
def test_blur_is_linear_keeps_constants_and_has_its_adjoint(size, shape, boundary, factor):
    H = Blur(torch.from_numpy(_psf(*shape)), boundary)
    u, v = (torch.from_numpy(_image(*size, seed))[None, None] for seed in (1, 2))
    torch.testing.assert_close(H(u + factor * v), H(u) + factor * H(v), rtol=0, atol=1e-12)
    torch.testing.assert_close(H(torch.ones_like(u)), torch.ones_like(u), rtol=1e-13, atol=0)
    assert float((H(u) * v).sum()) == pytest.approx(float((u * H.adjoint(v)).sum()), abs=1e-12)


def test_a_psf_that_asks_for_gradients_gets_them_at_every_call():
    psf = torch.full((3, 3), 1 / 9, dtype=torch.float64, requires_grad=True)
    x = torch.from_numpy(_image(6, 7))[None, None]
    H = Blur(psf)
    for _ in range(2):
        (gradient,) = torch.autograd.grad(H(x)[..., 2, 3].sum(), psf)
        np.testing.assert_allclose(gradient.numpy(), x[0, 0, 1:4, 2:5].flip(0, 1).numpy(), atol=1e-14)


def test_a_blur_used_under_inference_also_serves_gradients():
    H, x = Blur(gaussian_psf(1.0)), torch.rand(1, 1, 8, 8, dtype=torch.float64)
    with torch.inference_mode():
        H(x)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(H(x).sum(), x)
    torch.testing.assert_close(gradient, torch.ones_like(x))


@pytest.mark.parametrize(
    "psf",
    [torch.ones(3, 3), torch.zeros(3, 3), torch.full((3, 3), torch.nan), torch.ones(0, 3)],
    ids=["sum", "zero", "nan", "empty"],
)
def test_what_is_no_psf_is_refused(psf):
    with pytest.raises(InvalidInput, match="PSF"):
        Blur(psf)


def test_only_local_boundaries_have_a_reach():
    assert Blur(gaussian_psf(1.0, 9)).reach is None
    assert Blur(gaussian_psf(1.0, 9), "reflect").reach == 4
    assert Blur(gaussian_psf(1.0, 9), "valid").reach == 4
