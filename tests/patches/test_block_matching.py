import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput, InvalidParameter
from restora.patches import block_matching
from restora.patches.block_matching import match_blocks, reference_corners


def by_brute_force(z, side, step, window, members, tau):
    """Corners of the blocks of each group, nearest first."""
    _, h, w = z.shape
    groups = []
    for i in reference_corners(h, side, step):
        for j in reference_corners(w, side, step):
            found = []
            for k in range(max(0, i - window // 2), min(h - side, i + window // 2) + 1):
                for l in range(max(0, j - window // 2), min(w - side, j + window // 2) + 1):
                    d = np.mean((z[:, i : i + side, j : j + side] - z[:, k : k + side, l : l + side]) ** 2)
                    if d < tau or (k, l) == (i, j):
                        found.append((d, k * w + l))
            groups.append([corner for _, corner in sorted(found)[:members]])
    return groups


@pytest.mark.parametrize(
    ("side", "step", "window", "members", "tau"),
    [(8, 3, 15, 16, 0.02), (5, 4, 9, 4, 1.0), (3, 2, 7, 40, 0.03), (11, 1, 3, 3, 0.05), (1, 1, 5, 2, 0.5)],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_groups_are_those_of_brute_force(side, step, window, members, tau, channels):
    z = np.random.default_rng(0).random((channels, 19, 22)) * 0.4
    expected = by_brute_force(z, side, step, window, members, tau)
    y = torch.from_numpy(z)[None]
    groups = match_blocks(y, side=side, step=step, window=window, members=members, tau=tau)
    found = [corners[:n].tolist() for corners, n in zip(groups.index[0], groups.length[0])]
    assert found == expected
    rows, columns = (reference_corners(n, side, step) for n in (19, 22))
    offsets = block_matching._outward(window // 2)
    index, length = block_matching._match_torch(y, side, rows, columns, offsets, members, tau)
    assert [corners[:n].tolist() for corners, n in zip(index[0], length[0])] == expected


def test_references_reach_the_end():
    assert reference_corners(20, 8, 3) == [0, 3, 6, 9, 12]
    assert reference_corners(21, 8, 3) == [0, 3, 6, 9, 12, 13]
    assert reference_corners(8, 8, 3) == [0]


def test_images_of_a_batch_do_not_mix():
    y = torch.rand(2, 1, 20, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    both = match_blocks(y, side=4, step=3, window=9, members=8, tau=1.0)
    for image in range(2):
        one = match_blocks(y[image : image + 1], side=4, step=3, window=9, members=8, tau=1.0)
        assert torch.equal(one.index[0], both.index[image])
        assert torch.equal(one.length[0], both.length[image])


def test_what_cannot_be_matched_is_refused():
    y = torch.zeros(1, 1, 7, 20)
    good = {"side": 4, "step": 1, "window": 5, "members": 2, "tau": 1.0}
    with pytest.raises(InvalidInput, match="8x8 pixels do not fit into 20x7"):
        match_blocks(y, **{**good, "side": 8})
    for name, value in (("step", 0), ("window", 4), ("members", 0), ("side", 0)):
        with pytest.raises(InvalidParameter, match=name):
            match_blocks(y, **{**good, name: value})
