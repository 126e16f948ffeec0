import numpy as np
import pytest
import torch
from skimage.restoration import cycle_spin

from restora.frames.cycle_spinning import cycle_spun


def noise(*shape):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape))


def staircase(x):
    """Something that depends on the place of the grid: every 2 x 2 block becomes its upper left pixel."""
    return x[..., ::2, ::2].repeat_interleave(2, -2).repeat_interleave(2, -1)[..., : x.shape[-2], : x.shape[-1]]


@pytest.mark.parametrize("spins", [1, 2, 3])
@pytest.mark.filterwarnings("ignore:The optional dask")
def test_it_is_that_of_scikit_image_on_the_torus(spins):
    y = noise(1, 1, 8, 10)
    theirs = cycle_spin(y[0, 0].numpy(), lambda x: staircase(torch.from_numpy(x)).numpy(), spins - 1)
    assert np.allclose(cycle_spun(y, staircase, spins)[0, 0].numpy(), theirs, rtol=0, atol=1e-14)


def test_reflection_moves_the_image_off_its_border():
    y = noise(2, 3, 5, 7)
    expected = torch.zeros_like(y)
    for i in range(2):
        for j in range(2):
            padded = np.pad(y.numpy(), ((0, 0), (0, 0), (i, 0), (j, 0)), mode="symmetric")
            expected += staircase(torch.from_numpy(padded))[..., i:, j:] / 4
    assert torch.allclose(cycle_spun(y, staircase, 2, "reflect"), expected, rtol=0, atol=1e-14)


def test_progress_counts_the_shifts_and_half_precision_is_summed_in_float32():
    seen = []

    def progress(done, total, note=""):
        seen.append((done, total))

    y = (1000 + noise(1, 1, 4, 4)).half()
    spun = cycle_spun(y, lambda x: x, 6, progress=progress)
    assert seen == [(done, 36) for done in range(1, 37)]
    assert spun.dtype == torch.float16
    assert torch.equal(spun, y)  # 36 of them would overflow
