from functools import lru_cache

import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput, InvalidParameter
from restora.frames.bandlet import best_basis
from restora.frames.wavelet import WaveletTransform


def noise(*shape):
    return torch.from_numpy(np.random.RandomState(0).normal(size=shape))


def haar(n):
    rows = np.ones((1, 1))
    while len(rows) < n:
        rows = np.concatenate([np.kron(rows, [1, 1]), np.kron(np.eye(len(rows)), [1, -1])]) / np.sqrt(2)
    return rows


@lru_cache
def bases(w):
    """The matrix of every direction, pixel by pixel."""
    found = [np.eye(w * w)]
    for i in range(4 * w):
        theta = i * np.pi / (4 * w)
        key = [(round(y * np.cos(theta) - x * np.sin(theta), 9), y, x) for y in range(w) for x in range(w)]
        order = [y * w + x for _, y, x in sorted(key)]
        matrix = np.zeros((w * w, w * w))
        matrix[:, order] = haar(w * w)
        found.append(matrix)
    return found


def cost(square, T, penalty):
    """(L, coefficients) of the best direction of one square."""
    best = min(
        (np.minimum((B @ square.ravel()) ** 2, T**2).sum() + penalty * T**2 * (i > 0), i)
        for i, B in enumerate(bases(len(square)))
    )
    return best[0], (bases(len(square))[best[1]] @ square.ravel()).reshape(square.shape)


def by_hand(square, T, penalty):
    """The coefficients of a square of 8, whole or in quarters, and whether it is whole."""
    whole = cost(square, T, penalty)
    parts = [[cost(square[i : i + 4, j : j + 4], T, penalty) for j in (0, 4)] for i in (0, 4)]
    if whole[0] < sum(part[0] for row in parts for part in row) + T**2 / 7:
        return whole[1], True
    return np.block([[part[1] for part in row] for row in parts]), False


@pytest.mark.parametrize(("T", "penalty"), [(0.4, 0.3), (0.3, 0.2)])
def test_it_is_the_search_written_with_loops(T, penalty):
    i, j = np.mgrid[:36, :48]
    x = noise(1, 1, 36, 48) * 0.2 + torch.from_numpy((2.0 * i > j + 20) * 1.0 + (i < 8) * (j < 9) * 2.0)
    wavelets = WaveletTransform("haar", 1)
    basis = best_basis(x, T, wavelets, penalty=penalty)
    merged = basis.geometry[0].merged[0][0, 0]
    assert 0 < int(merged.sum()) < merged.numel()
    found, plane = basis.analysis(x)[1][0, 0].numpy(), wavelets.analysis(x)[1][0, 0].numpy()
    for orientation, m, n in np.ndindex(3, 2, 3):
        square = plane[orientation, 8 * m : 8 * m + 8, 8 * n : 8 * n + 8]
        turned = found[orientation, 8 * m : 8 * m + 8, 8 * n : 8 * n + 8]
        # Of directions that are equally good any may be taken: what they cost is compared, and what they do.
        expected, is_whole = by_hand(square, T, penalty)
        assert np.minimum(turned**2, T**2).sum() == pytest.approx(np.minimum(expected**2, T**2).sum())
        assert bool(merged[orientation, m, n]) == is_whole
        if is_whole:
            direction = int(basis.geometry[0].direction[1][0, 0, orientation, m, n])
            assert np.allclose(turned.ravel(), bases(8)[direction] @ square.ravel(), rtol=0, atol=1e-12)
    assert np.array_equal(found[:, 16:], plane[:, 16:])  # 18 rows: the last two are in no square


@pytest.mark.parametrize("size", [(32, 64), (24, 40), (8, 8), (4, 12)], ids=str)
@pytest.mark.parametrize("largest", [4, 8, 16])
def test_every_basis_is_orthonormal(size, largest):
    x = noise(2, 2, *size)
    basis = best_basis(x, 0.7, WaveletTransform("sym8", 2), largest=largest)
    bands = basis.analysis(x)
    assert sum(band.numel() for band in bands) == x.numel()
    other = noise(2, 2, *size) + 1
    inner = sum(float((a * b).sum()) for a, b in zip(bands, basis.analysis(other)))
    assert inner == pytest.approx(float((x * other).sum()), rel=1e-11)
    assert torch.allclose(basis.synthesis(bands, size), x, rtol=0, atol=1e-12)


def test_the_images_of_a_batch_have_their_own_geometry():
    x = noise(2, 1, 32, 32)
    both = best_basis(x, 1.0, WaveletTransform("sym8", 1)).analysis(x)
    alone = best_basis(x[1:], 1.0, WaveletTransform("sym8", 1)).analysis(x[1:])
    assert all(torch.allclose(a[1:], b, rtol=0, atol=1e-12) for a, b in zip(both, alone))


def test_an_edge_has_fewer_large_coefficients_than_wavelets_leave():
    i, j = np.mgrid[:128, :128]
    x = torch.from_numpy(1 / (1 + np.exp(-(i - 0.4 * j - 40) / 0.7)))[None, None]
    wavelets = WaveletTransform("sym8", 4)
    T = 0.05
    large = [sum(int((b.abs() > T).sum()) for b in w.analysis(x)[1:]) for w in (best_basis(x, T, wavelets), wavelets)]
    assert large[0] < 0.65 * large[1]


def test_gradients_pass_the_basis():
    x = noise(1, 1, 8, 8)
    basis = best_basis(x, 0.5, WaveletTransform("haar", 1), largest=4)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: basis.synthesis(basis.analysis(x)[:1] + basis.analysis(x)[1:], (8, 8)), x)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"T": 0.0}, "T"),
        ({"penalty": -1.0}, "penalty"),
        ({"smallest": 3}, "smallest"),
        ({"largest": 2}, "largest"),
        ({"wavelets": WaveletTransform("bior4.4", 1)}, "wavelets"),
    ],
)
def test_parameters_out_of_range_are_refused(given, name):
    with pytest.raises(InvalidParameter, match=name):
        best_basis(**({"x": noise(1, 1, 8, 8), "T": 1.0, "wavelets": WaveletTransform("haar", 1)} | given))


def test_odd_sides_are_refused():
    with pytest.raises(InvalidInput, match="9x8"):
        best_basis(noise(1, 1, 9, 8), 1.0, WaveletTransform("haar", 1))
