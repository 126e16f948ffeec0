import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.msrresnet import MSRResNet
from restora.nets.network import parameter_count


def test_it_has_the_authors_numbers():
    assert parameter_count(MSRResNet()) == 1517571


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_without_detail_it_is_bilinear_enlargement(generator, scale):
    network = MSRResNet(scale=scale, blocks=1, width=2)
    network.conv_last.weight.data.zero_()
    x = torch.rand(1, 3, 5, 6, generator=generator)
    expected = cv2.resize(x[0].movedim(0, 2).numpy(), (6 * scale, 5 * scale), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(network.bfloat16()(x)[0].movedim(0, 2).detach().numpy(), expected, atol=1e-6)


def test_the_detail_is_the_model(generator):
    network = MSRResNet(scale=4, blocks=1, width=2, channels=1).double()
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    state = network.state_dict()
    x = torch.rand(1, 1, 3, 4, generator=generator, dtype=torch.float64)

    def conv(features, name):
        return functional.conv2d(functional.pad(features, (1, 1, 1, 1)), state[f"{name}.weight"], state[f"{name}.bias"])

    def leaky(features):
        return torch.maximum(features, 0.1 * features)

    def shuffled(features):
        b, c, h, w = features.shape
        return features.reshape(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c // 4, 2 * h, 2 * w)

    features = leaky(conv(x, "conv_first"))
    features = features + conv(conv(features, "body.0.conv1").clamp(min=0), "body.0.conv2")
    features = leaky(shuffled(conv(features, "upconv1")))
    features = leaky(shuffled(conv(features, "upconv2")))
    detail = conv(leaky(conv(features, "conv_hr")), "conv_last")
    base = torch.tensor(cv2.resize(x[0, 0].numpy(), (16, 12), interpolation=cv2.INTER_LINEAR))
    assert torch.allclose(network(x), base + detail, atol=1e-8)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_pixel_reaches_as_far_as_the_halo(generator, scale):
    network = MSRResNet(scale=scale, blocks=2, width=8).double()
    x = torch.rand(1, 3, 17, 17, generator=generator, dtype=torch.float64, requires_grad=True)
    block = slice(8 * scale, 9 * scale)
    (gradient,) = torch.autograd.grad(network(x)[..., block, block].sum(), x)
    assert gradient[0, 0].nonzero().sub(8).abs().amax(0).tolist() == [7, 7] == [network.halo, network.halo]


def test_one_pixel_is_enough_and_gradients_are_finite():
    network = MSRResNet(blocks=1, width=4)
    result = network(torch.rand(2, 3, 1, 1))
    result.square().mean().backward()
    assert result.shape == (2, 3, 4, 4)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("fields", [{"scale": 8}, {"width": 0}])
def test_impossible_networks_are_refused(fields):
    with pytest.raises(InvalidParameter):
        MSRResNet(**fields)
