"""The kernel against the Torch steps, K against its adjoint and its bound."""

from dataclasses import replace

import pytest
import torch

from restora.numerics import generalized_variation_cpu, pdhg
from restora.numerics.generalized_variation import GeneralizedVariation
from restora.numerics.saddle import LeastSquares, pose
from restora.operators.identity import Identity

R = GeneralizedVariation(0.4, 0.7)
WEIGHTS = torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64)[None, :, None, None, None]


def free(x):
    """K x, which nothing projects."""
    huge = GeneralizedVariation(1e9, 1e9)
    return huge.ascend(huge.start(x[:, : x.shape[1] // 3])[1], x, 1.0)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 7, 5), (1, 1, 1, 6), (1, 2, 6, 1), (1, 2, 40, 9)], ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
@pytest.mark.parametrize("serial", [0, 1 << 30], ids=["parallel", "serial"])
def test_the_kernel_is_the_step(shape, dtype, tolerance, serial, monkeypatch):
    monkeypatch.setattr(generalized_variation_cpu, "SERIAL", serial)
    y = torch.randn(shape, dtype=dtype)
    saddle, state = pose(R, LeastSquares(y, Identity()), y, tau=0.2, tau_dualised=1.0)
    x, x_bar = torch.randn(2, *state.x.shape, dtype=dtype)
    state = replace(state, x=x, x_bar=x_bar, p=R.ascend(state.p, torch.randn_like(x), 0.3))
    expected = pdhg.step(saddle, state)
    found = generalized_variation_cpu.denoising_step(R, y, state)
    for a, b in ((found.x, expected.x), (found.x_bar, expected.x_bar), *zip(found.p, expected.p)):
        assert torch.allclose(a, b, atol=tolerance)


@pytest.mark.parametrize("shape", [(1, 2, 6, 5), (1, 1, 1, 4), (1, 1, 5, 1)], ids=str)
def test_the_adjoint_is_the_adjoint(shape):
    x, _ = R.start(torch.randn(shape, dtype=torch.float64))
    x = torch.randn_like(x)
    slopes, bends = (torch.randn_like(k) for k in free(x))
    slopes[:, 0, :, -1], slopes[:, 1, ..., -1] = 0, 0
    left = (free(x)[0] * slopes).sum() + (free(x)[1] * bends * WEIGHTS).sum()
    right = -(x * R.descend(torch.zeros_like(x), (slopes, bends), 1.0)).sum()
    assert float(left) == pytest.approx(float(right))


def test_the_norm_is_a_bound_that_is_nearly_reached():
    x = torch.randn(1, 3, 24, 24, dtype=torch.float64)
    for _ in range(300):
        x = x / x.norm()
        x = -R.descend(torch.zeros_like(x), free(x), 1.0)
    assert 11 < float(x.norm()) < R.norm**2
