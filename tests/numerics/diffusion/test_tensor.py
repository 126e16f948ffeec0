import numpy as np
import pytest
import torch

from restora.numerics.diffusion.tensor import tensor_step, tensor_velocity

STENCILS = ("central", "nonnegative", "trace")
X, Y = torch.meshgrid(torch.arange(9.0, dtype=torch.float64), torch.arange(8.0, dtype=torch.float64), indexing="xy")


def random_field(size, seed=0, least=0.05):
    """Tensors of random axes with eigenvalues between ``least`` and 1."""
    draw = np.random.default_rng(seed).random((3, 1, *size))
    angle, big, small = np.pi * draw[0], least + (1 - least) * draw[1], least + (1 - least) * draw[2]
    cos, sin = np.cos(angle), np.sin(angle)
    planes = (
        big * cos**2 + small * sin**2,
        (big - small) * cos * sin,
        big * sin**2 + small * cos**2,
    )
    return torch.from_numpy(np.stack(planes, axis=1))


def matrix(D, stencil):
    """A(D) as a dense matrix, a column an impulse."""
    h, w = D.shape[-2:]
    impulses = torch.eye(h * w, dtype=D.dtype).reshape(h * w, 1, h, w)
    columns = [tensor_velocity(impulse[None], D, stencil).flatten() for impulse in impulses]
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize("stencil", STENCILS)
def test_a_paraboloid_has_the_constant_velocity_of_its_curvature(stencil):
    a, b, c, q, r, s = 0.7, -0.3, 0.4, 1.1, 0.6, -0.8
    u = (q * X**2 / 2 + r * X * Y + s * Y**2 / 2)[None, None]
    D = torch.tensor([a, b, c], dtype=torch.float64).reshape(1, 3, 1, 1).expand(1, 3, 8, 9)
    inside = tensor_velocity(u, D, stencil)[..., 1:-1, 1:-1]
    assert torch.allclose(inside, torch.full_like(inside, a * q + 2 * b * r + c * s), rtol=1e-11)


@pytest.mark.parametrize(("stencil", "moves"), [("central", True), ("nonnegative", True), ("trace", False)])
def test_a_plane_moves_where_the_tensor_varies(stencil, moves):
    u = (0.3 * X + 0.5 * Y)[None, None]
    D = torch.stack((2 + 0.1 * X, 0.5 + 0.02 * X + 0.03 * Y, 2 + 0.2 * Y))[None]
    inside = tensor_velocity(u, D, stencil)[..., 1:-1, 1:-1]
    expected = 0.3 * 0.1 + 0.5 * 0.02 + 0.3 * 0.03 + 0.5 * 0.2 if moves else 0.0
    assert torch.allclose(inside, torch.full_like(inside, expected), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("stencil", ["central", "nonnegative"])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (2, 3), (6, 7)], ids=str)
def test_it_is_symmetric_keeps_the_mean_and_is_stable(stencil, size):
    A = matrix(random_field(size), stencil)
    assert torch.allclose(A, A.T, rtol=0, atol=1e-14)
    assert torch.allclose(A.sum(0), torch.zeros(len(A), dtype=A.dtype), atol=1e-14)
    waves = torch.linalg.eigvalsh(A)
    assert waves.max() < 1e-12
    assert waves.min() >= -8


def test_weights_are_nonnegative_where_the_tensor_is_well_conditioned():
    D = random_field((1, 1), seed=3, least=0.2).expand(1, 3, 6, 7)
    for angle in np.linspace(0, np.pi, 13):
        cos, sin = np.cos(angle), np.sin(angle)
        D = torch.tensor([cos**2 + sin**2 / 5.8, (1 - 1 / 5.8) * cos * sin, sin**2 + cos**2 / 5.8], dtype=torch.float64)
        A = matrix(D.reshape(1, 3, 1, 1).expand(1, 3, 6, 7), "nonnegative")
        assert (A - torch.diag(A.diag())).min() > -1e-12


@pytest.mark.parametrize("stencil", STENCILS)
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (2, 3), (33, 20), (200, 190)], ids=str)
def test_torch_and_numba_agree(stencil, size):
    u = torch.from_numpy(np.random.default_rng(1).random((2, 2, *size)))
    D = torch.cat([random_field(size, 0), random_field(size, 1)])
    by_torch = tensor_step(u.clone().requires_grad_(), D, 0.2, stencil).detach()
    assert torch.allclose(tensor_step(u, D, 0.2, stencil), by_torch, rtol=0, atol=1e-13)
    assert torch.allclose(tensor_step(u.float(), D.float(), 0.2, stencil).double(), by_torch, rtol=0, atol=1e-6)
