import numba
import numpy as np
import pytest
import pywt
import torch

from restora.patches import collaborative
from restora.patches.block_matching import match_blocks
from restora.patches.block_transforms import block_transform
from restora.patches.collaborative import Shrinkage, collaborate
from restora.patches.collaborative_stage import Stage


def along_the_stack(blocks, inverse=False):
    """Haar's transform over the first axis, by PyWavelets."""
    levels = len(blocks).bit_length() - 1
    if inverse:
        sizes = [1, *(2**k for k in range(levels))]
        return pywt.waverec(np.split(blocks, np.cumsum(sizes)[:-1]), "haar", "periodization", axis=0)
    return np.concatenate(pywt.wavedec(blocks, "haar", "periodization", levels, axis=0))


def by_the_book(y, pilot, groups, transform, shrinkage):
    """One image (c, h, w), group by group."""
    A, B, n = transform.forward.numpy(), transform.inverse.numpy(), groups.side
    total, weight = np.zeros_like(y), np.zeros_like(y)
    window = shrinkage.window.numpy()
    for corners, length in zip(groups.index[0].numpy(), groups.length[0].numpy()):
        places = [divmod(corner, y.shape[-1]) for corner in corners[: 2 ** (int(length).bit_length() - 1)]]
        for c in range(len(y)):
            s = shrinkage.deviation[c].numpy()
            theta = along_the_stack(np.array([A @ y[c, i : i + n, j : j + n] @ A.T for i, j in places]))
            if pilot is None:
                gain = (np.abs(theta) >= shrinkage.threshold * s).astype(float)
            else:
                b = along_the_stack(np.array([A @ pilot[c, i : i + n, j : j + n] @ A.T for i, j in places]))
                gain = b**2 / (b**2 + s**2)
            share = window / max(np.sum((gain * s) ** 2), s.min() ** 2)
            for (i, j), block in zip(places, along_the_stack(gain * theta, inverse=True)):
                total[c, i : i + n, j : j + n] += share * (B @ block @ B.T)
                weight[c, i : i + n, j : j + n] += share
    return total / weight


@pytest.fixture
def y():
    return torch.rand(1, 2, 21, 26, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize(("name", "side"), [("bior1.5", 8), ("dct", 5), ("dst", 11)])
@pytest.mark.parametrize("with_pilot", [False, True])
@pytest.mark.parametrize("members", [1, 8, 13])
def test_it_is_the_algorithm_written_group_by_group(name, side, with_pilot, members, y):
    groups = match_blocks(y[:, :1], side=side, step=4, window=9, members=members, tau=0.15)
    deviation = 0.05 + 0.1 * torch.rand(2, side, side, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    shrinkage = Shrinkage(deviation, 2.7, torch.outer(*[torch.linspace(0.5, 1, side, dtype=torch.float64)] * 2))
    transform = block_transform(name, side)
    pilot = y.flip(-1) if with_pilot else None
    found = collaborate(y, pilot, groups, transform, shrinkage)
    expected = by_the_book(y[0].numpy(), None if pilot is None else pilot[0].numpy(), groups, transform, shrinkage)
    assert np.allclose(found[0], expected, rtol=0, atol=1e-11)
    tables = [transform.forward, transform.inverse, deviation, shrinkage.window]
    total, weight = collaborative._collaborate_torch(y, pilot, groups.index, groups.length, tables, 2.7)
    assert torch.allclose(total / weight, found, rtol=0, atol=1e-11)


def test_pixels_that_no_block_covers_keep_their_value(y):
    groups = match_blocks(y, side=3, step=10, window=1, members=1, tau=1.0)
    shrinkage = Shrinkage(torch.full((2, 3, 3), 0.1), 100.0, torch.ones(3, 3))
    found = collaborate(y, None, groups, block_transform("dct", 3), shrinkage)
    assert torch.equal(found[..., 3:10, :], y[..., 3:10, :])
    assert bool((found[..., :3, :3] == 0).all())


def test_the_number_of_threads_changes_nothing():
    y = torch.rand(1, 1, 300, 40, generator=torch.Generator().manual_seed(0))
    stage = Stage(NS=21, step=2)
    groups = stage.match(y)
    before = numba.get_num_threads()
    found = []
    for count in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(count)
        found.append(stage.filter(y, groups, stage.white([0.1])))
    numba.set_num_threads(before)
    assert torch.equal(*found)


@pytest.mark.parametrize("transform", ["bior1.5", "dct", "dst"])
def test_coloured_noise_has_the_deviation_of_its_definition(transform):
    """σ·‖RI·F(basis)‖/√N, basis function by basis function."""
    stage = Stage(transform)
    RI = torch.rand(24, 13, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.5
    RI[:, [0, -1]] = (RI[:, [0, -1]] + RI[:, [0, -1]].flip(0).roll(1, 0)) / 2  # the spectrum of a real kernel
    deviation = stage.coloured(0.01 * RI[None] ** 2, 24)[0]
    A = block_transform(transform, 8).forward
    for i in range(0, 8, 3):
        for j in range(8):
            basis = torch.zeros(24, 24, dtype=torch.float64)
            basis[:8, :8] = torch.outer(A[i], A[j])
            filtered = torch.fft.irfft2(torch.fft.rfft2(basis) * RI, s=(24, 24))
            assert torch.isclose(deviation[i, j], 0.1 * filtered.norm())


def test_white_noise_is_the_special_case():
    stage = Stage("dct", N1=8)
    coloured = stage.coloured(torch.full((1, 20, 11), 0.04, dtype=torch.float64), 20)
    assert torch.allclose(coloured, stage.white([0.2]))


@pytest.mark.parametrize("with_pilot", [False, True])
def test_gradients_are_those_of_finite_differences(with_pilot, y):
    groups = match_blocks(y[:, :1], side=4, step=3, window=7, members=4, tau=0.3)
    deviation = torch.full((2, 4, 4), 0.1, dtype=torch.float64)
    deviation[:, 1, 2] = 0  # a coefficient without noise is kept
    shrinkage = Shrinkage(deviation, 2.7, torch.ones(4, 4, dtype=torch.float64))
    transform = block_transform("dct", 4)

    def filtered(y, pilot=None):
        return collaborate(y, pilot, groups, transform, shrinkage)

    images = (y, y.flip(-1)) if with_pilot else (y,)
    assert torch.autograd.gradcheck(filtered, [x.clone().requires_grad_() for x in images], eps=1e-7, fast_mode=True)


def test_without_any_noise_the_images_stay_as_they_are(y):
    groups = match_blocks(y[:, :1], side=8, step=4, window=9, members=8, tau=0.15)
    shrinkage = Shrinkage(torch.zeros(2, 8, 8), 2.7, torch.ones(8, 8))
    transform = block_transform("dct", 8)
    for pilot in (None, y, torch.zeros_like(y)):
        for needs in (False, True):
            x = collaborate(y.clone().requires_grad_(needs), pilot, groups, transform, shrinkage)
            assert torch.allclose(x.detach(), y, rtol=0, atol=1e-12)
