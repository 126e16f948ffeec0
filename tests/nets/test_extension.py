import numpy as np
import pytest
import torch

from restora.nets.extension import extended, up_to_multiple


@pytest.mark.parametrize(
    ("beyond", "mode"), [("symmetric", "symmetric"), ("reflect", "reflect"), ("replicate", "edge")]
)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 16)])
def test_extended_is_numpys_pad_however_far(beyond, mode, size, generator):
    x = torch.rand(2, 3, *size, generator=generator)
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (0, 16 - size[0]), (0, 17 - size[1])), mode=mode)
    assert np.array_equal(extended(x, 16, 17, beyond).numpy(), expected)


def test_up_to_multiple():
    assert [up_to_multiple(n, 8) for n in (1, 8, 9)] == [8, 8, 16]
