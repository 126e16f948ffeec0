import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.filters.edge_enhancing_inpainting import EdgeEnhancingInpainting
from restora.methods.variational.harmonic import HarmonicInpainting
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.operators.mask import Mask


def masked(x, known):
    H = Mask(known)
    return Problem(H(x), H, Gaussian(0.0))


def psnr(x, reference):
    return float(-10 * torch.log10((x - reference).square().mean()))


def test_known_pixels_stay_and_a_ramp_is_found_again():
    x = (torch.linspace(0, 1, 30, dtype=torch.float64)[:, None] + torch.linspace(0, 0.5, 40).double()) / 2
    known = torch.ones(30, 40)
    known[8:20, 10:31] = 0
    found = EdgeEnhancingInpainting().run(masked(x[None, None], known)).x[0, 0]
    assert torch.equal(found[known > 0], x[known > 0])
    assert torch.allclose(found, x, atol=2e-3)


def test_an_oblique_edge_is_carried_across_a_hole():
    y, x = torch.meshgrid(torch.arange(60.0), torch.arange(60.0), indexing="ij")
    picture = torch.sigmoid(2 * (y - 0.5 * x - 15))[None, None]
    known = torch.ones(60, 60)
    known[20:40, 24:36] = 0
    hole = (slice(None), slice(None), slice(20, 40), slice(24, 36))
    problem = masked(picture, known)
    ours, harmonic = (method.run(problem).x[hole] for method in (EdgeEnhancingInpainting(), HarmonicInpainting()))
    assert psnr(ours, picture[hole]) > psnr(harmonic, picture[hole]) + 5


def test_a_photograph_gains_over_harmonic_inpainting(cat):
    known = (torch.rand(cat.shape[-2:], generator=torch.Generator().manual_seed(0)) < 0.4).float()
    problem = masked(cat, known)
    assert psnr(EdgeEnhancingInpainting().run(problem).x, cat) > psnr(HarmonicInpainting().run(problem).x, cat) + 0.4


def test_what_it_cannot_do_is_refused(cat):
    with pytest.raises(CannotSolve, match="eed-inpainting solves Mask, not Identity"):
        EdgeEnhancingInpainting().run(Problem(cat, Identity(), Gaussian(0.0)))
    with pytest.raises(InvalidParameter, match=r"contrast = 0\.0"):
        EdgeEnhancingInpainting(contrast=0.0)
