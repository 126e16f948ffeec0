import numpy as np
import pytest
import torch

from restora.core.errors import InvalidParameter
from restora.frames.blocks import BlockGrid
from restora.frames.local_ridgelet import LocalRidgelet


def noise(*shape):
    return torch.from_numpy(np.random.RandomState(0).normal(size=shape))


@pytest.mark.parametrize(("side", "step", "scales"), [(16, 8, 3), (9, 3, 2), (12, 3, 4)])
def test_ridgelets_of_a_block_are_a_tight_frame_times_its_window(side, step, scales):
    matrix = LocalRidgelet(side, step, scales).matrix(torch.zeros((), dtype=torch.float64))
    window = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2 * 2 * step / side
    assert np.allclose((matrix.T @ matrix).numpy(), np.diag(np.outer(window, window).ravel()), rtol=0, atol=1e-13)
    assert sum(window[i::step].sum() for i in range(step)) == pytest.approx(step)
    assert len(matrix) < 5 * side**2


def test_an_edge_along_a_line_lives_on_few_lines():
    i, j = np.mgrid[:16, :16]
    edge = torch.from_numpy(np.where(i - 0.5 * j > 4, 0.5, -0.5))[None, None]
    bands = LocalRidgelet(16, 8, 3).analysis(edge)
    energy = bands[2][0, 0, 1, 1].square().sum(dim=-1).sort(descending=True).values  # the block that is the image
    # Normal to the edge is (1, −½): most of the finest scale's energy is on 4 of 32 lines.
    assert float(energy[:4].sum()) > 0.55 * float(energy.sum())
    assert int(bands[2][0, 0, 1, 1].square().sum(dim=-1).argmax()) in (3, 4, 5)


def test_thresholding_by_rows_is_thresholding_of_all_blocks_inside():
    frame = LocalRidgelet(12, 6, 3)
    x = noise(1, 2, 61, 50)
    coarse, *details = frame.analysis(x)
    norms = (norm[4, 4] for norm in frame.norms((61, 50))[1:])
    kept = (torch.where(c.abs() > 2.5 * norm, c, 0) for c, norm in zip(details, norms))
    expected = frame.synthesis((coarse, *kept), (61, 50))
    assert torch.allclose(frame.thresholded(x, 2.5), expected, rtol=0, atol=1e-12)


def test_blocks_end_at_the_border_and_are_laid_back_where_they_were():
    grid = BlockGrid(4, 3)
    assert grid.starts(11) == [0, 3, 6, 7]
    assert grid.starts(10) == [0, 3, 6]
    x = noise(1, 1, 11, 10)
    blocks = grid.cut(x)
    assert torch.equal(blocks[0, 0, 3, 1].reshape(4, 4), x[0, 0, 7:11, 3:7])
    assert torch.allclose(grid.add(blocks, (11, 10)), x * grid.coverage((11, 10), x), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "name"), [({"side": 3, "step": 1}, "side"), ({"step": 24}, "step"), ({"scales": 0}, "scales")]
)
def test_parameters_out_of_range_are_refused(fields, name):
    with pytest.raises(InvalidParameter, match=name):
        LocalRidgelet(**fields)
