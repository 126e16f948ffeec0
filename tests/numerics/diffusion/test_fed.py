import math

import numpy as np
import pytest

from restora.numerics.diffusion.fed import fed_steps


def test_a_short_time_is_one_explicit_step():
    assert fed_steps(0.2, 0.25) == (0.2,)
    assert fed_steps(0.25, 0.25) == (0.25,)
    assert fed_steps(0.0) == ()


@pytest.mark.parametrize("n", [2, 3, 7, 20])
def test_a_full_cycle_has_the_steps_of_the_paper(n):
    expected = sorted(0.25 / (2 * math.cos(math.pi * (2 * i + 1) / (4 * n + 2)) ** 2) for i in range(n))
    assert sorted(fed_steps(0.25 * (n * n + n) / 3)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("time", [0.26, 1.0, 5.0, 137.0])
def test_a_cycle_covers_its_time_with_the_fewest_steps_and_is_stable(time):
    steps = fed_steps(time)
    n = len(steps)
    assert sum(steps) == pytest.approx(time, rel=1e-12)
    assert (n * n + n) / 12 >= time * (1 - 1e-9) > (n * n - n) / 12
    waves = np.linspace(0, 8, 2001)  # the spectrum of −A, for which a step of 1/4 is the longest stable one
    assert np.abs(np.prod([1 - step * waves for step in steps], axis=0)).max() <= 1 + 1e-9


def test_the_order_keeps_partial_products_small():
    steps, waves = fed_steps(300.0), np.linspace(0, 8, 2001)
    partial = np.cumprod([1 - step * waves for step in steps], axis=0)
    rising = np.cumprod([1 - step * waves for step in sorted(steps)[::-1]], axis=0)
    assert np.abs(partial).max() < 1e3
    assert np.abs(rising).max() > 1e9
