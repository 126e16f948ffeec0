import math

import numpy as np
import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.frames.stacked import Stacked
from restora.frames.undecimated_wavelet import UndecimatedWavelet
from restora.frames.wavelet import WaveletTransform
from restora.methods.variational.sparse_map import SparseMAP
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur

SIGMA = 0.1


def problem(H, size=(6, 8), channels=1):
    y = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Problem(H(y), H, Gaussian(SIGMA))


def dense(apply, shape):
    """The matrix of a linear map of images of that shape."""
    eye = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
    return apply(eye).flatten(1).T


def test_stacking_keeps_the_frame():
    x = torch.rand(2, 3, 7, 5, dtype=torch.float64)
    W = Stacked.of(UndecimatedWavelet("haar", 2), x)
    assert torch.allclose(W.synthesis(W.analysis(x)), x)
    assert torch.allclose(W.analysis(x).square().sum(), x.square().sum())
    impulses = dense(W.analysis, (3, 7, 5))
    assert torch.allclose(impulses.norm(dim=1), W.norms)
    assert float(W.shares.unique().sum()) == pytest.approx(1)
    assert bool(((W.detail == 0).sum() == 3 * 7 * 5).all())


@pytest.mark.parametrize(
    "H", [Identity(), Blur(gaussian_psf(1.0)), Mask((torch.arange(48) % 3 > 0).float().reshape(6, 8))]
)
def test_the_quadratic_prior_is_a_linear_system(H):
    case = problem(H)
    x = SparseMAP(p=2, levels=2, lam=50.0).run(case).x
    frame = Stacked.of(UndecimatedWavelet("haar", 2), case.y)
    A, W = dense(H, (1, 6, 8)), dense(frame.analysis, (1, 6, 8))
    omega = torch.diag(frame.detail * frame.shares)
    expected = torch.linalg.solve(A.T @ A + 2 * SIGMA**2 * 50 * W.T @ omega @ W, A.T @ case.y.flatten())
    assert torch.allclose(x.flatten(), expected, atol=1e-5)


@pytest.mark.parametrize("H", [Identity(), Blur(gaussian_psf(1.0))], ids=["identity", "blur"])
def test_no_image_near_the_solution_of_analysis_is_better(H):
    """No direction lets the convex objective fall."""
    case = problem(H)
    x = SparseMAP(p=1, levels=2, lam=10.0, tolerance=1e-10, max_iterations=20000).run(case).x
    frame = Stacked.of(UndecimatedWavelet("haar", 2), case.y)

    def objective(u):
        weights = SIGMA**2 * 10 * frame.detail * frame.norms * frame.shares.sqrt()
        return 0.5 * float((H(u) - case.y).square().sum()) + float((weights * frame.analysis(u).abs()).sum())

    generator = torch.Generator().manual_seed(1)
    for scale in (1e-1, 1e-2, 1e-3):
        for _ in range(20):
            assert objective(x + scale * torch.randn(x.shape, generator=generator, dtype=torch.float64)) > objective(x)


@pytest.mark.parametrize(("solver", "H"), [("ista", Identity()), ("fista", Blur(gaussian_psf(0.6)))])
def test_synthesis_closes_its_duality_gap(solver, H):
    """r = y − Hx is feasible for the dual, |WHᵀr| <= w, and max ½‖y‖² − ½‖y − r‖² there equals the objective."""
    case = problem(H, size=(8, 16))
    method = SparseMAP(p=1, frame="haar", levels=2, lam=10.0, solver=solver, tolerance=1e-10, max_iterations=3000)
    result = method.run(case)
    frame = Stacked.of(WaveletTransform("haar", 2), case.y)
    weights = SIGMA**2 * 10 * frame.detail * frame.norms * frame.shares.sqrt()
    residual = case.y - case.H(result.x)
    assert bool((frame.analysis(case.H.adjoint(residual)).abs() <= weights + 1e-6).all())
    dual = 0.5 * float(case.y.square().sum() - (case.y - residual).square().sum())
    assert result.stats[-1]["objective"] == pytest.approx(dual, rel=1e-5)


@pytest.mark.parametrize("solver", ["iht", "admm", "ista"])
def test_counting_keeps_what_is_large_and_drops_what_is_small(solver):
    x = torch.full((1, 1, 16, 16), 0.3, dtype=torch.float64)
    x[..., 8:] = 0.8
    noise = 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    case = Problem(x + noise, Identity(), Gaussian(0.02))
    found = SparseMAP(p=0, frame="haar", levels=3, solver=solver).run(case).x
    assert float((found - x).square().mean().sqrt()) < 0.016  # the noise has 0.02


def test_every_prior_improves_a_photograph_the_sparse_ones_more(camera):
    case = Problem.simulate(camera, Identity(), Gaussian(25 / 255), seed=0)
    errors = [float((SparseMAP(p=p).run(case).x - camera).square().mean()) for p in (0, 1, 2)]
    gains = [10 * np.log10(float((case.y - camera).square().mean()) / error) for error in errors]
    assert min(gains) > 2
    assert gains[1] > gains[2] + 1


def test_what_makes_no_sense_is_refused():
    for fields in ({"p": 0, "solver": "fista"}, {"p": 1, "solver": "iht"}, {"lam": -1.0}, {"lam": math.nan}):
        with pytest.raises(InvalidParameter):
            SparseMAP(**fields)
    with pytest.raises(InvalidParameter, match="admm for the redundant frame"):
        SparseMAP(solver="fista")
    with pytest.raises(CannotSolve, match="multiples of 16, not 8x9"):
        SparseMAP(frame="haar").run(Problem(torch.zeros(1, 1, 9, 8), Identity(), Gaussian(0.1)))
    with pytest.raises(CannotSolve, match="estimate the blur"):
        SparseMAP().run(Problem(torch.zeros(1, 1, 8, 8), UnknownBlur(5), Gaussian(0.1)))


def test_all_solvers_agree_in_an_orthonormal_basis(camera):
    case = Problem.simulate(camera[..., :32, :32].double(), Blur(gaussian_psf(0.7)), Gaussian(0.05), seed=0)
    fields = {"p": 1, "frame": "haar", "levels": 3, "tolerance": 1e-8, "max_iterations": 2000}
    ends = [SparseMAP(solver=solver, **fields).run(case) for solver in ("ista", "fista", "admm")]
    for result in ends[1:]:
        assert torch.allclose(result.x, ends[0].x, atol=1e-4)
