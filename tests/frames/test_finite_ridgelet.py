import numpy as np
import pytest
import torch

from restora.core.errors import InvalidParameter
from restora.frames.finite_ridgelet import FiniteRidgelet, finite_radon, inverse_finite_radon
from restora.frames.wavelet import WaveletTransform


def noise(*shape):
    return torch.from_numpy(np.random.RandomState(0).normal(size=shape))


@pytest.mark.parametrize("p", [3, 5, 13])
def test_projections_are_sums_along_the_lines(p):
    f = noise(p, p)
    expected = np.zeros((p + 1, p))
    for l in range(p):
        for i in range(p):
            expected[p, l] += f[l, i]
            for k in range(p):
                expected[k, l] += f[i, (k * i + l) % p]
    assert np.allclose(finite_radon(f).numpy(), expected / p**0.5, rtol=0, atol=1e-12)


def test_the_inverse_gives_back_what_has_no_mean():
    f = noise(2, 17, 17)
    r = finite_radon(f - f.mean(dim=(-2, -1), keepdim=True))
    assert torch.allclose(inverse_finite_radon(r) + f.mean(dim=(-2, -1), keepdim=True), f, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("p", "wavelet"), [(17, "sym4"), (37, "haar"), (31, "db4")])
def test_a_tiled_image_has_an_orthonormal_transform(p, wavelet):
    frame = FiniteRidgelet(p, p, wavelet)
    x = noise(1, 2, 2 * p, 3 * p)
    bands = frame.analysis(x)
    assert sum(band.numel() for band in bands) == x.numel()
    assert sum(float(band.square().sum()) for band in bands) == pytest.approx(float(x.square().sum()), rel=1e-12)
    assert torch.allclose(frame.synthesis(bands, (2 * p, 3 * p)), x, rtol=0, atol=1e-12)


def test_the_matrix_and_fourier_agree():
    """Blocks of 37 pixels go through Fourier; those of 31 through a matrix that was made the same way."""
    frame = FiniteRidgelet(31, 31)
    x = noise(1, 1, 31, 31)
    mean, details = frame.analysis(x)
    r = finite_radon(x[0, 0] - x.mean())
    assert float(mean) == pytest.approx(31 * float(x.mean()))
    # A wavelet transform keeps the norm of every projection, whatever the order of its lines.
    assert torch.allclose(details[0, 0, 0, 0].square().sum(dim=-1), r.square().sum(dim=-1), rtol=1e-10)


def needed(coefficients, energy):
    """How many of the largest coefficients of an orthonormal transform leave an error below that energy."""
    tail = coefficients.flatten().square().sort().values.cumsum(0)
    return coefficients.numel() - int((tail < energy).sum())


def both(edge, wavelet, decibels):
    """Coefficients needed for that PSNR, by ridgelets of 257 pixels and by wavelets of the 256 among them."""
    ridgelets = FiniteRidgelet(257, 257, wavelet).analysis(edge)
    wavelets = WaveletTransform(wavelet, 8).analysis(edge[..., :256, :256])
    error = 256**2 * 10 ** (-decibels / 10)
    return [needed(torch.cat([band.flatten() for band in bands]), error) for bands in (ridgelets, wavelets)]


@pytest.mark.parametrize(("angle", "wavelet", "decibels"), [(0.0, "haar", 40), (0.4, "sym4", 20), (1.1, "sym4", 20)])
def test_a_straight_edge_needs_less_than_half_of_the_coefficients_of_wavelets(angle, wavelet, decibels):
    """At any PSNR along an axis, where no line wraps around the border; else while that is no finer than the lines."""
    i, j = np.mgrid[:257, :257] - 128
    edge = torch.from_numpy((i * np.cos(angle) + j * np.sin(angle) > 10.3).astype(np.float64))[None, None]
    of_ridgelets, of_wavelets = both(edge, wavelet, decibels)
    assert of_ridgelets < of_wavelets / 2


@pytest.mark.parametrize("frame", [FiniteRidgelet(17, 5), FiniteRidgelet(5, 5, "haar")])
def test_thresholding_by_rows_is_thresholding_of_all(frame):
    x = noise(1, 2, 40, 23)
    mean, details = frame.analysis(x)
    expected = frame.synthesis((mean, torch.where(details.abs() > 1.2, details, 0)), (40, 23))
    assert torch.allclose(frame.thresholded(x, 1.2), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"side": 15}, "side"), ({"side": 1}, "side"), ({"step": 18}, "step"), ({"wavelet": "bior4.4"}, "wavelet")],
)
def test_parameters_out_of_range_are_refused(fields, name):
    with pytest.raises(InvalidParameter, match=name):
        FiniteRidgelet(**fields)
