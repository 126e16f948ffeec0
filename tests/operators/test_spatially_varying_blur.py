import numpy as np
import pytest
import torch
from scipy import ndimage

from restora.core.errors import InvalidInput, InvalidParameter
from restora.operators.psf import disk_psf, gaussian_psf
from restora.operators.spatially_varying_blur import Patch, SpatiallyVaryingBlur

MODE = {"reflect": "reflect", "replicate": "nearest"}


def _full_weights(H):
    weights = np.zeros((len(H.patches), *H.size))
    for w, p in zip(weights, H.patches):
        w[p.top : p.top + p.weight.shape[0], p.left : p.left + p.weight.shape[1]] = p.weight.numpy()
    return weights


def _psfs(rows, columns, kh, kw):
    psfs = torch.rand(rows, columns, kh, kw, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return psfs / psfs.sum((2, 3), keepdim=True)


@pytest.mark.parametrize("boundary", MODE)
@pytest.mark.parametrize("grid", [(1, 1), (2, 3), (4, 1)])
@pytest.mark.parametrize("shape", [(3, 5), (4, 2), (15, 9)])
def test_it_is_the_sum_of_the_blurred_weighted_images(boundary, grid, shape):
    psfs = _psfs(*grid, *shape)
    H = SpatiallyVaryingBlur.on_grid(psfs, (13, 16), boundary)
    x = np.random.default_rng(0).random((13, 16))
    expected = sum(
        ndimage.convolve(w * x, k.numpy(), mode=MODE[boundary]) for w, k in zip(_full_weights(H), psfs.flatten(0, 1))
    )
    np.testing.assert_allclose(H(torch.from_numpy(x)[None, None])[0, 0].numpy(), expected, rtol=1e-11)


def test_the_windows_of_a_grid_peak_on_their_fields_and_sum_to_one():
    weights = _full_weights(SpatiallyVaryingBlur.on_grid(_psfs(3, 5, 3, 3), (33, 55)))
    np.testing.assert_allclose(weights.sum(0), 1, rtol=1e-12)
    for number, w in enumerate(weights):
        i, j = divmod(number, 5)
        assert w[11 * i + 5, 11 * j + 5] == pytest.approx(1)  # the centre of the field
        assert (w[max(0, 11 * i - 6) : 11 * i + 17, max(0, 11 * j - 6) : 11 * j + 17]).sum() == pytest.approx(w.sum())


def test_equal_psfs_make_a_uniform_blur():
    psf, x = gaussian_psf(1.3, 7), np.random.default_rng(0).random((20, 17))
    H = SpatiallyVaryingBlur.on_grid(psf.expand(3, 2, 7, 7), (20, 17))
    expected = ndimage.convolve(x, psf.numpy(), mode="reflect")
    np.testing.assert_allclose(H(torch.from_numpy(x)[None, None])[0, 0].numpy(), expected, rtol=1e-11)


def test_defocus_spreads_each_point_over_a_disk_of_its_own_radius():
    radii = torch.zeros(40, 60, dtype=torch.float64)
    radii[:, 30:] = 3
    H = SpatiallyVaryingBlur.from_defocus(radii, step=1.0)
    assert len(H.psfs) == 2  # radii that no point has cost nothing
    x = torch.zeros(1, 1, 40, 60, dtype=torch.float64)
    x[0, 0, 20, 10] = x[0, 0, 20, 45] = 1
    y = H(x)[0, 0]
    assert float(y[20, 10]) == pytest.approx(1)
    torch.testing.assert_close(y[17:24, 42:49], disk_psf(3.0, 7), rtol=0, atol=1e-13)


def test_radii_in_between_are_blended_and_light_is_conserved():
    radii = torch.full((21, 21), 1.0, dtype=torch.float64)
    radii[10, 10], radii[0, 0] = 1.25, 2.0
    x = torch.zeros(1, 1, 21, 21, dtype=torch.float64)
    x[0, 0, 10, 10] = 1
    y = SpatiallyVaryingBlur.from_defocus(radii)(x)[0, 0]
    expected = (disk_psf(1.0, 5) + disk_psf(1.5, 5)) / 2
    torch.testing.assert_close(y[8:13, 8:13], expected, rtol=0, atol=1e-13)
    assert float(y.sum()) == pytest.approx(1)


def test_what_makes_no_blur_is_refused():
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    with pytest.raises(InvalidInput, match="sum to one"):
        SpatiallyVaryingBlur(one, (Patch(0, 0, torch.ones(3, 4)),), (4, 4))
    with pytest.raises(InvalidInput, match="r patches"):
        SpatiallyVaryingBlur(one, (), (4, 4))
    with pytest.raises(InvalidInput, match="finer"):
        SpatiallyVaryingBlur.on_grid(_psfs(3, 3, 1, 1), (2, 9))
    with pytest.raises(InvalidInput, match="negative"):
        SpatiallyVaryingBlur.from_defocus(-torch.ones(4, 4))
    with pytest.raises(InvalidParameter, match="step"):
        SpatiallyVaryingBlur.from_defocus(torch.ones(4, 4), step=0)
