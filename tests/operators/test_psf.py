import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from restora.core.errors import InvalidParameter
from restora.operators.psf import camera_shake_psf, disk_psf, gaussian_psf, motion_psf, uniform_psf


def _moments(psf):
    """Centre of mass (y, x) from the middle, and covariances yy, xx, xy."""
    k = psf.numpy()
    y, x = np.mgrid[: k.shape[0], : k.shape[1]] - np.array([s // 2 for s in k.shape])[:, None, None]
    my, mx = (k * y).sum(), (k * x).sum()
    return my, mx, (k * y * y).sum() - my**2, (k * x * x).sum() - mx**2, (k * x * y).sum() - mx * my


@settings(max_examples=30, deadline=None)
@given(
    psf=st.one_of(
        st.builds(gaussian_psf, st.tuples(st.floats(0.3, 4), st.floats(0.3, 4)), st.none(), st.floats(-180, 180)),
        st.builds(disk_psf, st.floats(0, 9)),
        st.builds(motion_psf, st.floats(1, 25), st.floats(-180, 180)),
        st.builds(lambda r: uniform_psf((2 * r + 1, 3)), st.integers(0, 5)),
    )
)
def test_psfs_are_odd_centred_symmetric_and_sum_to_one(psf):
    assert psf.dtype == torch.float64
    assert psf.shape[0] % 2 == psf.shape[1] % 2 == 1
    assert float(psf.sum()) == pytest.approx(1, rel=1e-13)
    assert float(psf.min()) >= 0
    torch.testing.assert_close(psf, psf.flip(0, 1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_gaussian_has_its_variances_along_and_across_its_direction(angle):
    _, _, yy, xx, xy = _moments(gaussian_psf((3.0, 1.2), 41, angle))
    a = np.deg2rad(angle)
    assert xx == pytest.approx(9 * np.cos(a) ** 2 + 1.44 * np.sin(a) ** 2, rel=1e-6)
    assert yy == pytest.approx(9 * np.sin(a) ** 2 + 1.44 * np.cos(a) ** 2, rel=1e-6)
    assert xy == pytest.approx(-(9 - 1.44) * np.sin(a) * np.cos(a), abs=1e-6)  # y points down, the angle turns up


def test_gaussian_is_that_of_fspecial():
    """fspecial('gaussian', 3, 0.5)."""
    expected = [
        [0.01134374, 0.08381951, 0.01134374],
        [0.08381951, 0.61934703, 0.08381951],
        [0.01134374, 0.08381951, 0.01134374],
    ]
    np.testing.assert_allclose(gaussian_psf(0.5, 3).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("radius", [0.7, 1.0, 2.5, 3.3, 7.0])
def test_disk_holds_the_area_it_covers_of_each_pixel(radius):
    psf = disk_psf(radius).numpy()
    n, fine = psf.shape[0], 200
    t = (np.arange(n * fine) + 0.5) / fine - n / 2
    inside = (t[:, None] ** 2 + t**2 <= radius**2).reshape(n, fine, n, fine).mean((1, 3))
    assert inside.sum() == pytest.approx(np.pi * radius**2, rel=1e-3)
    np.testing.assert_allclose(psf * np.pi * radius**2, inside, atol=5e-3)
    assert psf.max() == pytest.approx(1 / (np.pi * radius**2), rel=1e-12) or radius < 0.75


def test_the_smallest_disk_is_an_impulse():
    assert torch.equal(disk_psf(0), torch.ones(1, 1, dtype=torch.float64))
    assert torch.equal(disk_psf(0.4, 3).nonzero(), torch.tensor([[1, 1]]))


def test_motion_along_an_axis_is_a_row_of_equal_parts():
    np.testing.assert_allclose(motion_psf(9).numpy(), np.full((1, 9), 1 / 9), rtol=1e-13)
    np.testing.assert_allclose(motion_psf(4, 90).numpy()[:, 0], np.array([0.5, 1, 1, 1, 0.5]) / 4, rtol=1e-13)
    np.testing.assert_allclose(motion_psf(5 * 2**0.5, 45).numpy(), np.eye(5)[::-1] / 5, atol=1e-13)


@pytest.mark.parametrize("angle", [10, 45, 77, 120, -33])
def test_motion_holds_the_length_of_the_line_in_each_pixel(angle):
    length, psf = 15.3, motion_psf(15.3, angle).numpy()
    t = (np.arange(400_000) + 0.5) / 400_000 * length - length / 2
    a = np.deg2rad(angle)
    middle = np.array(psf.shape)[:, None] // 2
    rows, columns = np.rint(np.stack([-t * np.sin(a), t * np.cos(a)])).astype(int) + middle
    expected = np.zeros(psf.shape)
    np.add.at(expected, (rows, columns), 1 / t.size)
    np.testing.assert_allclose(psf, expected, atol=2e-5)


@pytest.mark.parametrize("size", [3, 15, 31, 65])
def test_camera_shake_is_a_centred_thin_trace_that_its_seed_decides(size):
    a, b, c = (camera_shake_psf(size, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert a.shape == (size, size)
    assert float(a.sum()) == pytest.approx(1)
    my, mx, *_ = _moments(a)
    assert abs(my) < 1e-9
    assert abs(mx) < 1e-9
    if size >= 15:
        assert float((a > 0).double().mean()) < 0.6
        rows, columns = (a.sum(d).nonzero().flatten() for d in (1, 0))
        assert max(int(rows.max() - rows.min()), int(columns.max() - columns.min())) >= size // 2


def test_parameters_out_of_range_are_refused():
    for make, name in (
        (lambda: gaussian_psf(0.0), "sigma"),
        (lambda: gaussian_psf(1.0, 4), "size"),
        (lambda: disk_psf(-1), "radius"),
        (lambda: motion_psf(0.5), "length"),
        (lambda: uniform_psf(0), "size"),
        (lambda: camera_shake_psf(8, torch.Generator()), "size"),
    ):
        with pytest.raises(InvalidParameter, match=name):
            make()
