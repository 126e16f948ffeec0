import pytest
import torch
from torch.nn import functional

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.nets.vgg19 import NAMES, VGG19


def test_it_has_the_numbers_of_the_convolutions_of_vgg19():
    with torch.device("meta"):
        network = VGG19(taps=("pool5",))
    assert sum(parameter.numel() for parameter in network.parameters()) == 20024384


def test_layers_are_counted_as_torchvision_counts_them():
    known = {0: "conv1_1", 3: "relu1_2", 4: "pool1", 8: "relu2_2", 17: "relu3_4", 25: "conv4_4", 34: "conv5_4"}
    assert {number: NAMES[number] for number in known} == known


def test_features_are_those_of_the_normalised_picture(generator):
    network = VGG19(taps=("conv1_1", "relu1_2", "conv2_1"))
    x = torch.rand(1, 3, 7, 6, generator=generator)
    found = network(x)
    state = network.state_dict()
    assert set(state) == {f"features.{n}.{part}" for n in (0, 2, 5) for part in ("weight", "bias")}

    def conv(features, n):
        return functional.conv2d(features, state[f"features.{n}.weight"], state[f"features.{n}.bias"], padding=1)

    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    first = conv((x - mean.view(3, 1, 1)) / deviation.view(3, 1, 1), 0)
    second = conv(first.clamp(min=0), 2).clamp(min=0)
    assert torch.allclose(found["conv1_1"], first, atol=1e-5)
    assert torch.allclose(found["relu1_2"], second, atol=1e-5)
    assert torch.allclose(found["conv2_1"], conv(functional.max_pool2d(second, 2), 5), atol=1e-5)
    assert (found["conv1_1"] < 0).any()


def test_it_is_frozen_and_passes_gradients_to_the_picture(generator):
    network = VGG19(taps=("relu1_2",))
    x = torch.rand(1, 3, 5, 5, generator=generator, requires_grad=True)
    network(x)["relu1_2"].sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_it_takes_the_weights_of_torchvision_and_ignores_the_rest():
    state = VGG19(taps=("conv2_2",)).state_dict() | {"classifier.0.weight": torch.zeros(2, 2)}
    network = VGG19(taps=("conv1_2",))
    network.load(state)
    assert torch.equal(network.features[2].weight, state["features.2.weight"])
    with pytest.raises(InvalidInput, match=r"features\.10\.weight"):
        VGG19(taps=("conv3_1",)).load(state)


def test_what_it_cannot_do_is_refused():
    with pytest.raises(UnknownName, match="conv5_4"):
        VGG19(taps=("conv5_5",))
    with pytest.raises(InvalidParameter):
        VGG19(taps=())
    with pytest.raises(InvalidInput, match="2 pixels"):
        VGG19(taps=("conv2_1",))(torch.rand(1, 3, 1, 5))
