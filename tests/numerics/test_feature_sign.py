import pytest
import torch
from sklearn.linear_model import Lasso

from restora.core.errors import InvalidParameter
from restora.numerics.sparse.feature_sign import feature_sign


def signals(generator, dtype=torch.float64, m=30, n=80, b=40):
    D = torch.randn(m, n, generator=generator, dtype=torch.float64)
    D = D / D.norm(dim=0)
    Y = torch.randn(b, m, generator=generator, dtype=torch.float64)
    return D.to(dtype), (Y / Y.norm(dim=1, keepdim=True)).to(dtype)


def violation(D, Y, A, lam):
    """How far A is from the conditions of the minimum: g = −λ sign(a) where a is not 0, |g| <= λ where it is."""
    g = (A @ D.mT - Y) @ D
    return float(torch.where(A != 0, (g + lam * A.sign()).abs(), (g.abs() - lam).clamp_min(0)).max())


@pytest.mark.parametrize("lam", [0.3, 0.1, 0.01, 0.001])
def test_the_conditions_of_the_minimum_hold(generator, lam):
    D, Y = signals(generator)
    assert violation(D, Y, feature_sign(D, Y, lam), lam) < 1e-12 + 1e-9 * lam + 1e-14


def test_against_coordinate_descent(generator):
    D, Y = signals(generator)
    A = feature_sign(D, Y, 0.1)
    other = Lasso(alpha=0.1 / len(D), fit_intercept=False, tol=1e-12, max_iter=100_000)
    for y, a in zip(Y[:8], A):
        assert torch.allclose(a, torch.from_numpy(other.fit(D.numpy(), y.numpy()).coef_), atol=1e-8)


@pytest.mark.parametrize("lam", [0.2, 0.001])
def test_single_precision(generator, lam):
    D, Y = signals(generator, torch.float32)
    A = feature_sign(D, Y, lam)
    assert A.dtype == torch.float32
    assert violation(D, Y, A, lam) < 1e-5


def test_the_torch_form_agrees(generator):
    D, Y = signals(generator)
    torch_form = feature_sign(D, Y.clone().requires_grad_(), 0.1).detach()
    assert torch.allclose(torch_form, feature_sign(D, Y, 0.1), atol=1e-4)


def test_equal_atoms_and_zero_signals(generator):
    D, Y = signals(generator)
    twice = torch.cat([D, D, 0 * D[:, :2]], dim=1)
    Y[3] = 0
    A = feature_sign(twice, Y, 0.05)
    assert violation(twice, Y, A, 0.05) < 1e-9
    assert torch.equal(A[3], torch.zeros_like(A[3]))
    assert feature_sign(D, Y[:0], 0.1).shape == (0, 80)


def test_an_orthonormal_dictionary_is_soft_thresholding(generator):
    Q = torch.linalg.qr(torch.randn(12, 12, generator=generator, dtype=torch.float64)).Q
    Y = torch.randn(9, 12, generator=generator, dtype=torch.float64)
    expected = torch.nn.functional.softshrink(Y @ Q, 0.4)
    assert torch.allclose(feature_sign(Q, Y, 0.4), expected, atol=1e-12)


@pytest.mark.parametrize("lam", [0.0, -1.0, float("nan")])
def test_lambda_is_positive(lam):
    with pytest.raises(InvalidParameter, match="lam"):
        feature_sign(torch.eye(2), torch.ones(1, 2), lam)
