import numpy as np
import pytest
import torch

from restora.numerics.diffusion.aos import aos_reach, aos_step


def line_matrix(g):
    """A of one line: ∂(g ∂u) with the mean conductance at faces and none at the ends."""
    faces = (g[1:] + g[:-1]) / 2
    diagonal = -np.concatenate([faces, [0]]) - np.concatenate([[0], faces])
    return np.diag(diagonal) + np.diag(faces, 1) + np.diag(faces, -1)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (2, 2), (17, 33), (70, 50)], ids=str)
@pytest.mark.parametrize("step", [0.2, 5.0])
def test_it_solves_the_system_of_every_line(size, step):
    draws = np.random.default_rng(0)
    u, g = draws.random((2, 2, *size)), draws.random((2, 1, *size))
    expected = np.zeros_like(u)
    for b in range(2):
        for j in range(size[1]):
            system = np.eye(size[0]) - 2 * step * line_matrix(g[b, 0, :, j])
            expected[b, :, :, j] += np.linalg.solve(system, u[b, :, :, j].T).T / 2
        for i in range(size[0]):
            system = np.eye(size[1]) - 2 * step * line_matrix(g[b, 0, i])
            expected[b, :, i] += np.linalg.solve(system, u[b, :, i].T).T / 2
    v, conductance = torch.from_numpy(u), torch.from_numpy(g)
    assert np.allclose(aos_step(v, conductance, step).numpy(), expected, rtol=0, atol=1e-13)
    assert np.allclose(aos_step(v.float(), conductance.float(), step).numpy(), expected, rtol=0, atol=2e-6)
    by_torch = aos_step(v.clone().requires_grad_(), conductance, step)
    assert np.allclose(by_torch.detach().numpy(), expected, rtol=0, atol=1e-13)


def test_an_impulse_is_not_felt_beyond_its_reach():
    u = torch.zeros(1, 1, 1, 801, dtype=torch.float64)
    u[..., 400] = 1
    v = aos_step(u, torch.ones_like(u), 5.0)[0, 0, 0] - u[0, 0, 0] / 2
    reach = aos_reach(5.0)
    assert v[400 + reach] < 1e-7 * v[400] < v[400 + reach - 2]
