import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.nets.ipt import IPT, in_windows
from restora.nets.ipt_body import Body, DecoderLayer, EncoderLayer
from restora.nets.network import Network, parameter_count

TINY = {"width": 4, "size": 6, "patch": 2, "layers": (1, 2), "heads": 4}


def test_the_size_of_the_paper():
    with torch.device("meta"):
        six, one = IPT(), IPT(tasks=("x4",))
    assert parameter_count(six) == 118_892_370
    assert [parameter_count(part) for part in (one, one.body, one.heads)] == [115_608_131, 114_899_328, 411_648]
    assert one.body.tasks["x4"].shape == (256, 576)


def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def attention(layer, q, k, v):
    """Head by head: softmax(Q Kᵀ / √d) V with maps of 4 of the 8 numbers of a token."""
    maps, parts = layer.qkv.detach().numpy(), []
    for head in range(2):
        Q, K, V = q @ maps[head].T, k @ maps[2 + head].T, v @ maps[4 + head].T
        parts.append(softmax(Q @ K.T / np.sqrt(4)) @ V)
    return np.concatenate(parts, axis=1) @ layer.out.weight.detach().numpy().T


def norm(layer, t):
    normal = (t - t.mean(1, keepdims=True)) / np.sqrt(t.var(1, keepdims=True) + 1e-5)
    return normal * layer.weight.detach().numpy() + layer.bias.detach().numpy()


def perceptron(mlp, t):
    (first, b), (second, c) = ((mlp[i].weight.detach().numpy(), mlp[i].bias.detach().numpy()) for i in (0, 2))
    return np.maximum(t @ first.T + b, 0) @ second.T + c


def drawn(module):
    torch.manual_seed(0)
    for parameter in module.double().parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def test_an_encoder_layer_by_hand():
    layer, t = drawn(EncoderLayer(8, 2)), np.random.default_rng(0).normal(size=(5, 8))
    g = t + attention(layer.attention, *[norm(layer.norm1, t)] * 3)
    expected = g + perceptron(layer.mlp, norm(layer.norm2, g))
    assert np.allclose(layer(torch.from_numpy(t)[None])[0].detach().numpy(), expected, atol=1e-12)


def test_a_decoder_layer_by_hand():
    layer, (t, m, e) = drawn(DecoderLayer(8, 2)), np.random.default_rng(0).normal(size=(3, 5, 8))
    normal = norm(layer.norm1, t)
    g = t + attention(layer.attention, normal + e, normal + e, normal)
    g = g + attention(layer.cross, norm(layer.norm2, g) + e, m, m)
    expected = g + perceptron(layer.mlp, norm(layer.norm3, g))
    arguments = torch.from_numpy(t)[None], torch.from_numpy(m)[None], torch.from_numpy(e)
    assert np.allclose(layer(*arguments)[0].detach().numpy(), expected, atol=1e-12)


def test_the_body_is_unfold_layers_and_fold():
    body, features = drawn(Body(2, 6, 2, (1, 2), 4, ("x2", "derain"))), torch.randn(2, 2, 6, 6, dtype=torch.float64)
    assert torch.equal(body.laid_back(functional.unfold(features, 2, stride=2).transpose(1, 2)), features)
    tokens = functional.unfold(features, 2, stride=2).transpose(1, 2)
    tokens = tokens + body.linear_encoding(tokens) + body.positions
    memory = tokens = body.encoder[0](tokens)
    for layer in body.decoder:
        tokens = layer(tokens, memory, body.tasks["derain"])
    tokens = tokens + body.out(tokens)
    assert torch.allclose(body(features, "derain"), tokens, atol=1e-12)
    expected = functional.fold(tokens.transpose(1, 2), 6, 2, stride=2)
    assert torch.allclose(body.laid_back(body(features, "derain")), expected, atol=1e-12)


@pytest.mark.parametrize(("task", "scale"), [("x2", 2), ("x3", 3), ("x4", 4), ("denoise-50", 1)])
def test_head_body_tail(task, scale):
    network = drawn(IPT(**TINY, task=task, image_range=2.0))
    x = torch.rand(2, 3, 6, 6, dtype=torch.float64)
    mean = torch.tensor([0.4488, 0.4371, 0.4040], dtype=torch.float64)[:, None, None]
    state = {key: value for key, value in network.state_dict().items() if f"s.{task}." in key}

    def conv(part, x):
        weight, bias = (state[f"{part[0]}.{task}.{part[1]}.{which}"] for which in ("weight", "bias"))
        return functional.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    with torch.no_grad():
        F = conv(("heads", "0"), (x - mean) * 2)
        for i in (1, 2):
            F = F + conv(("heads", f"{i}.body.2"), conv(("heads", f"{i}.body.0"), F).clamp(min=0))
        tokens = network.body(F, task)
        F = F + network.body.laid_back(tokens)
        for i, factor in enumerate({1: (), 2: (2,), 3: (3,), 4: (2, 2)}[scale]):
            F = functional.pixel_shuffle(conv(("tails", f"0.{2 * i}"), F), factor)
        expected = conv(("tails", "1"), F) / 2 + mean
        assert torch.allclose(network(x), expected, atol=1e-10)
        assert torch.allclose(network.features(x), tokens, atol=1e-12)
    assert network.scale == scale


def test_a_task_is_a_view_of_the_same_weights():
    network = IPT(**TINY)
    x = torch.rand(1, 3, 6, 6)
    other = network.for_task("x3")
    assert (network.task, network.scale, other.task, other.scale) == ("x2", 2, "x3", 3)
    assert other(x).shape == (1, 3, 18, 18)
    assert all(ours is theirs for ours, theirs in zip(network.parameters(), other.parameters()))
    network.task = "derain"
    assert network(x).shape == x.shape
    network(x).sum().backward()
    assert network.heads["derain"][0].weight.grad.isfinite().all()
    assert network.body.tasks["derain"].grad.abs().max() > 0
    assert network.heads["x2"][0].weight.grad is None
    with pytest.raises(UnknownName, match="x8"):
        network.task = "x8"
    assert network.task == "derain"


def test_bfloat16_weights_keep_the_dtype_of_the_picture():
    x = torch.rand(1, 3, 6, 6)
    network = IPT(**TINY).bfloat16()
    assert network(x).dtype == torch.float32
    assert network(x).isfinite().all()
    assert network.halo is None


@pytest.mark.parametrize(
    "wrong", [{"tasks": ()}, {"tasks": ("x2", "x2")}, {"size": 7}, {"heads": 3}, {"width": 0}, {"tasks": ("x5",)}]
)
def test_refuses(wrong):
    with pytest.raises((InvalidParameter, UnknownName)):
        IPT(**{**TINY, **wrong})


def test_refuses_another_size():
    with pytest.raises(InvalidInput, match="6×6"):
        IPT(**TINY)(torch.rand(1, 3, 6, 8))


class Marks(Network):
    """Enlarges by repetition and adds to each window a number of its own, its first pixel."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    @property
    def halo(self):
        return None

    def forward(self, x):
        return x.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3) + 10 * x[..., :1, :1]


def windows_of(p, n, size, stride, margin, scale):
    """Along an axis, the starts of the windows that give pixel p of the result."""
    on_grid = list(range(0, n - size + 1, stride))
    left_over = n - size - on_grid[-1]
    overlap = (size - left_over) * scale  # of the last window of the grid and the one at the border
    if left_over and p >= (n - left_over) * scale - overlap // 2:
        return [n - size]
    q = p // scale
    keeps = [(a if a == 0 else a + margin, a + size if a + size == n else a + size - margin) for a in on_grid]
    return [a for a, (first, end) in zip(on_grid, keeps) if first <= q < end]


@pytest.mark.parametrize(("h", "w"), [(8, 8), (11, 12), (17, 9), (13, 20)])
@pytest.mark.parametrize(("stride", "margin"), [(2, 2), (3, 1), (4, 2), (8, 0)])
@pytest.mark.parametrize("scale", [1, 3])
def test_windows_pixel_by_pixel(h, w, stride, margin, scale):
    x = torch.rand(2, 1, h, w, dtype=torch.float64)
    y = in_windows(Marks(scale), x, size=8, stride=stride, margin=margin, batch=3)
    assert y.shape == (2, 1, scale * h, scale * w)
    for i in range(scale * h):
        for j in range(scale * w):
            rows, columns = windows_of(i, h, 8, stride, margin, scale), windows_of(j, w, 8, stride, margin, scale)
            marks = torch.stack([x[:, 0, a, b] for a in rows for b in columns]).mean(0)
            assert torch.allclose(y[:, 0, i, j], x[:, 0, i // scale, j // scale] + 10 * marks, atol=1e-12)


def test_a_picture_smaller_than_a_window_is_mirrored():
    x = torch.rand(1, 3, 1, 5)
    y = in_windows(IPT(**TINY, task="x2"), x, size=6, stride=2, margin=2)
    assert y.shape == (1, 3, 2, 10)
    with pytest.raises(InvalidParameter, match="gaps"):
        in_windows(IPT(**TINY), x, size=6, stride=3, margin=2)
