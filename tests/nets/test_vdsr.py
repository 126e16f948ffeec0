import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch import nn

from restora.core.errors import InvalidParameter
from restora.nets.network import parameter_count
from restora.nets.vdsr import VDSR


@pytest.mark.parametrize(("fields", "count"), [({}, 665921), ({"bias": False}, 664704), ({"channels": 3}, 668227)])
def test_it_has_the_paper_s_numbers(fields, count):
    assert parameter_count(VDSR(**fields)) == count


def test_it_adds_what_a_chain_of_convolutions_finds(generator):
    network = VDSR(depth=3, width=3, channels=2).double()
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    x = torch.rand(1, 2, 6, 5, generator=generator, dtype=torch.float64)
    features = x[0].numpy()
    for layer in range(3):
        weight, bias = (network.get_parameter(f"layers.{layer}.{p}").detach().numpy() for p in ("weight", "bias"))
        planes = [[correlate2d(plane, w, "same") for plane, w in zip(features, filters)] for filters in weight]
        features = np.sum(planes, axis=1) + bias[:, None, None]
        features = features if layer == 2 else np.maximum(features, 0)
    np.testing.assert_allclose(network(x)[0].detach().numpy(), x[0].numpy() + features, atol=1e-10)


def test_bfloat16_rounds_the_residual_and_not_the_picture():
    network = VDSR(depth=2, width=2)
    network.layers[-1].weight.data.zero_()
    x = torch.rand(1, 1, 5, 4)
    assert torch.equal(network.bfloat16()(x), x)


def test_a_pixel_reaches_as_far_as_the_halo():
    network = VDSR(depth=5, width=16).double()
    nn.init.normal_(network.layers[-1].weight)
    x = torch.rand(1, 1, 15, 15, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, 0, 7, 7], x)
    assert gradient[0, 0].nonzero().sub(7).abs().amax(0).tolist() == [5, 5] == [network.halo, network.halo]


def test_fresh_weights_keep_the_size_of_the_features():
    features = torch.randn(1, 64, 24, 24)
    layer = VDSR().layers[7]
    power = torch.relu(layer(features))[..., 1:-1, 1:-1].square().mean().item()
    assert power == pytest.approx(features.square().mean().item(), rel=0.2)


def test_one_pixel_is_enough():
    assert VDSR(depth=3)(torch.rand(2, 1, 1, 1)).shape == (2, 1, 1, 1)


@pytest.mark.parametrize("fields", [{"depth": 1}, {"width": 0}])
def test_impossible_networks_are_refused(fields):
    with pytest.raises(InvalidParameter):
        VDSR(**fields)


def test_a_deep_network_can_go_on_where_a_shallow_one_stopped():
    shallow, deep = VDSR(depth=3, width=8), VDSR(depth=6, width=8, from_identity=True)
    nn.init.normal_(shallow.layers[-1].weight)
    x = torch.rand(2, 1, 9, 9)
    deep.begin_with(shallow.state_dict())
    torch.testing.assert_close(deep(x), shallow(x))
    other = VDSR(depth=6, width=8)
    other.begin_with(deep.state_dict())
    assert torch.equal(other(x), deep(x))
    with pytest.raises(RuntimeError):
        deep.begin_with(VDSR(depth=3, width=4).state_dict())
