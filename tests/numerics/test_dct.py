import numpy as np
import pytest
import torch
from scipy import fft

from restora.numerics.dct import dct2, idct2

SIZES = pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (2, 3), (8, 7), (16, 16)], ids=str)


@SIZES
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("recorded", [False, True], ids=["scipy", "torch"])
def test_it_is_the_orthonormal_transform(size, dtype, tolerance, recorded):
    x = torch.randn(2, 3, *size, dtype=dtype)
    X = dct2(x.clone().requires_grad_(recorded)).detach()
    assert X.dtype == dtype
    assert np.allclose(X, fft.dctn(x.double().numpy(), axes=(-2, -1), norm="ortho"), atol=tolerance)
    assert torch.allclose(idct2(X.requires_grad_(recorded)).detach(), x, atol=tolerance)


def test_a_constant_has_one_coefficient():
    X = dct2(torch.full((1, 1, 4, 9), 0.5, dtype=torch.float64))
    assert float(X[0, 0, 0, 0]) == pytest.approx(0.5 * 6)
    assert float(X.abs().sum()) == pytest.approx(0.5 * 6)


def test_gradients_flow():
    x = torch.randn(1, 1, 3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(dct2, x)
    assert torch.autograd.gradcheck(idct2, x)
