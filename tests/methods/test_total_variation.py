import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.restoration import denoise_tv_chambolle

from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter
from restora.core.problem import Problem
from restora.core.result import Code
from restora.methods.variational.total_variation import TotalVariation
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise
from restora.numerics.total_variation import total_variation
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mosaic import Mosaic
from restora.operators.psf import gaussian_psf, uniform_psf
from restora.operators.unknown import UnknownBlur


def psnr(u, x):
    return -10 * math.log10(float((u.clamp(0, 1) - x).square().mean()))


def objective(x, problem, lam):
    return 0.5 * float((problem.H(x) - problem.y).square().sum()) + lam * float(total_variation(x).sum())


def test_a_step_edge_loses_contrast_as_its_closed_form_says():
    """Across a strip of a columns at 0 and b columns at 1 each side moves towards the other by λ over its width."""
    y = torch.zeros(1, 1, 6, 12, dtype=torch.float64)
    y[..., 5:] = 1
    x = TotalVariation(lam=0.3, tolerance=1e-12, max_iterations=4000).run(Problem(y, Identity(), Gaussian(0.1))).x
    assert torch.allclose(x[..., :5], torch.full((6, 5), 0.3 / 5, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(x[..., 5:], torch.full((6, 7), 1 - 0.3 / 7, dtype=torch.float64), atol=1e-6)


def test_channels_share_their_edges():
    """In three equal channels |Dx| is √3 that of one, so that λ√3 in one channel is λ in three."""
    one = torch.rand(1, 1, 16, 15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    three = Problem(one.expand(-1, 3, -1, -1), Identity(), Gaussian(0.1))
    x = TotalVariation(0.05, 1e-10, 5000).run(three).x
    alone = TotalVariation(0.05 / math.sqrt(3), 1e-10, 5000).run(Problem(one, Identity(), Gaussian(0.1))).x
    assert torch.allclose(x, alone.expand_as(x), atol=1e-5)


def test_it_is_the_minimiser_that_scikit_image_finds(camera):
    y = camera[:, :, :48, :56].double() + 0.08 * torch.randn(1, 1, 48, 56, generator=torch.Generator().manual_seed(0))
    x = TotalVariation(0.07, 1e-9, 5000).run(Problem(y, Identity(), Gaussian(0.08))).x
    peer = denoise_tv_chambolle(y[0, 0].numpy(), weight=0.07, eps=1e-12, max_num_iter=5000)
    assert np.allclose(x[0, 0], peer, atol=2e-3)


def test_the_gap_bounds_the_distance_to_the_minimiser(camera):
    y = camera[:, :, :40, :40].double() + 0.1 * torch.randn(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    problem = Problem(y, Identity(), Gaussian(0.1))
    exact = TotalVariation(0.07, 1e-8, 5000).run(problem).x
    for tolerance in (1e-1, 1e-2, 1e-3):
        found = TotalVariation(0.07, tolerance).run(problem)
        gap = found.stats[-1]["error"] * found.stats[-1]["objective"]
        assert 0 < 0.5 * float((found.x - exact).square().sum()) <= gap
        assert found.status.code is Code.CONVERGED


OPERATORS = pytest.mark.parametrize(
    ("H", "channels", "size"),
    [
        (Blur(gaussian_psf(1.2), "circular"), 1, (20, 18)),
        (BlurDecimate(gaussian_psf(1.0), 2), 1, (10, 9)),
        (Downsample(2.0), 1, (9, 10)),
        (Mosaic("GRBG"), 1, (16, 14)),
        (Blur(gaussian_psf(0.8), "replicate"), 2, (17, 16)),
        (Blur(uniform_psf(3), "valid") @ Blur(gaussian_psf(0.6), "reflect"), 1, (15, 16)),
    ],
    ids=["blur", "blur-decimate", "downsample", "mosaic", "replicate", "composition"],
)


@OPERATORS
def test_no_image_near_the_solution_is_better(H, channels, size):
    generator = torch.Generator().manual_seed(1)
    y = torch.rand(1, channels, *size, generator=generator, dtype=torch.float64)
    problem = Problem(y, H, Gaussian(0.02))
    x = TotalVariation(0.01, 1e-7, 1500).run(problem).x
    least = objective(x, problem, 0.01)
    for scale in (1e-1, 1e-2, 1e-3):
        for _ in range(5):
            other = x + scale * torch.randn(x.shape, generator=generator, dtype=torch.float64)
            assert objective(other, problem, 0.01) > least
    for other in (0.999 * x, 1.001 * x, x + 1e-3, x.lerp(x.mean((-2, -1), keepdim=True), 1e-3)):
        assert objective(other, problem, 0.01) > least


def test_the_two_forms_of_a_circular_blur_agree(camera):
    """The proximal form, and the dualised one through a composition that hides the proximal map."""
    blur = Blur(gaussian_psf(1.0).double(), "circular")
    y = blur(camera[:, :, :24, :24].double())
    forms = [TotalVariation(0.003, 1e-7, 2000).run(Problem(y, H, Gaussian(0.01))).x for H in (blur, Identity() @ blur)]
    assert torch.allclose(*forms, atol=1e-4)


@OPERATORS
def test_fista_finds_what_pdhg_finds(H, channels, size):
    y = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    problem = Problem(y, H, Gaussian(0.02))
    found = [TotalVariation(0.02, 1e-7, 1500, solver).run(problem).x for solver in ("pdhg", "fista")]
    least, other = (objective(x, problem, 0.02) for x in found)
    assert other == pytest.approx(least, rel=1e-5)  # the minimiser itself need not be unique


def test_solvers_that_do_not_fit_are_refused():
    with pytest.raises(CannotSolve, match="for Mosaic take solver pdhg or fista"):
        TotalVariation(solver="chambolle").run(Problem(torch.zeros(1, 1, 8, 8), Mosaic("RGGB"), Gaussian(0.1)))


def test_the_weight_is_the_measured_table_for_denoising():
    table = {15: 0.6, 25: 0.7, 50: 0.9}
    for sigma, c in table.items():
        assert TotalVariation.for_noise(sigma / 255).lam == pytest.approx(c * sigma / 255, rel=0.03)
        colour = TotalVariation.for_noise(sigma / 255, channels=3).lam
        assert colour == pytest.approx(3**0.5 * TotalVariation.for_noise(sigma / 255).lam)
    assert TotalVariation.for_noise(0.0).lam > 0
    assert TotalVariation.for_noise(0.01, gain=1e-3).lam == pytest.approx(8e-4, rel=0.01)


def test_the_weight_looks_at_what_the_operator_lets_through():
    y = torch.zeros(1, 1, 64, 64)
    blurred = TotalVariation.for_problem(Problem(y, Blur(uniform_psf(9)), Gaussian(0.01))).lam
    assert blurred == pytest.approx(TotalVariation.for_noise(0.01, gain=1 / 81).lam, rel=0.02)
    assert TotalVariation.for_problem(Problem(y, Identity(), Gaussian(0.01))) == TotalVariation.for_noise(0.01)


def test_the_fused_iteration_gives_the_same_image(camera):
    """A measurement that is no contiguous tensor takes the plain half-steps."""
    y = camera[:, :, :50, :60].double().mT
    x = [TotalVariation(0.07).run(Problem(image, Identity(), Gaussian(0.1))) for image in (y, y.contiguous())]
    assert not y.is_contiguous()
    assert torch.allclose(x[0].x, x[1].x, atol=1e-12)
    assert x[0].stats[-1]["error"] == pytest.approx(x[1].stats[-1]["error"], rel=1e-6)


def test_gradients_flow_and_a_brighter_measurement_gives_a_brighter_image():
    """The solution map commutes with adding a constant, so that the derivatives of Σx sum to the number of pixels."""
    y = torch.rand(1, 1, 9, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    TotalVariation(0.05, 1e-3, 30).run(Problem(y, Identity(), Gaussian(0.1))).x.sum().backward()
    assert float(y.grad.sum()) == pytest.approx(72)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(dtype, camera):
    y = camera[:, :, :16, :16].to(dtype)
    x = TotalVariation(0.05).run(Problem(y, Identity(), Gaussian(0.1))).x
    assert x.dtype == dtype
    assert torch.equal(x, TotalVariation(0.05).run(Problem(y.float(), Identity(), Gaussian(0.1))).x.to(dtype))


def test_a_batch_is_a_loop_to_the_last_digit(camera):
    y = torch.cat((camera[:, :, :40, :40], 0.5 + 0.01 * camera[:, :, 40:80, 40:80]))
    problem = Problem(y, Identity(), Gaussian(0.05))
    method = TotalVariation(0.05)
    alone = torch.cat([method.run(problem.with_y(image[None])).x for image in y])
    assert torch.allclose(method.run(problem).x, alone, atol=1e-7)


@pytest.mark.parametrize("call", [TotalVariation().run, TotalVariation.for_problem], ids=["run", "for_problem"])
def test_an_unknown_blur_is_refused_in_a_sentence(call):
    with pytest.raises(CannotSolve, match="blind method"):
        call(Problem(torch.zeros(1, 1, 8, 8), UnknownBlur(5), Gaussian(0.1)))


def test_unknown_noise_has_no_weight():
    with pytest.raises(InvalidInput, match="noise level is unknown"):
        TotalVariation.for_problem(Problem(torch.zeros(1, 1, 8, 8), Identity(), UnknownNoise()))


@pytest.mark.parametrize(("sigma", "gain"), [(-0.1, 1.0), (math.nan, 1.0), (0.1, 0.0), (0.1, math.nan)])
def test_a_noise_level_or_gain_out_of_range_is_refused(sigma, gain):
    with pytest.raises(InvalidParameter):
        TotalVariation.for_noise(sigma, gain)


def test_house_at_sigma_25_has_the_measured_objective_and_psnr(data_dir):
    """λ = 17.5 on 0 … 255: objective 2.34129e7 and 30.003 dB, by four solvers run to convergence."""
    clean = np.asarray(Image.open(data_dir / "test/Set12/02.png")) / 255
    noisy = clean + np.random.RandomState(0).normal(0, 25, clean.shape) / 255
    problem = Problem(torch.from_numpy(noisy)[None, None], Identity(), Gaussian(25 / 255))
    result = TotalVariation(17.5 / 255, 1e-5).run(problem)
    assert objective(result.x, problem, 17.5 / 255) * 255**2 == pytest.approx(2.34129e7, rel=2e-4)
    assert psnr(result.x, torch.from_numpy(clean)) == pytest.approx(30.003, abs=0.005)
