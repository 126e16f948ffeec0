"""The loop on small problems with known solutions: ridge regression (closed form), least deviations (a linear
programme)."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.result import Code
from restora.numerics import pdhg
from restora.numerics.iterate import Limits, Measure

K = np.random.RandomState(0).standard_normal((6, 4))
C = np.random.RandomState(1).standard_normal(6)


def column(a):
    """A vector as an image (1, 1, n, 1)."""
    return torch.from_numpy(np.asarray(a, dtype=float)).reshape(1, 1, -1, 1)


def apply(matrix, x: Tensor):
    return torch.from_numpy(matrix) @ x


@dataclass(frozen=True)
class Ridge:
    """min ½‖Kx − c‖² + γ/2 ‖x‖², in as many blocks as K is cut into."""

    blocks: tuple[tuple[np.ndarray, np.ndarray], ...]
    gamma: float

    def ascend(self, p, x, sigma):
        return tuple((q + s * (apply(k, x) - column(c))) / (1 + s) for q, s, (k, c) in zip(p, sigma, self.blocks))

    def descend(self, x, p, tau):
        return (x - tau * sum(apply(k.T.copy(), q) for q, (k, _) in zip(p, self.blocks))) / (1 + tau * self.gamma)

    def measure(self, before, after):
        change = (after.x - before.x).flatten(1).norm(dim=1)
        return Measure(change, change)

    def solution(self, state):
        return state.x

    def expected(self):
        k, c = (np.concatenate(parts) for parts in zip(*self.blocks))
        return np.linalg.solve(k.T @ k + self.gamma * np.eye(4), k.T @ c)


@dataclass(frozen=True)
class LeastDeviations(Ridge):
    """min ‖Kx − c‖₁."""

    def ascend(self, p, x, sigma):
        return tuple((q + s * (apply(k, x) - column(c))).clamp(-1, 1) for q, s, (k, c) in zip(p, sigma, self.blocks))


def solve(saddle, tolerance=1e-13, max_iterations=20000, images=1, tau=0.3):
    norms = [np.linalg.norm(k, 2) for k, _ in saddle.blocks]
    shares = [1 / len(norms)] * len(norms)
    p = tuple(torch.zeros(images, 1, len(c), 1, dtype=torch.float64) for _, c in saddle.blocks)
    state = pdhg.start(torch.zeros(images, 1, 4, 1, dtype=torch.float64), p, tau, pdhg.steps(tau, norms, shares))
    return pdhg.minimise(saddle, state, Limits(tolerance, max_iterations))


@pytest.mark.parametrize("gamma", [0.0, 0.7])
@pytest.mark.parametrize("cut", [(6,), (2, 6), (1, 3, 6)], ids=["one", "two", "three"])
def test_ridge_regression_has_its_closed_form(gamma, cut):
    ends = (0, *cut)
    saddle = Ridge(tuple((K[a:b], C[a:b]) for a, b in pairwise(ends)), gamma)
    assert np.allclose(solve(saddle, max_iterations=4000).x.flatten(), saddle.expected(), atol=1e-4)


def test_least_deviations_is_the_linear_programme():
    found = solve(LeastDeviations(((K, C),), 0.0)).x.flatten().numpy()
    one = np.eye(6)
    programme = linprog(
        np.r_[np.zeros(4), np.ones(6)],
        A_ub=np.block([[K, -one], [-K, -one]]),
        b_ub=np.r_[C, -C],
        bounds=[(None, None)] * 4 + [(0, None)] * 6,
    )
    assert np.abs(K @ found - C).sum() == pytest.approx(programme.fun, rel=1e-7)


def test_each_step_is_that_of_the_paper():
    saddle = Ridge(((K, C),), 0.7)
    rng = np.random.RandomState(2)
    x, x_bar, p, tau, sigma = rng.randn(4), rng.randn(4), rng.randn(6), 0.2, 0.1
    state = pdhg.step(saddle, pdhg.State(column(x), column(x_bar), (column(p),), tau, (sigma,)))
    p_next = (p + sigma * (K @ x_bar - C)) / (1 + sigma)
    x_next = (x - tau * K.T @ p_next) / (1 + tau * 0.7)
    theta = 1 / np.sqrt(1 + 2 * 0.7 * tau)
    assert np.allclose(state.p[0].flatten(), p_next)
    assert np.allclose(state.x.flatten(), x_next)
    assert np.allclose(state.x_bar.flatten(), x_next + theta * (x_next - x))
    assert (state.tau, state.sigma[0]) == pytest.approx((theta * tau, sigma / theta))


def test_dual_steps_reach_the_limit_of_convergence():
    sigma = pdhg.steps(0.4, (2.0, 3.0), (0.25, 0.75))
    assert 0.4 * (sigma[0] * 4 + sigma[1] * 9) == pytest.approx(1)


def test_an_image_does_not_depend_on_its_batch():
    @dataclass(frozen=True)
    class Shrinking(Ridge):
        """Two images; the first one is said to be finished at iteration 10, the second at 30."""

        def measure(self, before, after):
            done = torch.tensor([10.0, 30.0]) <= 10 * len(seen)
            seen.append(after.x)
            return Measure(torch.ones(2), torch.where(done, 0.0, 1.0))

    seen: list[Tensor] = [torch.empty(0)]
    solution = solve(Shrinking(((K, C),), 0.0), tolerance=0.5, images=2)
    assert len(seen) == 4
    assert torch.equal(solution.x[0], seen[1][0])
    assert torch.equal(solution.x[1], seen[3][1])


def test_the_status_says_how_it_ended():
    saddle = Ridge(((K, C),), 0.0)
    assert solve(saddle, tolerance=1e-6).status.code is Code.CONVERGED
    short = solve(saddle, tolerance=1e-13, max_iterations=25)
    assert short.status.code is Code.ITERATION_LIMIT
    assert [row["iteration"] for row in short.stats] == [10, 20, 25]


def test_a_step_that_is_not_positive_is_refused():
    with pytest.raises(InvalidParameter, match="tau"):
        pdhg.start(torch.zeros(1, 1, 1, 1), (), 0.0, ())
