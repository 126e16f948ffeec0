import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from restora.core.errors import InvalidParameter
from restora.nets.espcn import ESPCN
from restora.nets.network import parameter_count


@pytest.mark.parametrize(("scale", "count"), [(2, 21284), (3, 22729), (4, 24752)])
def test_it_has_the_paper_s_numbers(scale, count):
    assert parameter_count(ESPCN(scale=scale)) == count


def test_it_shuffles_the_planes_of_three_convolutions(generator):
    s = 3
    network = ESPCN(scale=s, channels=2, widths=(4, 3)).double()
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    x = torch.rand(1, 2, 5, 4, generator=generator, dtype=torch.float64)
    features = x[0].numpy()
    for layer in ("conv1", "conv2", "conv3"):
        weight, bias = (network.get_parameter(f"{layer}.{part}").detach().numpy() for part in ("weight", "bias"))
        planes = [[correlate2d(plane, w, "same") for plane, w in zip(features, filters)] for filters in weight]
        features = np.sum(planes, axis=1) + bias[:, None, None]
        features = features if layer == "conv3" else np.tanh(features)
    result = network(x)[0].detach().numpy()
    assert result.shape == (2, 15, 12)
    for c, i, j, a, b in [(0, 0, 0, 0, 0), (0, 2, 1, 1, 2), (1, 4, 3, 2, 2), (1, 3, 0, 0, 1)]:
        assert result[c, s * i + a, s * j + b] == pytest.approx(features[c * s * s + s * a + b, i, j], abs=1e-10)


def test_a_pixel_reaches_as_far_as_the_halo():
    network = ESPCN(scale=2).double()
    x = torch.rand(1, 1, 15, 15, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, 0, 14:16, 14:16].sum(), x)
    assert gradient[0, 0].nonzero().sub(7).abs().amax(0).tolist() == [network.halo, network.halo]


@pytest.mark.parametrize("size", [(1, 1), (5, 2)])
def test_any_size_and_the_dtype_of_the_picture(size):
    result = ESPCN(scale=4).bfloat16()(torch.rand(2, 1, *size))
    assert result.shape == (2, 1, 4 * size[0], 4 * size[1])
    assert result.dtype == torch.float32


@pytest.mark.parametrize("fields", [{"scale": 0}, {"widths": (64, 0)}, {"channels": 0}])
def test_impossible_networks_are_refused(fields):
    with pytest.raises(InvalidParameter):
        ESPCN(**fields)
