import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput, InvalidParameter
from restora.operators import downsample
from restora.operators.downsample import Downsample
from restora.operators.resampling import Resampler


@pytest.mark.parametrize(("name", "scale"), [("butterfly_GT_x3", 3), ("woman_GT_x4", 4)])
def test_the_reduction_is_that_of_matlab(data_dir, name, scale):
    with np.load(data_dir / "test" / "Set5-LR-matlab" / f"{name}.npz") as arrays:
        x, y = (torch.from_numpy(arrays[key])[None, None] for key in ("im_gt_y", "im_l_y"))
    assert float((Downsample(scale)(x) - y).abs().max()) <= 3e-13
    assert float((Downsample(scale)(x.float()) - y).abs().max()) <= 1e-4  # of 255, in single precision


def _enlarged(y, size, scale, boundary="reflect"):
    rows, columns = (Resampler(m, n, scale, boundary=boundary) for m, n in zip(y.shape[-2:], size))
    return columns(rows(y, -2), -1)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_for_an_integer_that_fits_the_enlargement_by_imresize_is_the_scaled_adjoint(scale):
    y = torch.rand(1, 1, 4, 5, dtype=torch.float64)
    expected = _enlarged(y, (4 * scale, 5 * scale), float(scale)) / scale**2
    torch.testing.assert_close(Downsample(scale).adjoint(y), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("scale", "n", "boundary"), [(3, 11, "reflect"), (2, 8, "replicate")])
def test_elsewhere_the_enlargement_by_imresize_is_no_adjoint(scale, n, boundary):
    y = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    adjoint = Downsample(scale, "bicubic", (n, n), boundary).adjoint(y)
    other = _enlarged(y, (n, n), float(scale), boundary) / scale**2
    assert float((adjoint - other).norm() / adjoint.norm()) > 0.05


def test_the_size_of_the_scene_follows_from_that_of_the_measurement():
    assert Downsample(3).input_size((5, 7)) == (15, 21)
    assert Downsample(3, size=(13, 21)).input_size((5, 7)) == (13, 21)
    assert Downsample(2.5).input_size((4, 3)) == (10, 7)


@pytest.mark.parametrize("scale", [1.1, 1.5, 2, 2.5, 3.7, 8])
def test_without_a_size_the_scene_fits_the_measurement(scale):
    H = Downsample(scale)
    for n in range(1, 60):
        assert H.output_size(H.input_size((n, n))) == (n, n)


def test_sizes_that_do_not_belong_together_are_refused():
    with pytest.raises(InvalidInput, match="crop it"):
        Downsample(2)(torch.zeros(1, 1, 7, 8))
    with pytest.raises(InvalidInput, match="reduced"):
        Downsample(2, size=(7, 8)).adjoint(torch.zeros(1, 1, 5, 4))
    with pytest.raises(InvalidParameter, match="scale = 1"):
        Downsample(1)


def test_prox_on_a_grid_too_large_for_eigenvectors_agrees_with_them(monkeypatch):
    H, y, z = Downsample(2), torch.rand(1, 2, 6, 7, dtype=torch.float64), torch.rand(1, 2, 12, 14, dtype=torch.float64)
    exact = H.prox(z, y, 0.3)
    monkeypatch.setattr(downsample, "_LONGEST_GRAM", 5)
    torch.testing.assert_close(H.prox(z, y, 0.3), exact, rtol=1e-5, atol=1e-6)


def test_tiles_of_a_sized_reduction_know_their_own_size():
    H = Downsample(4, size=(37, 42))
    assert H.window(4, 2, 6, 9).input_size((6, 9)) == (21, 34)
