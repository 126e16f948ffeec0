"""Every proximal map against the problem it solves: a global search in one dimension, and firm non-expansiveness."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.numerics import prox

GROUP = (0,)


@dataclass(frozen=True)
class Map:
    """A map as a function of (v, τ), its R for one-dimensional u (a tensor of candidates), and whether R is convex."""

    name: str
    apply: Callable[[Tensor, float], Tensor]
    penalty: Callable[[Tensor], Tensor]
    convex: bool = True


def power(p):
    return Map(f"power-{p:.2g}", lambda v, tau: prox.shrink_power(v, tau, p), lambda u: u.abs() ** p, p == 1)


def outside(forbidden):
    return torch.where(forbidden, torch.inf, 0.0)


MAPS = (
    Map("quadratic", prox.shrink_quadratic, lambda u: u**2),
    Map("soft", prox.soft_threshold, torch.abs),
    Map("hard", prox.hard_threshold, lambda u: (u != 0).double(), False),
    Map("group", lambda v, tau: prox.group_soft_threshold(v, tau, GROUP), torch.abs),
    *(power(p) for p in (0.1, 0.3, 0.5, 0.6, 2 / 3, 0.8, 0.95, 1.0)),
    Map("nuclear", lambda v, tau: prox.singular_value_threshold(v[..., None, None], tau)[..., 0, 0], torch.abs),
    Map("box", lambda v, tau: prox.project_box(v, -0.5, 0.7), lambda u: outside((u < -0.5) | (u > 0.7))),
    Map("ball", lambda v, tau: prox.project_ball(v, 0.6, GROUP), lambda u: outside(u.abs() > 0.6 + 1e-12)),
)
every_map = pytest.mark.parametrize("map_", MAPS, ids=lambda m: m.name)
values = st.floats(-3, 3, allow_subnormal=False)
weights = st.floats(1e-3, 2)


def objective(map_, u, v, tau):
    return 0.5 * (u - v) ** 2 + tau * map_.penalty(u)


@every_map
@settings(deadline=None, max_examples=60)
@given(v=values, tau=weights)
def test_no_point_of_a_fine_grid_is_better(map_, v, tau):
    u = map_.apply(torch.tensor([v], dtype=torch.float64), tau)
    candidates = torch.cat(
        (torch.linspace(-3.5, 3.5, 14001, dtype=torch.float64), torch.tensor([0.0, v, -0.5, 0.7, -0.6, 0.6]))
    )
    best = objective(map_, candidates, v, tau).min()
    assert float(objective(map_, u, v, tau)) <= float(best) + 1e-9


@pytest.mark.parametrize("factor", [0.9, 0.99, 1.01, 1.1])
@pytest.mark.parametrize("tau", [0.02, 0.5, 1.7])
@pytest.mark.parametrize("map_", [m for m in MAPS if not m.convex], ids=lambda m: m.name)
def test_the_jump_is_where_the_objective_says(map_, tau, factor):
    v = torch.linspace(0, 6, 60001, dtype=torch.float64)
    jump = float(v[map_.apply(v, tau) > 0][0]) * factor
    candidates = torch.linspace(1e-6, 7, 70001, dtype=torch.float64)
    keeping_is_better = objective(map_, candidates, jump, tau).min() < 0.5 * jump**2
    assert bool(keeping_is_better) == (factor > 1)


@every_map
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_vanishing_weight_changes_nothing(map_, dtype):
    v = torch.tensor([-0.45, -1e-3, 0.0, 2e-3, 0.55], dtype=dtype)
    for entry in v:
        assert torch.allclose(map_.apply(entry[None], 0.0), entry[None], rtol=1e-6)
        assert torch.allclose(map_.apply(entry[None], 1e-30), entry[None], rtol=1e-6)


@every_map
def test_single_precision_is_right_to_its_rounding(map_):
    v = torch.linspace(-3, 3, 301)
    for entry in v:
        u = map_.apply(entry[None], 0.3)
        assert u.dtype == torch.float32
        assert torch.allclose(u.double(), map_.apply(entry[None].double(), 0.3), atol=1e-6)


@pytest.mark.parametrize("map_", [m for m in MAPS if m.convex], ids=lambda m: m.name)
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), tau=weights)
def test_convex_maps_are_firmly_non_expansive(map_, seed, tau):
    a, b = torch.randn(2, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    difference = map_.apply(a, tau) - map_.apply(b, tau)
    assert float(difference @ difference) <= float(difference @ (a - b)) + 1e-9


@every_map
def test_the_input_is_left_as_it_is(map_):
    v = torch.tensor([0.3, -2.0])
    before = v.clone()
    map_.apply(v, 0.5)
    assert torch.equal(v, before)


def test_groups_shrink_towards_zero_together():
    v = torch.randn(3, 2, 4, 5, 6, dtype=torch.float64)
    u = prox.group_soft_threshold(v, 0.7, dim=(1, 2))
    for b, i, j in ((0, 0, 0), (2, 4, 5), (1, 3, 2)):
        group = v[b, :, :, i, j]
        expected = group * max(1 - 0.7 / float(group.norm()), 0)
        assert torch.allclose(u[b, :, :, i, j], expected)


def test_shrinkage_and_projection_of_groups_add_up_to_the_identity():
    v = torch.randn(2, 3, 4, dtype=torch.float64)
    shrunk, projected = prox.group_soft_threshold(v, 0.9, dim=(1,)), prox.project_ball(v, 0.9, dim=(1,))
    assert torch.allclose(shrunk + projected, v)


def test_singular_values_are_softened():
    v = torch.randn(2, 5, 3, dtype=torch.float64)
    u = prox.singular_value_threshold(v, 0.8)
    # The subgradient condition (v − u)/τ = UVᵀ + W with WᵀU = 0, ‖W‖ <= 1, by the two inequalities it is equivalent to.
    slope = (v - u) / 0.8
    assert bool((torch.linalg.matrix_norm(slope, 2) <= 1 + 1e-9).all())
    assert torch.allclose((slope * u).sum((-2, -1)), torch.linalg.matrix_norm(u, "nuc"))


def test_a_tensor_weighs_every_singular_value():
    v = torch.diag(torch.tensor([5.0, 3.0, 1.0], dtype=torch.float64))
    u = prox.singular_value_threshold(v, torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64))
    assert torch.allclose(u.diag(), torch.tensor([4.5, 2.0, 0.0], dtype=torch.float64))


@pytest.mark.parametrize("name", ["soft_threshold", "hard_threshold", "shrink_quadratic"])
def test_a_tensor_weighs_every_entry(name):
    function = getattr(prox, name)
    v, tau = torch.tensor([-2.0, 0.5, 3.0]), torch.tensor([0.1, 1.0, 0.7])
    assert torch.equal(function(v, tau), torch.stack([function(a, float(t)) for a, t in zip(v, tau)]))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), radius=st.floats(0.1, 5))
def test_the_projection_on_the_simplex_satisfies_its_optimality_conditions(seed, radius):
    v = torch.randn(4, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    u = prox.project_simplex(v, radius)
    assert torch.allclose(u.sum(-1), torch.full((4,), radius, dtype=torch.float64))
    assert bool((u >= 0).all())
    # ⟨v − u, w − u⟩ <= 0 for every vertex w of the simplex.
    residual = v - u
    assert bool((radius * residual.amax(-1) - (residual * u).sum(-1) <= 1e-9).all())


def test_the_simplex_may_lie_along_any_axis():
    v = torch.randn(3, 4, 5, dtype=torch.float64)
    assert torch.allclose(prox.project_simplex(v, dim=1), prox.project_simplex(v.movedim(1, -1)).movedim(-1, 1))


@pytest.mark.parametrize(
    "call",
    [
        lambda v: prox.soft_threshold(v, -0.1),
        lambda v: prox.hard_threshold(v, torch.tensor(-0.1)),
        lambda v: prox.shrink_power(v, 0.1, 0.0),
        lambda v: prox.shrink_power(v, 0.1, 1.5),
        lambda v: prox.shrink_power(v, float("nan"), 0.5),
        lambda v: prox.project_box(v, 1.0, 0.0),
        lambda v: prox.project_ball(v, 0.0, (0,)),
        lambda v: prox.project_simplex(v, -1.0),
    ],
)
def test_parameters_out_of_range_are_refused(call):
    with pytest.raises(InvalidParameter):
        call(torch.ones(3))
