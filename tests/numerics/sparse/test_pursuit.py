"""Pursuit against brute force over supports, scikit-learn, closed forms, and the stored rates of recovery."""

from itertools import combinations

import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput, InvalidParameter
from restora.numerics.iterate import Limits
from restora.numerics.sparse import pursuit
from restora.numerics.sparse.pursuit import basis_pursuit, batch_omp, lasso, least_norm, normalised_iht, omp

linear_model = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is the oracle of these tests")


def dictionary(m, n, seed=0):
    D = torch.randn(m, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return D / D.norm(dim=0)


def sparse(count, n, K, seed=1):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.zeros(count, n, dtype=torch.float64)
    for row in codes:
        row[torch.randperm(n, generator=generator)[:K]] = torch.randn(K, generator=generator, dtype=torch.float64)
    return codes


def by_torch(D, Y, **limits):
    return batch_omp(D, Y.clone().requires_grad_(), **limits).detach()


PURSUITS = pytest.mark.parametrize("pursue", [omp, batch_omp, by_torch], ids=["omp", "batch-numba", "batch-torch"])


@PURSUITS
def test_one_atom_is_the_best_one_of_all(pursue):
    D, Y = dictionary(6, 11), torch.randn(9, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    best = (Y @ D).abs().argmax(1)
    assert torch.equal((pursue(D, Y, most=1) != 0).long().argmax(1), best)


def test_incoherent_atoms_give_the_support_that_brute_force_gives():
    D = torch.cat((torch.eye(8, dtype=torch.float64), _hadamard(8)), dim=1)  # coherence 1/√8, so K = 1 is sure
    Y = sparse(12, 16, 2, seed=3) @ D.mT
    codes = omp(D, Y, most=2)
    for y, code in zip(Y, codes):
        errors = {}
        for support in map(list, combinations(range(16), 2)):
            fitted = torch.linalg.lstsq(D[:, support], y[:, None]).solution
            errors[tuple(support)] = float((D[:, support] @ fitted - y[:, None]).norm())
        assert float((D @ code - y).norm()) == pytest.approx(min(errors.values()), abs=1e-9)


@PURSUITS
def test_the_codes_are_those_of_scikit_learn(pursue):
    D, Y = dictionary(16, 40), torch.randn(30, 16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    peer = linear_model.orthogonal_mp(D.numpy(), Y.numpy().T, n_nonzero_coefs=5)
    assert np.allclose(pursue(D, Y, most=5), peer.T, atol=1e-10)
    peer = linear_model.orthogonal_mp(D.numpy(), Y.numpy().T, tol=2.0)
    assert np.allclose(pursue(D, Y, tolerance=2.0), peer.T, atol=1e-10)


@PURSUITS
def test_finished_signals_and_long_atoms_are_left_as_they_are(pursue):
    D, codes = dictionary(16, 40), sparse(4, 40, 2)
    codes[0] = 0
    found = pursue(3.0 * D, codes @ D.mT, tolerance=1e-12)
    assert torch.allclose(3 * found, codes, atol=1e-8)
    twice = torch.cat((D[:, :4], D[:, :4]), dim=1)
    assert bool(torch.isfinite(pursue(twice, codes @ D.mT)).all())


@pytest.mark.parametrize(("K", "greedy", "thresholding"), [(4, 100, 100), (8, 100, 99), (12, 94, 95), (16, 75, 73)])
def test_supports_are_recovered_as_often_as_measured_before(K, greedy, thresholding):
    """64 × 256, 100 signals with Gaussian coefficients; the counts were measured with another draw."""
    D, codes = dictionary(64, 256), sparse(100, 256, K)
    Y = codes @ D.mT

    def recovered(found):
        return int(((found - codes).abs().amax(1) < 1e-4 * codes.abs().amax(1)).sum())

    assert recovered(batch_omp(D, Y, most=K)) == pytest.approx(greedy, abs=12)
    assert recovered(normalised_iht(D, Y, most=K)) == pytest.approx(thresholding, abs=13)
    assert recovered(least_norm(D, Y)) == 0


def test_single_precision_finds_what_double_finds():
    D, codes = dictionary(32, 64), sparse(50, 64, 5)
    Y = codes @ D.mT
    assert torch.allclose(batch_omp(D.float(), Y.float(), most=5).double(), batch_omp(D, Y, most=5), atol=1e-4)


@pytest.mark.parametrize("shape", [(20, 50), (50, 20)], ids=["wide", "tall"])
def test_lasso_ends_where_coordinate_descent_and_lars_end(shape):
    D = dictionary(*shape)
    y = torch.randn(1, shape[0], generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    lam = 0.1 * float((y @ D).abs().max())
    options = {"alpha": lam / shape[0], "fit_intercept": False}
    lars = linear_model.LassoLars(**options).fit(D.numpy(), y[0].numpy()).coef_
    for solver in ("ista", "fista", "admm"):
        found = lasso(D, y, lam, solver, limits=Limits(1e-12, 20000))
        assert np.allclose(found.x[0], lars, atol=2e-6)


def test_the_solvers_need_as_many_iterations_as_measured_before():
    """64 × 256, λ = 0.1‖Dᵀy‖∞; relative errors 1e-2 … 1e-8 within a factor of two, as the draw is another."""
    D, y = dictionary(64, 256), sparse(1, 256, 8) @ dictionary(64, 256).mT
    lam = 0.1 * float((y @ D).abs().max())
    least = lasso(D, y, lam, limits=Limits(1e-14, 5000)).stats[-1]["objective"]
    measured = {"ista": (35, 61, 90, 120), "fista": (14, 24, 34, 41), "admm": (10, 17, 28, 39)}
    for solver, expected in measured.items():
        stats = lasso(D, y, lam, solver, limits=Limits(1e-14, 400, every=1)).stats
        errors = np.array([row["objective"] for row in stats]) / least - 1
        for target, count in zip((1e-2, 1e-4, 1e-6, 1e-8), expected):
            assert int(np.argmax(errors <= target)) + 1 <= 2 * count + 2


def test_basis_pursuit_is_the_linear_programme():
    scipy = pytest.importorskip("scipy.optimize")
    D, y = dictionary(8, 20), torch.randn(1, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    found = basis_pursuit(D, y, limits=Limits(1e-9, 20000)).x
    both = np.hstack((D.numpy(), -D.numpy()))
    assert float(found.abs().sum()) == pytest.approx(
        scipy.linprog(np.ones(40), A_eq=both, b_eq=y[0].numpy()).fun, rel=1e-6
    )
    assert torch.allclose(found @ D.mT, y, atol=1e-9)


def test_the_least_norm_code_is_that_of_the_pseudo_inverse():
    D, Y = dictionary(7, 15), torch.randn(3, 7, dtype=torch.float64)
    assert np.allclose(least_norm(D, Y), (np.linalg.pinv(D.numpy()) @ Y.numpy().T).T)


def test_what_makes_no_sense_is_refused():
    D, Y = dictionary(4, 6), torch.zeros(1, 4, dtype=torch.float64)
    with pytest.raises(InvalidParameter, match="most"):
        omp(D, Y, most=0)
    with pytest.raises(InvalidParameter, match="tolerance"):
        batch_omp(D, Y, tolerance=-1.0)
    with pytest.raises(InvalidParameter, match="lam"):
        pursuit.lasso(D, Y, 0.0)
    with pytest.raises(InvalidInput, match="an atom"):
        omp(torch.zeros_like(D), Y)


def _hadamard(n):
    H = torch.ones(1, 1, dtype=torch.float64)
    while len(H) < n:
        H = torch.cat((torch.cat((H, H), 1), torch.cat((H, -H), 1)))
    return H / n**0.5
