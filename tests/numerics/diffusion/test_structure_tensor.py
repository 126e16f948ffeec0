import numpy as np
import pytest
import scipy.ndimage
import torch

from restora.numerics.diffusion.structure_tensor import (
    Charbonnier,
    CoherenceEnhancing,
    EdgeEnhancing,
    PowerLaw,
    central_gradient,
    structure_tensor,
    tensor_field,
)

LAWS = {
    "eed": (EdgeEnhancing(0.3), lambda a, b: (1 - np.exp(-3.31488 / (a / 0.09) ** 4), np.ones_like(a))),
    "ced": (
        CoherenceEnhancing(0.01, 0.3),
        lambda a, b: (np.full_like(a, 0.01), 0.01 + 0.99 * np.exp(-(0.3**4) / (a - b) ** 2)),
    ),
    "charbonnier": (Charbonnier(0.3), lambda a, b: ((1 + a / 0.09) ** -0.5, np.ones_like(a))),
    "power": (PowerLaw(0.3, 0.8), lambda a, b: ((1 + 255**2 * (a + b)) ** -0.8, (1 + 255**2 * (a + b)) ** -0.3)),
}


def picture(size, channels=1):
    return torch.from_numpy(np.random.default_rng(0).random((2, channels, *size)))


@pytest.mark.parametrize("size", [(2, 2), (9, 7), (200, 180)], ids=str)
@pytest.mark.parametrize("rho", [0.0, 1.5])
def test_it_is_the_mean_of_the_products_of_the_differences(size, rho):
    u = picture(size, 3)
    y, x = np.gradient(u.numpy(), axis=(-2, -1))
    products = np.stack([np.mean(p * q, axis=1) for p, q in ((x, x), (x, y), (y, y))], axis=1)
    expected = scipy.ndimage.gaussian_filter(products, (0, 0, rho, rho), mode="reflect") if rho else products
    for v, tolerance in ((u, 1e-14), (u.float(), 1e-6), (u.clone().requires_grad_(), 1e-14)):
        assert np.allclose(structure_tensor(v, rho).detach().numpy(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (6, 1)], ids=str)
def test_a_line_has_no_gradient_across(size):
    u = picture(size)
    y, x = central_gradient(u)
    J = structure_tensor(u)
    assert torch.allclose(J[:, 0], x[:, 0] ** 2, rtol=1e-12)
    assert torch.allclose(J[:, 2], y[:, 0] ** 2, rtol=1e-12)
    assert not y.any() if size[0] == 1 else not x.any()


@pytest.mark.parametrize("name", LAWS)
def test_the_axes_are_kept_and_the_eigenvalues_changed(name):
    law, eigenvalues = LAWS[name]
    J = structure_tensor(picture((40, 30), 3), 0.7)
    matrices = np.stack([J[:, 0], J[:, 1], J[:, 1], J[:, 2]], axis=-1).reshape(2, 40, 30, 2, 2)
    mu, v = np.linalg.eigh(matrices)
    across, along = eigenvalues(mu[..., 1], mu[..., 0])
    expected = v @ (np.stack([along, across], axis=-1)[..., None] * np.swapaxes(v, -1, -2))
    for K, tolerance in ((J, 1e-11), (J.float(), 2e-5), (J.clone().requires_grad_(), 1e-11)):
        D = tensor_field(K, law).detach().numpy()
        assert np.allclose(D[:, 0], expected[..., 0, 0], rtol=0, atol=tolerance)
        assert np.allclose(D[:, 1], expected[..., 0, 1], rtol=0, atol=tolerance)
        assert np.allclose(D[:, 2], expected[..., 1, 1], rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_where_the_image_is_flat_diffusion_is_isotropic(name, dtype):
    D = tensor_field(torch.zeros(1, 3, 4, 5, dtype=dtype), LAWS[name][0])
    rate = 0.01 if name == "ced" else 1.0
    assert torch.allclose(D[:, 0], torch.full_like(D[:, 0], rate), rtol=1e-5)
    assert torch.equal(D[:, 0], D[:, 2])
    assert not D[:, 1].any()


def test_gradients_are_those_of_finite_differences():
    J = structure_tensor(picture((4, 5), 2), 1.0).requires_grad_()
    for law, _ in LAWS.values():
        assert torch.autograd.gradcheck(lambda K, law=law: tensor_field(K, law), J)
