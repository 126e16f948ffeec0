import pytest
import torch
from torch.nn import functional

from restora.core.errors import InvalidParameter
from restora.nets.fusion import fused
from restora.nets.network import parameter_count
from restora.nets.srresnet import SRResNet


def tiny(generator, **fields):
    """A small network whose numbers are all drawn, those of the normalisations too; in eval mode, float64."""
    network = SRResNet(blocks=1, width=3, channels=2, **fields).double().eval()
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point():
            tensor.data.uniform_(0.1, 1, generator=generator)
            tensor.data -= 0.3 * (tensor.ndim == 4)
    return network


def test_it_has_the_paper_s_numbers():
    assert parameter_count(SRResNet()) == 1549462
    conv = 64 * 256 * 9 + 256 + 1
    assert parameter_count(SRResNet(scale=2)) == 1549462 - conv
    assert parameter_count(SRResNet(scale=3)) == 1549462 - 2 * conv + 64 * 576 * 9 + 576 + 1


def test_it_is_the_model_of_the_paper(generator):
    network = tiny(generator, scale=2)
    state = network.state_dict()
    x = torch.rand(1, 2, 5, 4, generator=generator, dtype=torch.float64)

    def conv(features, name):
        weight = state[f"{name}.weight"]
        return functional.conv2d(features, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)

    def norm(features, name):
        mean, variance, gain, shift = (
            state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return gain * (features - mean) / (variance + 1e-5).sqrt() + shift

    def prelu(features, name):
        return features.clamp(min=0) + state[f"{name}.weight"] * features.clamp(max=0)

    shallow = prelu(conv(x, "head.0"), "head.1")
    residual = prelu(norm(conv(shallow, "body.0.0"), "body.0.1"), "body.0.2")
    features = shallow + norm(conv(residual, "body.0.3"), "body.0.4")
    features = conv(shallow + norm(conv(features, "joint.0"), "joint.1"), "up.0.0")
    shuffled = features.new_zeros(1, 3, 10, 8)
    for a in range(2):
        for b in range(2):
            shuffled[..., a::2, b::2] = features[:, 2 * a + b :: 4]
    expected = conv(prelu(shuffled, "up.0.2"), "tail")
    assert torch.allclose(network(x), expected, atol=1e-10)
    network.squashed = True
    assert torch.allclose(network(x), torch.sigmoid(2 * expected), atol=1e-10)


def test_the_normalisations_can_be_merged(generator):
    network = tiny(generator, scale=4)
    x = torch.rand(1, 2, 5, 4, generator=generator, dtype=torch.float64)
    merged = fused(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in merged.modules())
    assert torch.allclose(merged(x), network(x), atol=1e-10)


def test_training_normalises_with_the_batch(generator):
    network = SRResNet(blocks=1, width=4)
    network(torch.rand(2, 3, 6, 6, generator=generator)).square().mean().backward()
    assert network.get_buffer("body.0.1.running_mean").abs().sum() > 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_a_pixel_reaches_as_far_as_the_halo(generator, scale):
    network = tiny(generator, scale=scale)
    x = torch.rand(1, 2, 25, 25, generator=generator, dtype=torch.float64, requires_grad=True)
    block = slice(12 * scale, 13 * scale)
    (gradient,) = torch.autograd.grad(network(x)[..., block, block].sum(), x)
    assert gradient[0, 0].nonzero().sub(12).abs().amax(0).tolist() == [network.halo, network.halo] == [10, 10]


@pytest.mark.parametrize("size", [(1, 1), (5, 2)])
def test_any_size_and_the_dtype_of_the_picture(size):
    result = SRResNet(blocks=1).bfloat16().eval()(torch.rand(2, 3, *size))
    assert result.shape == (2, 3, 4 * size[0], 4 * size[1])
    assert result.dtype == torch.float32


@pytest.mark.parametrize("fields", [{"scale": 5}, {"blocks": 0}])
def test_impossible_networks_are_refused(fields):
    with pytest.raises(InvalidParameter):
        SRResNet(**fields)
