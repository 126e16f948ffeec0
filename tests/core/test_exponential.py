import math

import numpy as np
import pytest
from numba import njit

from restora.core.exponential import exp


@njit
def exp_of(x, out):
    for i in range(x.size):
        out[i] = exp(x[i])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-7), (np.float64, 1e-15)])
def test_it_is_the_exponential(dtype, tolerance):
    x = np.linspace(-80, 0, 200001).astype(dtype)
    out = np.empty_like(x)
    exp_of(x, out)
    exact = np.exp(x.astype(np.longdouble))
    assert np.abs(out / exact - 1).max() < tolerance


def test_it_stops_at_the_least_value_and_has_no_infinities():
    x = np.array([0, -80, -81, -1e30, -math.inf], np.float32)
    out = np.empty_like(x)
    exp_of(x, out)
    assert out[0] == 1
    assert np.allclose(out[1:], math.exp(-80), rtol=1e-6)


def test_it_is_no_function_of_python():
    with pytest.raises(NotImplementedError, match="Numba"):
        exp(0.0)
