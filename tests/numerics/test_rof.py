"""Three solvers and their kernels: against dense equations, each other, and the stored figures of a photograph."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from restora.core.result import Code
from restora.numerics import rof, rof_cpu
from restora.numerics.differences import divergence, gradient
from restora.numerics.iterate import Limits
from restora.numerics.prox import project_ball
from restora.numerics.total_variation import total_variation

SHAPES = pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 5, 4), (1, 2, 129, 3), (2, 1, 200, 9)], ids=str)
DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
THREADS = pytest.mark.parametrize("serial", [0, 1 << 30], ids=["parallel", "serial"])


def dual(shape, dtype):
    return project_ball(gradient(torch.randn(shape, dtype=dtype)), 0.8, dim=(1, 2))


@SHAPES
@DTYPES
@THREADS
def test_the_primal_dual_kernel_is_the_two_half_steps(shape, dtype, tolerance, serial, monkeypatch):
    monkeypatch.setattr(rof_cpu, "SERIAL", serial)
    y, x, x_bar = torch.randn(3, *shape, dtype=dtype)
    p = dual(shape, dtype)
    p_next = project_ball(p + 0.3 * gradient(x_bar), 0.8, dim=(1, 2))
    x_next = (x + 0.2 * (divergence(p_next) + y)) / 1.2
    x_bar_next = x_next + 0.7 * (x_next - x)
    rof_cpu.primal_dual_step(p, x, x_bar, y, sigma=0.3, tau=0.2, theta=0.7, radius=0.8)
    for found, expected in ((p, p_next), (x, x_next), (x_bar, x_bar_next)):
        assert torch.allclose(found, expected, atol=tolerance)


@SHAPES
@DTYPES
@THREADS
def test_the_dual_kernels_are_their_equations(shape, dtype, tolerance, serial, monkeypatch):
    monkeypatch.setattr(rof_cpu, "SERIAL", serial)
    y, p, q = torch.randn(shape, dtype=dtype), dual(shape, dtype), dual(shape, dtype)
    p_next = project_ball(q + 0.125 * gradient(y + divergence(q)), 0.8, dim=(1, 2))
    q_next = p_next + 0.6 * (p_next - p)
    g = gradient(y + divergence(p))
    implicit = (p + 0.25 * g) / (1 + 0.25 / 0.8 * g.square().sum((1, 2), keepdim=True).sqrt())
    other = p.clone()
    rof_cpu.dual_step(p, q, y, tau=0.125, momentum=0.6, radius=0.8)
    rof_cpu.semi_implicit_step(other, y, tau=0.25, radius=0.8)
    for found, expected in ((p, p_next), (q, q_next), (other, implicit)):
        assert torch.allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_three_solvers_agree_to_their_gaps(channels, camera):
    noise = 0.1 * torch.randn(1, channels, 20, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = camera[..., :20, :24].double() + noise
    found = {name: rof.minimise(y, 0.07, name, Limits(1e-6, 20000)) for name in ("pdhg", "fista", "chambolle")}
    for solution in found.values():
        assert solution.status.code is Code.CONVERGED
        assert solution.stats[-1]["objective"] == pytest.approx(found["fista"].stats[-1]["objective"], rel=2e-6)
        radius = math.sqrt(2 * 1e-6 * solution.stats[-1]["objective"])
        assert float((solution.x - found["fista"].x).norm()) <= 2 * radius


@pytest.mark.parametrize("solver", ["pdhg", "fista", "chambolle"])
def test_tensors_with_gradients_take_the_same_path(solver, camera):
    y = camera[..., :30, :28].double()
    plain = rof.minimise(y, 0.07, solver, Limits(1e-9, 20))
    recorded = rof.minimise(y.clone().requires_grad_(), 0.07, solver, Limits(1e-9, 20))
    assert recorded.x.requires_grad
    assert torch.allclose(plain.x, recorded.x.detach(), atol=1e-12)
    assert plain.stats[-1]["error"] == pytest.approx(recorded.stats[-1]["error"], rel=1e-8)


def test_the_gap_is_the_difference_of_the_objectives():
    y, x = torch.randn(2, 2, 3, 6, 5, dtype=torch.float64)
    p = dual(y.shape, torch.float64)
    primal = 0.5 * (x - y).square().sum((1, 2, 3)) + 0.8 * total_variation(x)
    highest = 0.5 * y.square().sum((1, 2, 3)) - 0.5 * (y + divergence(p)).square().sum((1, 2, 3))
    measure = rof.gap(x, p, y, 0.8)
    assert torch.allclose(measure.objective, primal)
    assert torch.allclose(measure.error * primal, primal - highest)


def test_a_warm_start_goes_on_where_the_last_one_ended(camera):
    v = camera[..., :24, :24].double()
    p = v.new_zeros(1, 2, 1, 24, 24)
    for _ in range(40):
        u, p = rof.prox(v, 0.05, p, 10)
    exact = rof.minimise(v, 0.05, "fista", Limits(1e-10, 5000)).x
    cold = rof.prox(v, 0.05, v.new_zeros(p.shape), 10)[0]
    assert float((u - exact).norm()) < 0.2 * float((cold - exact).norm())
    assert torch.allclose(rof.prox(v, 0.02, p, 0)[1], project_ball(p, 0.02, dim=(1, 2)))


@pytest.mark.parametrize(
    ("solver", "expected"),
    # relative error of the objective 1e-2, 1e-3, 1e-4 against 2.34129e7 (on 0 … 255), by plain NumPy iterations of each
    [("pdhg", (14, 35, 84)), ("fista", (15, 47, 123)), ("chambolle", (16, 86, 429))],
)
def test_house_takes_as_many_iterations_as_measured_before(solver, expected, data_dir):
    clean = np.asarray(Image.open(data_dir / "test/Set12/02.png")) / 255
    y = torch.from_numpy(clean + np.random.RandomState(0).normal(0, 25, clean.shape) / 255)[None, None]
    solution = rof.minimise(y, 17.5 / 255, solver, Limits(1e-12, expected[-1] + 12, every=1))
    errors = np.array([row["objective"] for row in solution.stats]) * 255**2 / 2.34129e7 - 1
    found = [int(np.argmax(errors <= target)) + 1 for target in (1e-2, 1e-3, 1e-4)]
    assert found == pytest.approx(expected, rel=0.04, abs=1)
