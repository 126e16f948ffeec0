import numpy as np
import pytest
import pywt
import torch
from scipy import fft

from restora.core.errors import InvalidParameter, UnknownName
from restora.patches.block_transforms import block_transform


@pytest.mark.parametrize("side", [1, 2, 8, 11])
def test_cosine_and_sine_are_scipy_s(side):
    one = np.eye(side)
    assert np.allclose(block_transform("dct", side).forward, fft.dct(one, axis=0, norm="ortho"))
    assert np.allclose(block_transform("dst", side).forward, fft.dst(one, type=1, axis=0, norm="ortho"))


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize("side", [2, 8, 16])
def test_wavelets_are_pywavelets_with_rows_of_norm_one(side):
    columns = [
        np.concatenate(pywt.wavedec(unit, "bior1.5", "periodization", side.bit_length() - 1)) for unit in np.eye(side)
    ]
    matrix = np.array(columns).T
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    found = block_transform("bior1.5", side).forward.numpy()
    assert np.allclose(np.abs(np.sum(found * matrix, axis=1)), 1)  # equal but for signs


@pytest.mark.parametrize(("name", "side"), [("bior1.5", 8), ("dct", 11), ("dst", 8)])
def test_the_inverse_inverts(name, side):
    transform = block_transform(name, side)
    assert torch.allclose(transform.inverse @ transform.forward, torch.eye(side, dtype=torch.float64))


def test_what_does_not_exist_is_refused():
    with pytest.raises(UnknownName, match="fourier"):
        block_transform("fourier", 8)
    with pytest.raises(InvalidParameter, match="power of two"):
        block_transform("bior1.5", 12)
