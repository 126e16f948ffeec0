import numpy as np
import pytest
import torch

from restora.numerics.gaussian_scale_mixture import LOG_SCALES, Mixture, posterior_mean


def random_covariance(n, seed):
    root = np.random.default_rng(seed).standard_normal((n, n)) / n**0.5
    return root @ root.T + 0.1 * np.eye(n)


def from_the_densities(y, signal, noise, centre):
    """E[x_c | y] with the N(0, zC_u + C_w) densities written out."""
    logs, means = [], []
    for z in np.exp(LOG_SCALES):
        total = z * signal + noise
        logs.append(-0.5 * (np.linalg.slogdet(total)[1] + y @ np.linalg.solve(total, y)))
        means.append((z * signal @ np.linalg.solve(total, y))[centre])
    p = np.exp(np.array(logs) - max(logs))
    return (p * means).sum() / p.sum()


@pytest.mark.parametrize("kernel", ["serial", "threaded", "torch"])
@pytest.mark.parametrize(("window", "with_parent"), [(3, True), (3, False), (1, True), (5, False)])
def test_it_is_the_posterior_mean(kernel, window, with_parent, monkeypatch):
    if kernel == "threaded":
        monkeypatch.setattr("restora.numerics.gaussian_scale_mixture_cpu._SERIAL", 0)
    random = np.random.default_rng(0)
    band, parent = 3 * random.standard_normal((2, 7, 150))
    n = window**2 + with_parent
    signal, noise = random_covariance(n, 1), random_covariance(n, 2)
    centre, radius = window**2 // 2, window // 2
    mixture = Mixture.of(torch.from_numpy(signal), torch.from_numpy(noise), centre)
    given = torch.from_numpy(band).requires_grad_(kernel == "torch")
    found = posterior_mean(given, torch.from_numpy(parent) if with_parent else None, window, mixture).detach()
    wrapped = np.pad(band, radius, mode="wrap")
    for i, j in ((0, 0), (3, 64), (6, 127), (2, 128), (5, 149)):
        y = wrapped[i : i + window, j : j + window].ravel()
        y = np.append(y, parent[i, j]) if with_parent else y
        assert float(found[i, j]) == pytest.approx(from_the_densities(y, signal, noise, centre), abs=1e-9)


def test_the_kernels_agree_in_single_precision():
    band = 5 * torch.randn(20, 140, generator=torch.Generator().manual_seed(0))
    mixture = Mixture.of(*(torch.from_numpy(random_covariance(9, seed)) for seed in (3, 4)), 4)
    numba = posterior_mean(band, None, 3, mixture)
    torches = posterior_mean(band.clone().requires_grad_(), None, 3, mixture)
    assert numba.dtype == torch.float32
    assert torch.allclose(numba, torches.detach(), rtol=0, atol=2e-5)


def test_coordinates_without_signal_are_left_out():
    signal = torch.zeros(9, 9, dtype=torch.float64)
    signal[:4, :4] = torch.from_numpy(random_covariance(4, 5))
    mixture = Mixture.of(signal, torch.eye(9, dtype=torch.float64), 2)
    assert len(mixture.centre) == 4
    band = torch.randn(6, 8, dtype=torch.float64)
    none = Mixture.of(-torch.eye(9, dtype=torch.float64), torch.eye(9, dtype=torch.float64), 4)
    assert torch.equal(posterior_mean(band, None, 3, none), torch.zeros_like(band))


def test_negative_variances_go_and_the_trace_stays():
    noise = torch.eye(2, dtype=torch.float64)
    mixture = Mixture.of(torch.diag(torch.tensor([3.0, -1.0], dtype=torch.float64)), noise, 0)
    # What is left is one coordinate of variance 3 − 1 = 2.
    z = torch.tensor(LOG_SCALES, dtype=torch.float64).exp()
    assert torch.allclose(mixture.gains[:, 0], 2 * z / (1 + 2 * z), rtol=1e-12)


def test_loud_neighbourhoods_are_kept_and_faint_ones_removed():
    covariance = torch.from_numpy(random_covariance(9, 6))
    mixture = Mixture.of(covariance, covariance, 4)  # so that the estimate is y times the mean of z/(1 + z)
    y = torch.ones(5, 5, dtype=torch.float64)
    largest, least = (np.exp(z) for z in (LOG_SCALES[-1], LOG_SCALES[0]))
    assert torch.allclose(posterior_mean(300 * y, None, 3, mixture), 300 * y * largest / (1 + largest), rtol=1e-6)
    assert float(posterior_mean(1e-6 * y, None, 3, mixture)[0, 0]) < 0.05e-6
    assert least < 1e-8


def test_gradients_pass():
    mixture = Mixture.of(*(torch.from_numpy(random_covariance(9, seed)) for seed in (8, 9)), 4)
    band = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda band: posterior_mean(band, None, 3, mixture), (band,))
