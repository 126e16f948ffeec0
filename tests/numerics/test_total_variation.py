"""Both backends of the half-steps against each other and against the equation written with dense operations."""

import pytest
import torch

from restora.numerics import total_variation as module
from restora.numerics.differences import divergence, gradient
from restora.numerics.prox import project_ball
from restora.numerics.total_variation import ascend, descend, fuses, total_variation

SHAPES = pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (1, 3, 1, 6), (2, 1, 7, 1), (2, 3, 5, 4), (1, 2, 40, 33)], ids=str
)
DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
BACKENDS = pytest.mark.parametrize("recorded", [False, True], ids=["numba", "torch"])


@SHAPES
@DTYPES
@BACKENDS
def test_ascending_is_a_projected_gradient_step(shape, dtype, tolerance, recorded):
    x = torch.randn(shape, dtype=dtype)
    p = torch.randn(shape[0], 2, *shape[1:], dtype=dtype)
    before = p.clone(), x.clone()
    found = ascend(p.requires_grad_(recorded), x, 0.3, 0.8).detach()
    assert torch.allclose(found, project_ball(p + 0.3 * gradient(x), 0.8, dim=(1, 2)).detach(), atol=tolerance)
    assert float(found.square().sum((1, 2)).max()) <= 0.8**2 + 10 * tolerance
    assert torch.equal(p.detach(), before[0])
    assert torch.equal(x, before[1])


@SHAPES
@DTYPES
@BACKENDS
def test_descending_adds_the_divergence(shape, dtype, tolerance, recorded):
    x = torch.randn(shape, dtype=dtype)
    p = torch.randn(shape[0], 2, *shape[1:], dtype=dtype)
    found = descend(x.requires_grad_(recorded), p, 0.3).detach()
    assert torch.allclose(found, (x + 0.3 * divergence(p)).detach(), atol=10 * tolerance)


@SHAPES
@BACKENDS
def test_total_variation_is_the_sum_of_the_norms_of_the_gradients(shape, recorded):
    x = torch.randn(shape, dtype=torch.float64)
    expected = [sum(float(g[:, :, i, j].norm()) for i in range(shape[2]) for j in range(shape[3])) for g in gradient(x)]
    assert total_variation(x.requires_grad_(recorded)).tolist() == pytest.approx(expected)


def test_a_disc_edge_of_height_one_has_the_variation_of_its_perimeter():
    x = torch.zeros(1, 1, 8, 8)
    x[..., 4:] = 1
    assert float(total_variation(x)) == pytest.approx(8)


def test_views_that_are_not_contiguous_are_taken():
    x = torch.randn(1, 2, 9, 8, dtype=torch.float64).mT
    assert torch.allclose(descend(x, gradient(x), 0.1), x + 0.1 * divergence(gradient(x)))


@pytest.mark.parametrize("serial", [0, 1 << 30], ids=["parallel", "serial"])
def test_threads_do_not_change_the_half_steps(serial, monkeypatch):
    monkeypatch.setattr(module, "SERIAL", serial)
    x, p = torch.randn(2, 3, 70, 11, dtype=torch.float64), torch.randn(2, 2, 3, 70, 11, dtype=torch.float64)
    assert torch.allclose(ascend(p, x, 0.3, 0.8), project_ball(p + 0.3 * gradient(x), 0.8, dim=(1, 2)))
    assert torch.allclose(descend(x, p, 0.3), x + 0.3 * divergence(p))


def test_only_plain_tensors_are_fused():
    x = torch.zeros(1, 1, 4, 4)
    assert fuses(x)
    assert not fuses(x.half())
    assert not fuses(x.expand(2, 1, 4, 4))
    assert not fuses(x.clone().requires_grad_())
