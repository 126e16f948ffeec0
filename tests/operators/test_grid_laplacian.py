import numpy as np
import pytest
import torch
from torch import Tensor

from restora.operators.grid_laplacian import Cycle, GridLaplacian, solve
from restora.operators.harmonic_fill import harmonic_fill

SIZES = pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 1), (5, 8), (13, 9)], ids=str)


def random_laplacian(size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    h, w = size

    def weights(*shape) -> Tensor:
        return torch.rand(1, 1, *shape, generator=generator, dtype=torch.float64)

    return GridLaplacian(weights(h - 1, w), weights(h, w - 1), 0.1 * weights(h, w))


def dense(A):
    """The matrix, entry by entry from the definition."""
    h, w = A.ground.shape[-2:]
    matrix = np.diag(A.ground.flatten().numpy())
    for i in range(h):
        for j in range(w):
            for k, m, weight in ((i + 1, j, A.down), (i, j + 1, A.right)):
                if k < h and m < w:
                    a, b, value = i * w + j, k * w + m, float(weight[0, 0, i, j])
                    matrix[[a, b], [a, b]] += value
                    matrix[[a, b], [b, a]] -= value
    return matrix


@SIZES
def test_it_is_the_matrix_of_its_definition(size):
    A = random_laplacian(size)
    u = torch.randn(1, 1, *size, dtype=torch.float64)
    assert np.allclose(A(u).flatten(), dense(A) @ u.flatten().numpy())
    assert np.allclose(A.diagonal().flatten(), np.diag(dense(A)))


@SIZES
def test_the_cycle_is_symmetric_and_positive(size):
    A = random_laplacian(size)
    n = size[0] * size[1]
    units = torch.eye(n, dtype=torch.float64).reshape(n, 1, *size)
    M = Cycle.of(A)(units).reshape(n, n)
    assert torch.allclose(M, M.T, atol=1e-12)
    assert float(torch.linalg.eigvalsh(M).min()) > 0


@SIZES
def test_the_solution_is_that_of_the_dense_system(size):
    A = random_laplacian(size)
    f = torch.randn(2, 3, *size, dtype=torch.float64)
    u, _ = solve(A, f, torch.zeros_like(f), tolerance=1e-12)
    assert np.allclose(u.reshape(6, -1).T, np.linalg.solve(dense(A), f.reshape(6, -1).T.numpy()), rtol=1e-9)


def test_the_iterations_do_not_grow_with_the_hole():
    counts = []
    for side in (32, 64, 256):
        known = torch.ones(side, side)
        known[side // 8 : -side // 8, side // 8 : -side // 8] = 0
        y = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(0))
        counts.append(harmonic_fill(y, known).iterations)
    assert max(counts) <= 14


def test_every_channel_may_have_its_own_mask():
    generator = torch.Generator().manual_seed(0)
    y = torch.rand(2, 3, 12, 11, generator=generator, dtype=torch.float64)
    known = (torch.rand(2, 3, 12, 11, generator=generator) < 0.3).double()
    together = harmonic_fill(y, known, tolerance=1e-11).x
    for b in range(2):
        for c in range(3):
            alone = harmonic_fill(y[b : b + 1, c : c + 1], known[b, c], tolerance=1e-11).x
            assert torch.allclose(together[b, c], alone[0, 0], atol=1e-8)
