import numpy as np
import pytest
import torch
from torch import nn

from restora.nets.attention import displacements, shift_masks, window_attention


def attention_by_loops(x, qkv, out, bias, window, shift):
    """Every pixel gathers from those of its window that no seam of the cyclic shift parts from it."""
    h, w, c = x.shape
    heads = bias.shape[0]
    d = c // heads
    q, k, v = np.split(x @ qkv[0].T + qkv[1], 3, axis=-1)
    y = np.zeros_like(x)
    pixels = [(i, j) for i in range(h) for j in range(w)]

    def home(i, j):
        """The window of a pixel, its place in it, and whether it was moved around the border."""
        a, b = i - shift, j - shift
        (a, up), (b, left) = (a % h, a < 0), (b % w, b < 0)
        return (a // window, b // window), (a % window) * window + b % window, (up, left)

    for i, j in pixels:
        mine, place, side = home(i, j)
        seen = [(p, home(*p)[1]) for p in pixels if home(*p)[0] == mine and home(*p)[2] == side]
        for head in range(heads):
            part = slice(head * d, head * d + d)
            scores = np.array([q[i, j, part] @ k[p][part] / np.sqrt(d) + bias[head, place, there] for p, there in seen])
            weights = np.exp(scores - scores.max())
            weights /= weights.sum()
            y[i, j, part] = sum(weight * v[p][part] for weight, (p, _) in zip(weights, seen))
    return y @ out[0].T + out[1]


@pytest.mark.parametrize("shift", [0, 1, 2])
@pytest.mark.parametrize("size", [(3, 3), (6, 3), (3, 9), (6, 9)])
def test_against_loops(shift, size):
    torch.manual_seed(0)
    x = torch.randn(2, *size, 4, dtype=torch.float64)
    qkv, out = nn.Linear(4, 12).double(), nn.Linear(4, 4).double()
    bias = torch.randn(2, 9, 9, dtype=torch.float64)
    with torch.no_grad():
        y = window_attention(x, qkv, out, bias, shift=shift)
    numbers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in (qkv, out)]
    for i in range(2):
        expected = attention_by_loops(x[i].numpy(), *numbers, bias.numpy(), 3, shift)
        assert np.allclose(y[i].numpy(), expected, atol=1e-12)


def test_the_masks_of_a_window_of_two_pixels_side():
    assert torch.equal(shift_masks(2, 1, -100.0, torch.device("cpu"))[0], torch.zeros(4, 4))
    columns = shift_masks(2, 1, -100.0, torch.device("cpu"))[1]
    assert columns.tolist() == [[0, -100, 0, -100], [-100, 0, -100, 0], [0, -100, 0, -100], [-100, 0, -100, 0]]
    corner = shift_masks(2, 1, -100.0, torch.device("cpu"))[3]
    assert torch.equal(corner, (torch.eye(4) - 1) * 100)


def test_displacements():
    dy, dx = displacements(3, torch.device("cpu"))
    for i in range(9):
        for j in range(9):
            assert (dy[i, j], dx[i, j]) == (i // 3 - j // 3 + 2, i % 3 - j % 3 + 2)


def test_gradients_reach_the_bias_and_bfloat16_stays():
    qkv, out = nn.Linear(4, 12), nn.Linear(4, 4)
    bias = torch.zeros(2, 4, 4, requires_grad=True)
    window_attention(torch.randn(1, 4, 4, 4), qkv, out, bias, shift=1).square().sum().backward()
    assert bias.grad is not None
    assert bias.grad.abs().max() > 0
    y = window_attention(torch.randn(1, 4, 4, 4).bfloat16(), qkv.bfloat16(), out.bfloat16(), bias.bfloat16(), shift=1)
    assert y.dtype == torch.bfloat16
    assert y.isfinite().all()
