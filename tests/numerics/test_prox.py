"""The closed forms of the power shrinkage against an independent root finder. The rest is in contracts."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from restora.numerics.prox import hard_threshold, shrink_power


@pytest.mark.parametrize("p", [0.1, 0.5, 0.6, 2 / 3, 0.8])
@pytest.mark.parametrize("tau", [1e-4, 0.1, 3.0])
def test_the_shrunk_value_is_the_larger_root(p, tau):
    turning = (tau * p * (1 - p)) ** (1 / (2 - p))  # u + τp u^(p−1) is least there; the larger root lies to its right
    threshold = shrink_power(torch.linspace(0, 9, 90001, dtype=torch.float64), tau, p)
    first = 9 * int((threshold > 0).nonzero()[0]) / 90000
    v = np.array([first * 1.001, first * 1.2, first * 3, 2.0 + first, 50.0])
    roots = [brentq(lambda u, a=a: u + tau * p * u ** (p - 1) - a, turning, a, xtol=1e-15, rtol=1e-14) for a in v]
    assert torch.allclose(
        shrink_power(torch.from_numpy(v), tau, p), torch.tensor(roots, dtype=torch.float64), rtol=1e-11
    )
    assert torch.allclose(
        shrink_power(torch.from_numpy(-v), tau, p), -torch.tensor(roots, dtype=torch.float64), rtol=1e-11
    )


def test_the_hard_threshold_is_the_root_of_twice_the_weight():
    v = torch.tensor([0.99, 1.01]) * (2 * 0.32) ** 0.5
    assert hard_threshold(v, 0.32).tolist() == pytest.approx([0.0, float(v[1])])
