import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restora.core.errors import InvalidInput, InvalidParameter
from restora.evaluation import metrics
from restora.evaluation.metrics import MS_SSIM_WEIGHTS, aligned_psnr, ms_ssim, psnr, ssim


def _pair(shape=(120, 93), noise=0.1, seed=0):
    random = np.random.RandomState(seed)
    clean = ndimage.gaussian_filter(random.rand(*shape), 1.5)
    return clean, clean + noise * random.randn(*shape)


def _tensor(array):
    return torch.from_numpy(array)[None, None]


def _skimage_ssim(clean, noisy, data_range=1.0):
    return structural_similarity(
        clean, noisy, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=data_range
    )


def test_psnr_of_a_constant_error_is_its_closed_form():
    x = torch.zeros(1, 3, 8, 9)
    assert psnr(x + 0.1, x.clone()).item() == pytest.approx(20.0, rel=1e-6)
    assert psnr(x + 25.5, x, data_range=255).item() == pytest.approx(20.0, rel=1e-6)
    assert psnr(x, x).item() == math.inf


def test_psnr_agrees_with_scikit_image_on_each_image_of_a_batch():
    pairs = [_pair(seed=seed, noise=0.02 * (1 + seed)) for seed in range(3)]
    clean, noisy = (torch.cat([_tensor(pair[i]) for pair in pairs]) for i in (0, 1))
    expected = [peak_signal_noise_ratio(c, n, data_range=1.0) for c, n in pairs]
    np.testing.assert_allclose(psnr(noisy, clean), expected, rtol=1e-12)


def test_a_border_is_left_out_on_all_four_sides():
    clean, noisy = _pair()
    expected = peak_signal_noise_ratio(clean[7:-7, 7:-7], noisy[7:-7, 7:-7], data_range=1.0)
    assert psnr(_tensor(noisy), _tensor(clean), border=7).item() == pytest.approx(expected, rel=1e-12)
    expected = _skimage_ssim(clean[7:-7, 7:-7], noisy[7:-7, 7:-7])
    assert ssim(_tensor(noisy), _tensor(clean), border=7).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("shape", [(11, 11), (120, 93), (64, 200)])
def test_ssim_agrees_with_scikit_image(shape):
    clean, noisy = _pair(shape)
    assert ssim(_tensor(noisy), _tensor(clean)).item() == pytest.approx(_skimage_ssim(clean, noisy), rel=1e-10)
    scaled = ssim(255 * _tensor(noisy), 255 * _tensor(clean), data_range=255).item()
    assert scaled == pytest.approx(_skimage_ssim(clean, noisy), rel=1e-10)


def test_ssim_of_colour_is_the_mean_over_channels_of_each_image():
    pairs = [_pair(seed=seed, noise=0.03 * (1 + seed)) for seed in range(6)]
    clean, noisy = (torch.cat([_tensor(pair[i]) for pair in pairs]).reshape(2, 3, 120, 93) for i in (0, 1))
    each = np.array([_skimage_ssim(c, n) for c, n in pairs]).reshape(2, 3)
    np.testing.assert_allclose(ssim(noisy, clean), each.mean(axis=1), rtol=1e-10)


@pytest.mark.parametrize("side", [24, 32, 93, 119, 500])
def test_the_size_of_the_tiles_changes_nothing(monkeypatch, side):
    clean, noisy = _pair()
    monkeypatch.setattr(metrics, "TILE", side)
    assert ssim(_tensor(noisy), _tensor(clean)).item() == pytest.approx(_skimage_ssim(clean, noisy), rel=1e-10)
    expected = peak_signal_noise_ratio(clean, noisy, data_range=1.0)
    assert psnr(_tensor(noisy), _tensor(clean)).item() == pytest.approx(expected, rel=1e-12)


def test_float32_images_are_measured_in_float64():
    clean, noisy = _pair()
    x, reference = _tensor(noisy).float(), _tensor(clean).float()
    expected = peak_signal_noise_ratio(reference[0, 0].double().numpy(), x[0, 0].double().numpy(), data_range=1.0)
    assert psnr(x, reference).dtype == torch.float64
    assert psnr(x, reference).item() == pytest.approx(expected, rel=1e-12)


def _brute_force_ms_ssim(x, reference):
    """Wang's formula with SciPy's Gaussian, cropped to where the window lies inside."""

    def mean(image):
        return ndimage.gaussian_filter(image, 1.5, truncate=3.5)[5:-5, 5:-5]

    product = 1.0
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        mx, mr = mean(x), mean(reference)
        vx, vr, cov = mean(x * x) - mx**2, mean(reference**2) - mr**2, mean(x * reference) - mx * mr
        value = (2 * cov + 0.03**2) / (vx + vr + 0.03**2)
        if scale == 4:
            value = value * (2 * mx * mr + 0.01**2) / (mx**2 + mr**2 + 0.01**2)
        product *= value.mean() ** weight
        x, reference = (
            ndimage.uniform_filter(np.pad(image, ((0, 1), (0, 1)), "symmetric"), 2, origin=-1)[:-1, :-1][::2, ::2]
            for image in (x, reference)
        )
    return product


@pytest.mark.parametrize("shape", [(176, 200), (191, 177)])
def test_ms_ssim_agrees_with_the_formula_written_out(shape):
    clean, noisy = _pair(shape, noise=0.05)
    assert ms_ssim(_tensor(noisy), _tensor(clean)).item() == pytest.approx(_brute_force_ms_ssim(noisy, clean), rel=1e-9)


def test_ms_ssim_is_one_for_equal_images_and_zero_for_a_negative():
    clean, _ = _pair((176, 176))
    assert ms_ssim(_tensor(clean), _tensor(clean)).item() == pytest.approx(1.0, rel=1e-12)
    assert ms_ssim(1 - _tensor(clean), _tensor(clean)).item() == 0.0


def test_aligned_psnr_finds_the_shift_that_made_the_estimate():
    clean, _ = _pair((60, 50))
    shifted = ndimage.shift(clean, (2.75, -3.5), order=1, mode="nearest")
    # Shifting back is another interpolation; take as reference what it makes of the estimate.
    reference = ndimage.shift(shifted, (-2.75, 3.5), order=1, mode="nearest")
    assert aligned_psnr(_tensor(shifted), _tensor(reference)).item() > 200
    assert psnr(_tensor(shifted), _tensor(reference), border=15).item() < 40


def test_aligned_psnr_agrees_with_trying_every_shift():
    clean, noisy = _pair((30, 28))
    noisy = ndimage.shift(noisy, (0.4, -0.9), order=1, mode="nearest")
    best = max(
        peak_signal_noise_ratio(
            clean[4:-4, 4:-4], ndimage.shift(noisy, (dy, dx), order=1, mode="nearest")[4:-4, 4:-4], data_range=1.0
        )
        for dy in np.arange(-2, 2.01, 0.5)
        for dx in np.arange(-2, 2.01, 0.5)
    )
    found = aligned_psnr(_tensor(noisy), _tensor(clean), border=4, reach=2, step=0.5).item()
    assert found == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim])
def test_what_cannot_be_measured_is_refused(metric):
    x = torch.zeros(1, 1, 200, 200)
    with pytest.raises(InvalidInput, match="a side"):
        metric(x, x, border=100)
    with pytest.raises(InvalidParameter, match="border"):
        metric(x, x, border=-1)
    with pytest.raises(InvalidParameter, match="data_range"):
        metric(x, x, data_range=0.0)


def test_images_of_different_shapes_are_refused():
    # Through the checked front of all metrics: their own annotations already refuse it in this test run.
    x = torch.zeros(1, 1, 200, 200)
    with pytest.raises(InvalidInput, match="differ in shape"):
        metrics._inside(x, x[..., 1:], 1.0, 0)


def test_an_image_smaller_than_the_window_is_refused():
    x = torch.zeros(1, 1, 10, 40)
    with pytest.raises(InvalidInput, match="11 a side"):
        ssim(x, x)
    x = torch.zeros(1, 1, 175, 200)
    with pytest.raises(InvalidInput, match="176 a side"):
        ms_ssim(x, x)


def test_shifts_beyond_the_border_are_refused():
    x = torch.zeros(1, 1, 50, 50)
    for arguments in ({"border": 4}, {"reach": 0}, {"step": 0.3}, {"step": 0.0}):
        with pytest.raises(InvalidParameter):
            aligned_psnr(x, x, **arguments)
