import math

import numpy as np
import pytest
import torch
from scipy import fft

from restora.numerics.differences import divergence, gradient, gradient_spectrum

BOUNDARIES = pytest.mark.parametrize("boundary", ["reflect", "circular"])
SIZES = pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 1), (6, 7), (8, 5)], ids=str)


def dense(size, boundary):
    """D as a matrix, a column a pixel."""
    h, w = size
    units = torch.eye(h * w, dtype=torch.float64).reshape(h * w, 1, h, w)
    return gradient(units, boundary).reshape(h * w, -1).T


def test_the_differences_of_a_small_image_by_hand():
    x = torch.tensor([[1.0, 2.0, 4.0], [7.0, 11.0, 16.0]])[None, None]
    down, right = gradient(x)[0, :, 0]
    assert down.tolist() == [[6, 9, 12], [0, 0, 0]]
    assert right.tolist() == [[1, 2, 0], [4, 5, 0]]
    down, right = gradient(x, "circular")[0, :, 0]
    assert down.tolist() == [[6, 9, 12], [-6, -9, -12]]
    assert right.tolist() == [[1, 2, -3], [4, 5, -9]]


@BOUNDARIES
@SIZES
def test_the_divergence_is_the_negative_adjoint(size, boundary):
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    p = torch.randn(2, 2, 3, *size, dtype=torch.float64)
    assert float((gradient(x, boundary) * p).sum()) == pytest.approx(
        -float((x * divergence(p, boundary)).sum()), rel=1e-12
    )


@BOUNDARIES
@SIZES
def test_the_norm_is_that_of_the_matrix(size, boundary):
    norm = math.sqrt(float(gradient_spectrum(size, boundary, dtype=torch.float64).max()))
    assert norm == pytest.approx(float(torch.linalg.matrix_norm(dense(size, boundary), 2)), abs=1e-12)


@SIZES
def test_the_cosine_transform_diagonalises_the_reflecting_laplacian(size):
    x = torch.randn(1, 1, *size, dtype=torch.float64)
    laplacian = -divergence(gradient(x, "reflect"), "reflect")
    expected = gradient_spectrum(size, "reflect", dtype=torch.float64).numpy() * fft.dctn(x[0, 0].numpy(), norm="ortho")
    assert np.allclose(fft.dctn(laplacian[0, 0].numpy(), norm="ortho"), expected, atol=1e-12)


@SIZES
def test_the_fourier_transform_diagonalises_the_circular_laplacian(size):
    x = torch.randn(1, 1, *size, dtype=torch.float64)
    laplacian = -divergence(gradient(x, "circular"), "circular")
    expected = gradient_spectrum(size, "circular", dtype=torch.float64).numpy() * np.fft.rfft2(x[0, 0].numpy())
    assert np.allclose(np.fft.rfft2(laplacian[0, 0].numpy()), expected, atol=1e-12)


@BOUNDARIES
def test_gradients_flow(boundary):
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda u: divergence(gradient(u, boundary), boundary), x)
