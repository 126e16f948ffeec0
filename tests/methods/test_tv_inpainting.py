import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.optimize import linprog

from restora.core.errors import CannotSolve
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.variational.tv_inpainting import TVInpainting
from restora.noise.gaussian import Gaussian
from restora.numerics.total_variation import total_variation
from restora.operators.identity import Identity
from restora.operators.mask import Mask

EXACT = TVInpainting(tolerance=1e-8, max_iterations=5000)


def fill(y, known, method=EXACT):
    H = Mask(known.to(y))
    return method.run(Problem(H(y), H, Gaussian(0.0)))


def test_a_bar_narrower_than_it_is_wide_is_carried_across_the_gap():
    """A vertical bar of width 6 with a gap of 2 rows: the shortest level line goes straight across."""
    y = torch.zeros(1, 1, 14, 18, dtype=torch.float64)
    y[..., 6:12] = 1
    known = torch.ones(14, 18)
    known[6:8] = 0
    assert torch.allclose(fill(y, known).x, y, atol=1e-4)


def test_a_row_has_the_least_variation_a_linear_programme_finds():
    rng = np.random.RandomState(0)
    y, known = rng.rand(12), rng.rand(12) < 0.4
    D = np.diff(np.eye(12), axis=0)
    one = np.eye(11)
    programme = linprog(
        np.r_[np.zeros(12), np.ones(11)],
        A_ub=np.block([[D, -one], [-D, -one]]),
        b_ub=np.zeros(22),
        A_eq=np.c_[np.diag(known.astype(float)), np.zeros((12, 11))],
        b_eq=np.where(known, y, 0),
        bounds=[(None, None)] * 12 + [(0, None)] * 11,
    )
    x = fill(torch.from_numpy(y)[None, None, None], torch.from_numpy(known.astype(float))[None]).x
    assert float(total_variation(x)) == pytest.approx(programme.fun, rel=1e-6)


def test_no_change_of_the_missing_pixels_is_better(cat):
    x = cat[:, :, 20:44, 30:58].double()
    generator = torch.Generator().manual_seed(0)
    known = (torch.rand(24, 28, generator=generator) < 0.5).double()
    found = fill(x, known).x
    assert torch.equal(found * known, x * known)
    least = float(total_variation(found))
    for scale in (1e-1, 1e-2, 1e-3, 1e-4):
        other = found + scale * (1 - known) * torch.randn(found.shape, generator=generator, dtype=torch.float64)
        assert float(total_variation(other)) > least


def test_the_penalties_do_not_decide_where_it_goes(camera):
    y = camera[:, :, :24, :24].double()
    known = (torch.rand(24, 24, generator=torch.Generator().manual_seed(1)) < 0.6).double()
    variations = [
        float(total_variation(fill(y, known, TVInpainting(beta, gamma, 1e-6, 3000)).x))
        for beta, gamma in ((25.5, 25.5), (10.0, 60.0))
    ]
    assert variations[0] == pytest.approx(variations[1], rel=1e-4)


def test_a_batch_is_a_loop(camera):
    y = torch.cat((camera[:, :, :32, :32], camera[:, :, 90:122, 60:92]))
    known = (torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    together = fill(y, known, TVInpainting()).x
    alone = torch.cat([fill(y[i : i + 1], known[i : i + 1], TVInpainting()).x for i in (0, 1)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_complete_image_comes_back(camera):
    result = fill(camera, torch.ones(128, 128), TVInpainting())
    assert torch.equal(result.x, camera)
    assert result.status.code is Code.CONVERGED


def test_other_operators_are_refused():
    with pytest.raises(CannotSolve, match="solves Mask, not Identity"):
        TVInpainting().run(Problem(torch.zeros(1, 1, 4, 4), Identity(), Gaussian(0.0)))


@pytest.mark.parametrize(("missing", "expected"), [(0.5, 34.56), (0.8, 27.58)])
def test_house_has_the_measured_psnr(data_dir, missing, expected):
    clean = np.asarray(Image.open(data_dir / "test/Set12/02.png"), dtype=np.float32) / 255
    known = (np.random.RandomState(0).random_sample(clean.shape) > missing).astype(np.float32)
    x = fill(torch.from_numpy(clean)[None, None], torch.from_numpy(known), TVInpainting()).x
    assert -20 * math.log10(float((x - torch.from_numpy(clean)).square().mean().sqrt())) == pytest.approx(
        expected, abs=0.1
    )
