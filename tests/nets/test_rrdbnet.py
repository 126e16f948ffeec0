import pytest
import torch
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.network import parameter_count
from restora.nets.rrdbnet import RRDBNet


def tiny(generator, **fields):
    network = RRDBNet(blocks=1, width=3, growth=2, **fields).double()
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    return network


def test_it_has_the_authors_numbers():
    with torch.device("meta"):
        assert parameter_count(RRDBNet()) == 16697987
        assert parameter_count(RRDBNet(scale=2)) == 16697987 + 9 * (12 - 3) * 64
        assert parameter_count(RRDBNet(scale=1)) == 16697987 + 9 * (48 - 3) * 64


def test_it_is_the_model_of_the_paper(generator):
    network = tiny(generator)
    state = network.state_dict()
    x = torch.rand(1, 3, 4, 3, generator=generator, dtype=torch.float64)

    def conv(features, name):
        return functional.conv2d(functional.pad(features, (1, 1, 1, 1)), state[f"{name}.weight"], state[f"{name}.bias"])

    def leaky(features):
        return torch.maximum(features, 0.2 * features)

    def dense(features, name):
        f1 = leaky(conv(features, f"{name}.conv1"))
        f2 = leaky(conv(torch.cat([features, f1], 1), f"{name}.conv2"))
        f3 = leaky(conv(torch.cat([features, f1, f2], 1), f"{name}.conv3"))
        f4 = leaky(conv(torch.cat([features, f1, f2, f3], 1), f"{name}.conv4"))
        return features + 0.2 * conv(torch.cat([features, f1, f2, f3, f4], 1), f"{name}.conv5")

    shallow = features = conv(x, "conv_first")
    for block in ("rdb1", "rdb2", "rdb3"):
        features = dense(features, f"body.0.{block}")
    features = shallow + conv(shallow + 0.2 * features, "conv_body")
    for up in ("conv_up1", "conv_up2"):
        features = leaky(conv(features.repeat_interleave(2, 2).repeat_interleave(2, 3), up))
    expected = conv(leaky(conv(features, "conv_hr")), "conv_last")
    assert torch.allclose(network(x), expected, rtol=1e-10)


@pytest.mark.parametrize("batch", [1, 3])
def test_one_buffer_gives_what_concatenation_gives(generator, batch):
    network = tiny(generator)
    x = torch.rand(batch, 3, 5, 4, generator=generator, dtype=torch.float64)
    with_gradient = network(x)
    with torch.no_grad():
        assert torch.allclose(network(x), with_gradient, rtol=1e-12)
    with torch.inference_mode():
        assert torch.allclose(network(x), with_gradient, rtol=1e-12)


@pytest.mark.parametrize(("scale", "fold"), [(2, 2), (1, 4)])
def test_below_four_times_it_works_on_the_folded_picture(generator, scale, fold):
    network = tiny(generator, scale=scale)
    plain = RRDBNet(blocks=1, width=3, growth=2).double()
    plain.conv_first = torch.nn.Identity()
    rest = {key: value for key, value in network.state_dict().items() if "conv_first" not in key}
    plain.load_state_dict(rest)
    x = torch.rand(1, 3, 2 * fold, 3 * fold, generator=generator, dtype=torch.float64)
    places = [(c, a, b) for c in range(3) for a in range(fold) for b in range(fold)]
    folded = torch.stack([x[:, c, a::fold, b::fold] for c, a, b in places], dim=1)
    assert torch.allclose(network(x), plain(network.conv_first(folded)), rtol=1e-10)
    odd = network(x[..., :-1, :-1])
    mirrored = functional.pad(x[..., :-1, :-1], (0, 1, 0, 1), mode="reflect")
    assert torch.allclose(odd, network(mirrored)[..., :-scale, :-scale], rtol=1e-10)


@pytest.mark.parametrize(("scale", "folded", "fold"), [(4, True, 1), (2, True, 2), (1, True, 4), (2, False, 1)])
def test_a_pixel_reaches_as_far_as_the_halo(generator, scale, folded, fold):
    network = tiny(generator, scale=scale, folded=folded)
    middle = 20 * fold
    x = torch.rand(1, 3, 40 * fold, 40 * fold, generator=generator, dtype=torch.float64, requires_grad=True)
    block = slice(middle * scale, (middle + fold) * scale)
    (gradient,) = torch.autograd.grad(network(x)[..., block, block].sum(), x)
    support = gradient[0].abs().amax(0).nonzero()
    before, after = middle + fold - 1 - support.min().item(), support.max().item() - middle
    assert (before, after) == (network.halo, network.halo)


@pytest.mark.parametrize(("scale", "size"), [(4, (1, 1)), (2, (1, 1)), (1, (1, 1)), (1, (5, 2)), (8, (2, 3))])
def test_any_size_and_the_dtype_of_the_picture(scale, size):
    result = RRDBNet(scale=scale, blocks=1, width=4, growth=2).bfloat16()(torch.rand(2, 3, *size))
    assert result.shape == (2, 3, scale * size[0], scale * size[1])
    assert result.dtype == torch.float32


def test_gradients_are_finite():
    network = RRDBNet(blocks=1, width=4, growth=2)
    network(torch.rand(2, 3, 4, 4)).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("fields", [{"scale": 3}, {"growth": 0}])
def test_impossible_networks_are_refused(fields):
    with pytest.raises(InvalidParameter):
        RRDBNet(**fields)
