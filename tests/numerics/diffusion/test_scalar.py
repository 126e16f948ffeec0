import numpy as np
import pytest
import torch

from restora.numerics.diffusion.scalar import diffusion_step, perona_malik_step

SIZES = [(1, 1), (1, 7), (5, 1), (2, 2), (33, 20)]
LAWS = {
    "g1": lambda s: np.exp(-(s**2)),
    "g2": lambda s: 1 / (1 + s**2),
    "tukey": lambda s: np.where(s**2 <= 2, 0.5 * (1 - (s / 2**0.5) ** 2) ** 2, 0),
}


def picture(size, channels, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((2, channels, *size)))


def by_neighbours(u, K, law, step):
    """One image (c, h, w), pixel by pixel."""
    out = u.copy()
    for i, j in np.ndindex(u.shape[1:]):
        for k, l in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= k < u.shape[1] and 0 <= l < u.shape[2]:
                d = u[:, k, l] - u[:, i, j]
                out[:, i, j] += step * LAWS[law](np.sqrt(np.mean(d**2)) / K) * d
    return out


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_step_is_the_sum_over_four_neighbours(law, size):
    u, K = picture(size, 3), torch.tensor([0.2, 0.5])
    expected = np.stack([by_neighbours(u[k].numpy(), float(K[k]), law, 0.2) for k in (0, 1)])
    assert np.allclose(perona_malik_step(u, K, law, 0.2).numpy(), expected, rtol=0, atol=1e-14)
    assert np.allclose(perona_malik_step(u.float(), K, law, 0.2).numpy(), expected, rtol=0, atol=1e-6)
    by_torch = perona_malik_step(u.clone().requires_grad_(), K, law, 0.2)
    assert np.allclose(by_torch.detach().numpy(), expected, rtol=0, atol=1e-14)


def test_strips_join_without_a_seam():
    u = picture((150, 300), 1)
    K = torch.tensor([0.3, 0.3])
    whole = perona_malik_step(u, K, "g2", 0.25)
    by_torch = perona_malik_step(u.clone().requires_grad_(), K, "g2", 0.25)
    assert torch.allclose(whole, by_torch, rtol=0, atol=1e-14)


def test_the_mean_is_kept_and_no_value_leaves_the_range():
    u = picture((40, 30), 1)
    v = perona_malik_step(u, torch.tensor([0.3, 9.0]), "g2", 0.25)
    assert torch.allclose(v.mean((1, 2, 3)), u.mean((1, 2, 3)), rtol=1e-13)
    assert v.max() <= u.max()
    assert v.min() >= u.min()


def test_three_equal_channels_are_a_gray_image():
    u, K = picture((20, 30), 1), torch.tensor([0.3, 0.2])
    gray = perona_malik_step(u, K, "g1", 0.2).expand(-1, 3, -1, -1)
    assert torch.allclose(perona_malik_step(u.expand(-1, 3, -1, -1), K, "g1", 0.2), gray, rtol=0, atol=1e-14)


@pytest.mark.parametrize("size", [*SIZES, (150, 300)], ids=str)
def test_faces_conduct_the_mean_of_their_pixels(size):
    u, g = picture(size, 3), picture(size, 1, seed=1)
    expected = u.numpy().copy()
    for axis in (-1, -2):
        v, faces = np.swapaxes(u.numpy(), axis, -1), np.swapaxes(g.numpy(), axis, -1)
        flux = np.diff(v) * (faces[..., 1:] + faces[..., :-1]) / 2
        expected += 0.2 * np.swapaxes(np.diff(np.pad(flux, ((0, 0), (0, 0), (0, 0), (1, 1)))), axis, -1)
    assert np.allclose(diffusion_step(u, g, 0.2).numpy(), expected, rtol=0, atol=1e-14)
    assert np.allclose(
        diffusion_step(u.clone().requires_grad_(), g, 0.2).detach().numpy(), expected, rtol=0, atol=1e-14
    )


def test_gradients_are_those_of_finite_differences():
    u = picture((3, 4), 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: perona_malik_step(v, torch.tensor([0.3, 0.2]), "g1", 0.2), u)
