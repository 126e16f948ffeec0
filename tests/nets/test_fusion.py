"""Fusion: the same function without its batch normalisations."""

import torch
from torch import nn

from restora.nets.dncnn import DnCNN
from restora.nets.fusion import fused


def trained(network):
    """Statistics, scales and shifts as training would leave them: none at its initial value."""
    torch.manual_seed(0)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                    if tensor is not None:
                        tensor.uniform_(0.2, 2)
    return network.double()


def norms_in(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]


def test_dncnn_keeps_its_output_and_loses_its_normalisations():
    for biases in ((False, False, False), (True, True, True)):
        network = trained(DnCNN(depth=5, width=8, batch_norm=True, biases=biases, eps=1e-4))
        x = torch.rand(1, 1, 9, 9, dtype=torch.float64)
        lean = fused(network)
        torch.testing.assert_close(lean(x), network.eval()(x), rtol=1e-6, atol=1e-6)
        assert norms_in(lean) == []
        assert len(norms_in(network)) == 3


def test_the_network_given_is_left_as_it_is():
    network = trained(DnCNN(depth=4, width=4, batch_norm=True)).train()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    lean = fused(network)
    assert network.training
    assert not lean.training
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())


def test_one_channel_by_hand():
    layers = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.0))
    with torch.no_grad():
        # z = 3 (2x + 1 − 5)/√4 + 7 = 3x + 1.
        for tensor, value in zip(
            (layers[0].weight, layers[0].bias, layers[1].weight, layers[1].bias), (2.0, 1.0, 3.0, 7.0)
        ):
            tensor.fill_(value)
        layers[1].running_mean.fill_(5)
        layers[1].running_var.fill_(4)
    lean = fused(layers)
    assert (lean[0].weight.item(), lean[0].bias.item()) == (3, 1)


class Block(nn.Module):
    """A residual block whose modules are no sequence."""

    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(3)
        self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)

    def forward(self, x):
        return x + self.bn(self.conv(x))


def test_pairs_that_are_named_are_merged_too():
    network = trained(nn.Sequential(Block(), nn.PReLU(3)))
    x = torch.rand(1, 3, 6, 6, dtype=torch.float64)
    lean = fused(network, (("0.conv", "0.bn"),))
    torch.testing.assert_close(lean(x), network.eval()(x), rtol=1e-6, atol=1e-6)
    assert norms_in(lean) == []
    assert len(norms_in(fused(network))) == 1


def test_what_cannot_be_merged_stays():
    first = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1), nn.ReLU(), nn.BatchNorm2d(3))
    network = trained(nn.Sequential(*first, nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)))
    x = torch.rand(2, 3, 6, 6, dtype=torch.float64)
    lean = fused(network)
    assert len(norms_in(lean)) == 3
    torch.testing.assert_close(lean(x), network.eval()(x))
