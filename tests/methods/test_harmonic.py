import numpy as np
import pytest
import torch

from restora.core.errors import CannotSolve
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.variational.harmonic import HarmonicInpainting
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.operators.mask import Mask

DEFAULT = HarmonicInpainting()


def fill(y, known, method=DEFAULT):
    H = Mask(known.to(y))
    return method.run(Problem(H(y), H, Gaussian(0.0)))


def dense_solution(y, known):
    """Each missing pixel is the mean of its neighbours in the image: one linear system, written out."""
    h, w = y.shape
    A, f = np.eye(h * w), (y * known).flatten()
    for i, j in zip(*np.nonzero(known == 0)):
        neighbours = [(a, b) for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)) if 0 <= a < h and 0 <= b < w]
        for a, b in neighbours:
            A[i * w + j, a * w + b] = -1 / len(neighbours)
    return np.linalg.solve(A, f).reshape(h, w)


def test_a_gap_in_a_row_is_filled_by_a_straight_line():
    y = torch.tensor([[1.0, 0.0, 0.0, 0.0, 3.0, 0.0]])[None, None]
    known = torch.tensor([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]])
    assert torch.allclose(fill(y, known).x, torch.tensor([[1.0, 1.5, 2.0, 2.5, 3.0, 3.0]]))


@pytest.mark.parametrize("share", [0.03, 0.3, 0.8])
@pytest.mark.parametrize("size", [(17, 23), (1, 9), (12, 1), (16, 16)], ids=str)
def test_it_is_the_solution_of_the_dense_system(size, share):
    generator = torch.Generator().manual_seed(3)
    y = torch.rand(1, 1, *size, generator=generator, dtype=torch.float64)
    known = (torch.rand(size, generator=generator) < share).double()
    known[0, 0] = 1
    x = fill(y, known, HarmonicInpainting(tolerance=1e-12)).x
    assert np.allclose(x[0, 0], dense_solution(y[0, 0].numpy(), known.numpy()), atol=1e-9)


def test_known_pixels_stay_and_the_others_keep_their_range(cat):
    known = Mask.text((96, 112)).known
    x = fill(cat, known).x
    assert torch.equal(x * known, cat * known)
    assert float(x.min()) >= float(cat[:, :, known > 0].min()) - 1e-5
    assert float(x.max()) <= float(cat[:, :, known > 0].max()) + 1e-5


def test_what_stands_in_missing_pixels_does_not_matter(camera):
    known = (torch.rand(128, 128, generator=torch.Generator().manual_seed(0)) < 0.4).float()
    H = Mask(known)
    results = [HarmonicInpainting().run(Problem(y, H, Gaussian(0.0))).x for y in (camera, camera * known)]
    assert torch.equal(*results)


def test_a_channel_without_any_known_pixel_becomes_zero():
    y = torch.rand(1, 2, 5, 6)
    known = torch.ones(2, 5, 6)
    known[0] = 0
    x = fill(y, known).x
    assert torch.equal(x[0, 0], torch.zeros(5, 6))
    assert torch.equal(x[0, 1], y[0, 1])


def test_too_few_iterations_are_said_to_be_too_few(camera):
    known = torch.zeros(128, 128)
    known[0, 0] = known[-1, 3] = 1
    result = fill(camera, known, HarmonicInpainting(tolerance=1e-7, max_iterations=1))
    assert result.status.code is Code.ITERATION_LIMIT


def test_other_operators_are_refused():
    with pytest.raises(CannotSolve, match="solves Mask, not Identity"):
        HarmonicInpainting().run(Problem(torch.zeros(1, 1, 4, 4), Identity(), Gaussian(0.0)))
