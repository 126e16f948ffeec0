import numpy as np
import pytest
import torch
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.network import parameter_count
from restora.nets.restormer import Restormer

TINY = {"width": 4, "blocks": (1, 1, 1, 1), "refinement": 1, "heads": (1, 2, 2, 4)}


@pytest.mark.parametrize(
    ("fields", "count"),
    [({}, 26_111_668), ({"channels": 1}, 26_109_076), ({"normalisation": "with-bias"}, 26_126_644)],
)
def test_the_published_sizes(fields, count):
    with torch.device("meta"):
        assert parameter_count(Restormer(**fields)) == count


def mdta(state, name, x):
    """Attention between channels, a pixel, a channel and a head at a time; x is (c, h, w)."""
    state = {key.removeprefix(f"{name}."): value.numpy() for key, value in state.items() if key.startswith(f"{name}.")}
    c, h, w = x.shape
    mixed = np.einsum("oi,ihw->ohw", state["qkv.weight"][:, :, 0, 0], x.numpy())
    spread, padded = np.zeros_like(mixed), np.pad(mixed, ((0, 0), (1, 1), (1, 1)))
    for i in range(h):
        for j in range(w):
            spread[:, i, j] = (padded[:, i : i + 3, j : j + 3] * state["qkv_dwconv.weight"][:, 0]).sum((1, 2))
    q, k, v = spread.reshape(3, c, h * w)
    heads = len(state["temperature"])
    y = np.zeros((c, h * w))
    for head in range(heads):
        part = range(head * c // heads, (head + 1) * c // heads)
        for a in part:
            cosines = [q[a] @ k[b] / np.linalg.norm(q[a]) / np.linalg.norm(k[b]) for b in part]
            weights = np.exp(state["temperature"][head, 0, 0] * np.array(cosines))
            y[a] = sum(weight * v[b] for weight, b in zip(weights / weights.sum(), part))
    return torch.from_numpy(np.einsum("oi,ip->op", state["project_out.weight"][:, :, 0, 0], y).reshape(c, h, w))


def block_by_hand(state, name, x):
    """A transformer block of features (c, h, w)."""

    def norm(which, x):
        weight = state[f"{name}.{which}.body.weight"][:, None, None]
        deviation = ((x - x.mean(0)).square().mean(0) + 1e-5).sqrt()
        bias = state.get(f"{name}.{which}.body.bias")
        return x / deviation * weight if bias is None else (x - x.mean(0)) / deviation * weight + bias[:, None, None]

    x = x + mdta(state, f"{name}.attn", norm("norm1", x))
    hidden = functional.conv2d(norm("norm2", x)[None], state[f"{name}.ffn.project_in.weight"])
    weight = state[f"{name}.ffn.dwconv.weight"]
    hidden = functional.conv2d(hidden, weight, padding=1, groups=weight.shape[0])[0]
    n = hidden.shape[0] // 2
    gated = 0.5 * hidden[:n] * (1 + torch.erf(hidden[:n] / 2**0.5)) * hidden[n:]
    return x + functional.conv2d(gated[None], state[f"{name}.ffn.project_out.weight"])[0]


def by_hand(state, y):
    """The U-net of TINY."""

    def conv(name, x):
        weight = state[f"{name}.weight"]
        return functional.conv2d(x[None], weight, padding=weight.shape[-1] // 2)[0]

    def down(name, x):
        return functional.pixel_unshuffle(conv(f"{name}.body.0", x), 2)

    def up(name, x, skip):
        return torch.cat((functional.pixel_shuffle(conv(f"{name}.body.0", x), 2), skip))

    first = block_by_hand(state, "encoder_level1.0", conv("patch_embed.proj", y))
    second = block_by_hand(state, "encoder_level2.0", down("down1_2", first))
    third = block_by_hand(state, "encoder_level3.0", down("down2_3", second))
    x = block_by_hand(state, "latent.0", down("down3_4", third))
    x = block_by_hand(state, "decoder_level3.0", conv("reduce_chan_level3", up("up4_3", x, third)))
    x = block_by_hand(state, "decoder_level2.0", conv("reduce_chan_level2", up("up3_2", x, second)))
    x = block_by_hand(state, "decoder_level1.0", up("up2_1", x, first))
    return y + conv("output", block_by_hand(state, "refinement.0", x))


@pytest.mark.parametrize("normalisation", ["bias-free", "with-bias"])
def test_against_the_equations(normalisation):
    torch.manual_seed(0)
    network = Restormer(**TINY, normalisation=normalisation).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    y = torch.rand(1, 3, 16, 8, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(network(y)[0], by_hand(network.state_dict(), y[0]), rtol=1e-9, atol=1e-9)


def test_sides_are_reflected_to_multiples_of_eight():
    torch.manual_seed(0)
    network = Restormer(**TINY).double()
    y = torch.rand(1, 3, 13, 9, dtype=torch.float64)
    with torch.no_grad():
        large = network(functional.pad(y, (0, 7, 0, 3), mode="reflect"))
        assert torch.allclose(network(y), large[..., :13, :9], atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (3, 17)])
def test_any_size_with_finite_gradients(size):
    network = Restormer(**TINY, channels=1)
    x = torch.rand(2, 1, *size)
    y = network(x)
    assert y.shape == x.shape
    y.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())


def test_every_pixel_depends_on_all_so_that_there_is_no_halo():
    torch.manual_seed(0)
    network = Restormer(**TINY, channels=1).double()
    x = torch.rand(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert x.grad[0, 0, 63, 63] != 0
    assert network.halo is None


def test_bfloat16_weights_keep_the_dtype_of_the_picture():
    torch.manual_seed(0)
    network = Restormer(**TINY)
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        expected = network(x) - x
        added = network.bfloat16()(x) - x
    assert added.dtype == torch.float32
    assert (added - expected).norm() < 0.03 * expected.norm()


@pytest.mark.parametrize("wrong", [{"width": 5}, {"heads": (3, 2, 2, 2)}, {"channels": 0}])
def test_refuses(wrong):
    with pytest.raises(InvalidParameter):
        Restormer(**{**TINY, **wrong})
