from itertools import pairwise

import pytest
import torch
from torch import nn

from restora.core.errors import InvalidParameter
from restora.nets.discriminator import Discriminator
from restora.nets.network import parameter_count


def test_it_has_the_paper_s_layers():
    with torch.device("meta"):
        network = Discriminator()
    widths = [3, 64, 64, 128, 128, 256, 256, 512, 512]
    convolutions = sum(9 * a * b for a, b in pairwise(widths)) + 64
    norms = 2 * sum(widths[2:])
    assert parameter_count(network) == convolutions + norms + (512 * 6 * 6 + 1) * 1024 + 1025
    strides = [layer.stride[0] for layer in network.features if isinstance(layer, nn.Conv2d)]
    assert strides == [1, 2] * 4
    assert not isinstance(network.features[2], nn.Identity)
    assert [isinstance(network.features[n], nn.BatchNorm2d) for n in (1, 3, 6)] == [False, True, True]


def test_other_sizes_are_averaged_over_the_same_cells(generator):
    network = Discriminator(size=32, width=4).eval()
    x = torch.rand(2, 3, 64, 64, generator=generator)
    features = network.features(x)
    assert features.shape == (2, 32, 4, 4)
    cells = features.reshape(2, 32, 2, 2, 2, 2).mean((3, 5))
    assert torch.allclose(network(x), network.score(cells.flatten(1))[:, 0], atol=1e-6)


@pytest.mark.parametrize("size", [(96, 96), (33, 50), (1, 1)])
def test_every_picture_has_one_score(size):
    assert Discriminator(width=2).eval()(torch.rand(3, 3, *size)).shape == (3,)


def test_it_learns_from_a_batch(generator):
    network = Discriminator(size=16, width=4)
    scores = network(torch.rand(4, 3, 32, 32, generator=generator))
    nn.functional.binary_cross_entropy_with_logits(scores, torch.ones(4)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("fields", [{"size": 100}, {"size": 0}, {"width": 0}])
def test_impossible_networks_are_refused(fields):
    with pytest.raises(InvalidParameter):
        Discriminator(**fields)
