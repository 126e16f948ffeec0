import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from restora.core.errors import InvalidParameter
from restora.nets.network import parameter_count
from restora.nets.srcnn import SRCNN


@pytest.mark.parametrize(("kernels", "count"), [((9, 1, 5), 8129), ((9, 3, 5), 24513), ((9, 5, 5), 57281)])
def test_it_has_the_paper_s_numbers(kernels, count):
    assert parameter_count(SRCNN(kernels=kernels)) == count


def test_it_is_three_convolutions_with_zeros_outside(generator):
    network = SRCNN(kernels=(5, 3, 3), widths=(3, 2), channels=2).double()
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    x = torch.rand(1, 2, 7, 6, generator=generator, dtype=torch.float64)
    features = x[0].numpy()
    for layer in ("conv1", "conv2", "conv3"):
        weight, bias = (network.get_parameter(f"{layer}.{part}").detach().numpy() for part in ("weight", "bias"))
        planes = [[correlate2d(plane, w, "same") for plane, w in zip(features, filters)] for filters in weight]
        features = np.sum(planes, axis=1) + bias[:, None, None]
        features = features if layer == "conv3" else np.maximum(features, 0)
    np.testing.assert_allclose(network(x)[0].detach().numpy(), features, atol=1e-10)


def test_the_first_weights_are_gaussian_of_a_thousandth():
    weight = SRCNN(kernels=(9, 5, 5)).conv2.weight
    assert weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert not SRCNN().conv1.get_parameter("bias").any()


def test_a_pixel_reaches_as_far_as_the_halo():
    network = SRCNN(kernels=(9, 1, 5)).double()
    x = torch.rand(1, 1, 21, 21, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, 0, 10, 10], x)
    assert gradient[0, 0].nonzero().sub(10).abs().amax(0).tolist() == [network.halo, network.halo]


@pytest.mark.parametrize("size", [(1, 1), (5, 2)])
def test_any_size_and_the_dtype_of_the_picture(size):
    x = torch.rand(2, 1, *size)
    result = SRCNN().bfloat16()(x)
    assert result.shape == x.shape
    assert result.dtype == x.dtype


@pytest.mark.parametrize("fields", [{"kernels": (9, 2, 5)}, {"widths": (0, 32)}, {"channels": 0}])
def test_impossible_networks_are_refused(fields):
    with pytest.raises(InvalidParameter):
        SRCNN(**fields)
