import math

import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.variational.tgv import TotalGeneralizedVariation
from restora.methods.variational.total_variation import TotalVariation
from restora.noise.gaussian import Gaussian
from restora.numerics.generalized_variation import GeneralizedVariation
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur


def psnr(u, x):
    return -10 * math.log10(float((u.clamp(0, 1) - x).square().mean()))


def ramps(h, w):
    """A roof: two slopes that meet."""
    i, j = torch.meshgrid(torch.arange(h).double(), torch.arange(w).double(), indexing="ij")
    return (0.2 + 0.6 * torch.minimum(j, w - 1 - j) / w * 2 + 0.1 * i / h)[None, None]


def test_a_ramp_costs_nothing_up_to_its_border():
    i, j = torch.meshgrid(torch.arange(9).double(), torch.arange(12).double(), indexing="ij")
    y = (0.03 * i - 0.05 * j + 0.7)[None, None]
    x = TotalGeneralizedVariation(0.3, 0.6, 1e-9, 8000).run(Problem(y, Identity(), Gaussian(0.1))).x
    assert torch.allclose(x, y, atol=1e-4)
    slopes = torch.cat((y, torch.full_like(y, 0.03), torch.full_like(y, -0.05)), 1)
    assert float(GeneralizedVariation(0.3, 0.6).value(slopes)) == pytest.approx(0, abs=1e-12)


def test_with_a_heavy_second_term_a_step_edge_moves_as_total_variation_says():
    """v then has one slope for the whole image, which a symmetric step does not use where it is short."""
    y = torch.zeros(1, 1, 4, 6, dtype=torch.float64)
    y[..., 3:] = 1
    y = torch.cat((y, y.flip(-1)), -1)
    problem = Problem(y, Identity(), Gaussian(0.1))
    found = TotalGeneralizedVariation(0.2, 50.0, 1e-9, 8000).run(problem).x
    assert torch.allclose(found, TotalVariation(0.2, 1e-9, 5000).run(problem).x, atol=2e-3)


def test_a_roof_has_no_stairs():
    x = ramps(48, 48)
    problem = Problem.simulate(x, Identity(), Gaussian(0.1), seed=0)
    ours = TotalGeneralizedVariation.for_problem(problem).run(problem).x
    flat = TotalVariation.for_problem(problem).run(problem).x
    assert psnr(ours, x) > psnr(flat, x) + 1


@pytest.mark.parametrize(
    "H",
    [Identity(), Blur(gaussian_psf(1.0)), Mask((torch.arange(48) % 3 > 0).float().reshape(6, 8)), "dualised"],
    ids=["identity", "blur", "mask", "dualised"],
)
def test_no_image_near_the_solution_is_better(H):
    """With v given, the objective is convex in u: it may not fall in any direction of (u, v)."""
    H = Identity() @ Blur(gaussian_psf(1.0)) if H == "dualised" else H
    y = torch.rand(1, 2, 6, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    method = TotalGeneralizedVariation(0.05, 0.1, 1e-7, 1500)
    problem = Problem(H(y), H, Gaussian(0.1))
    least = method.run(problem).stats[-1]["objective"]
    longer = TotalGeneralizedVariation(0.05, 0.1, 1e-12, 2500).run(problem).stats[-1]["objective"]
    zero_slopes = TotalVariation(0.05, 1e-9, 1000).run(problem).stats[-1]["objective"]
    assert least == pytest.approx(longer, rel=3e-4)
    assert longer <= zero_slopes * (1 + 1e-6)


def test_a_tensor_that_is_not_contiguous_takes_the_torch_steps(camera):
    y = camera[..., :20, :24].double().mT
    images = [
        TotalGeneralizedVariation().run(Problem(image, Identity(), Gaussian(0.1))) for image in (y, y.contiguous())
    ]
    assert torch.allclose(images[0].x, images[1].x, atol=1e-12)
    assert images[0].stats[-1]["error"] == pytest.approx(images[1].stats[-1]["error"], rel=1e-6)


def test_what_it_cannot_do_is_refused():
    with pytest.raises(CannotSolve, match="estimate the blur"):
        TotalGeneralizedVariation().run(Problem(torch.zeros(1, 1, 8, 8), UnknownBlur(5), Gaussian(0.1)))
    with pytest.raises(InvalidParameter, match="sigma"):
        TotalGeneralizedVariation.for_noise(math.nan)
    with pytest.raises(InvalidParameter, match="gain"):
        TotalGeneralizedVariation.for_noise(0.1, gain=0.0)
