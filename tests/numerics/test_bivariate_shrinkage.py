import numpy as np
import pytest
import torch

from restora.numerics.bivariate_shrinkage import bivariate_shrinkage, energy


def one_by_one(theta, norms, parent, sigma, window):
    """The formula, coefficient by coefficient, for an array (u, v, m)."""
    u, v, m = theta.shape
    own = ((theta / norms) ** 2).sum(-1)
    padded = np.pad(own, window // 2, mode="symmetric")
    out = np.zeros_like(theta)
    for i in range(u):
        for j in range(v):
            variance = padded[i : i + window, j : j + window].mean() / m
            sigma_x = max(variance - sigma**2, 0) ** 0.5
            r = (own[i, j] + parent[i // 2, j // 2]) ** 0.5
            if sigma_x > 0:
                out[i, j] = theta[i, j] * max(r - 3**0.5 * sigma**2 / sigma_x, 0) / r
    return out, own


def example(components, dtype=torch.float64):
    random = np.random.default_rng(0)
    theta = torch.from_numpy(random.standard_normal((2, 3, 4, 9, 11, components))).to(dtype)
    norms = torch.from_numpy(random.uniform(0.5, 1.5, (4, 9, 11, components))).to(dtype)
    parent = torch.from_numpy(random.exponential(1, (2, 3, 4, 5, 6))).to(dtype)
    return theta, norms, parent


@pytest.mark.parametrize("components", [1, 2])
@pytest.mark.parametrize("kernel", ["serial", "threaded", "torch"])
@pytest.mark.parametrize("window", [1, 7])
def test_it_is_the_formula(components, kernel, window, monkeypatch):
    theta, norms, parent = example(components)
    if kernel == "threaded":
        monkeypatch.setattr("restora.numerics.bivariate_shrinkage._SERIAL", 0)
    given = theta.clone().requires_grad_() if kernel == "torch" else theta
    found, own = bivariate_shrinkage(given, norms, parent, 0.7, window)
    for index in np.ndindex(2, 3, 4):
        expected, energies = one_by_one(
            theta[index].numpy(), norms[index[2]].numpy(), parent[index].numpy(), 0.7, window
        )
        assert np.allclose(found[index].detach(), expected, rtol=0, atol=1e-12)
        assert np.allclose(own[index].detach(), energies, rtol=1e-12)
    assert torch.allclose(energy(theta, norms), own, rtol=1e-12)


def test_single_precision_follows_double():
    double = bivariate_shrinkage(*example(2), 0.7, 7)[0]
    single = bivariate_shrinkage(*example(2, torch.float32), 0.7, 7)[0]
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), double, rtol=0, atol=1e-5)


def test_norms_of_one_value_serve_the_whole_band():
    theta, _, parent = example(1)
    found, _ = bivariate_shrinkage(theta, torch.full((4, 1, 1, 1), 0.8).double(), parent, 0.7, 7)
    expected, _ = bivariate_shrinkage(theta, torch.full((4, 9, 11, 1), 0.8).double(), parent, 0.7, 7)
    assert torch.allclose(found, expected, rtol=0, atol=1e-15)


def test_nothing_becomes_nothing():
    zero = torch.zeros(1, 1, 1, 4, 4, 2)
    found, own = bivariate_shrinkage(zero, torch.ones(1, 1, 1, 2), torch.zeros(1, 1, 1, 2, 2), 0.1, 7)
    assert torch.equal(found, zero)
    assert torch.equal(own, zero[..., 0])


def test_gradients_pass():
    theta, norms, parent = (part[:1, :1, :1] if part.ndim > 4 else part[:1] for part in example(2))
    theta = theta[..., :3, :3, :].clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda theta: bivariate_shrinkage(theta, norms[:, :3, :3], parent[..., :2, :2], 0.3, 3)[0], (theta,)
    )
