import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from restora.evaluation.complexity import Complexity, complexity, complexity_of_run
from restora.nets.architectures import build
from restora.nets.dncnn import DnCNN
from restora.nets.ircnn import IRCNN
from restora.nets.network import Network

# Networks of the literature: parameters, and multiply-adds in thousands of millions as their papers and repositories
# state them. SwinIR's are stated for 256×256 tokens, and its authors' test extends 256 to 264.
KNOWN = [
    ("dncnn", {}, (1, 256, 256), 555_137, 36.3),
    ("ffdnet", {}, (1, 256, 256), 485_316, 7.9),
    ("ffdnet", {"channels": 3, "depth": 12, "width": 96}, (3, 256, 256), 852_108, 13.9),
    ("drunet", {}, (1, 256, 256), 32_638_656, 138.6),
    ("srresnet", {"scale": 4}, (3, 64, 64), 1_549_462, 9.1),
    ("msrresnet", {}, (3, 64, 64), 1_517_571, 10.4),
    ("restormer", {}, (3, 256, 256), 26_111_668, 154.9),
    ("ipt", {"task": "x4"}, (3, 48, 48), 118_892_370, 34.7),
    ("swinir", {"channels": 1}, (1, 256, 256), 11_497_681, 799.9 * (264 / 256) ** 2),
    ("srcnn", {}, (1, 720, 1280), 8_129, 7.4),
]


class Layers(Network):
    """One of each kind of layer."""

    def __init__(self):
        super().__init__()
        self.strided = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.linear = nn.Linear(6, 5)
        self.bare = nn.Linear(5, 6, bias=False)
        self.transposed = nn.ConvTranspose2d(6, 4, 2, stride=2)

    @property
    def halo(self):
        return None

    def forward(self, x):
        x = self.depthwise(self.strided(x))
        tokens = self.bare(self.linear(x.permute(0, 2, 3, 1)))
        tokens = tokens.reshape(len(x), 2, -1, 6)
        attended = scaled_dot_product_attention(tokens, tokens, tokens)
        return self.transposed(attended.reshape(x.shape[0], x.shape[2], x.shape[3], 6).permute(0, 3, 1, 2))


class Twice(Network):
    """Runs another network two times."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    @property
    def halo(self):
        return None

    def forward(self, x):
        return self.inner(self.inner(x))


@pytest.mark.parametrize(
    ("architecture", "fields", "size", "parameters", "gmacs"), KNOWN, ids=[f"{k[0]}{k[2]}" for k in KNOWN]
)
def test_networks_of_the_literature(architecture, fields, size, parameters, gmacs):
    with torch.device("meta"):
        network = build(architecture, fields)
    counted = complexity(network, size)
    assert counted.parameters == parameters
    assert counted.macs / 1e9 == pytest.approx(gmacs, abs=0.06)


def test_every_kind_of_layer_by_hand():
    # 4×8×12 → 6×4×6: 24 places; two groups of 12 tokens of dimension 6.
    macs = 24 * 6 * 4 * 9 + 24 * 6 * 9 + 24 * 6 * 5 * 2 + 2 * (12 * 12 * 6) * 2 + 24 * 6 * 4 * 4
    activations = 24 * 6 + 24 * 6 + 24 * 5 + 24 * 6 + 4 * 8 * 12
    parameters = (216 + 6) + (54 + 6) + (30 + 5) + 30 + (96 + 4)
    assert complexity(Layers(), (4, 8, 12)) == Complexity(parameters, macs, activations)
    assert complexity(Layers(), (4, 8, 12), batch=3) == Complexity(parameters, 3 * macs, 3 * activations)


def test_a_network_that_looks_at_values_is_counted_as_well():
    bank, one = IRCNN(levels=3, width=4), IRCNN(levels=1, width=4)
    counted = complexity(bank, (1, 10, 12))
    assert (counted.macs, counted.activations) == (120 * 9 * (4 + 5 * 16 + 4), 120 * (6 * 4 + 1))
    assert counted.parameters == 3 * complexity(one, (1, 10, 12)).parameters


def test_attention_is_counted_where_values_are_needed():
    class Peeking(Layers):
        def forward(self, x):
            return super().forward(x) * float(x.mean())

    assert complexity(Peeking(), (4, 8, 12)) == complexity(Layers(), (4, 8, 12))


def test_the_network_is_left_as_it_was():
    network = DnCNN(depth=3, width=4, batch_norm=True).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    complexity(network, (1, 8, 8))
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_run_counts_its_networks_as_often_as_they_ran():
    network = DnCNN(depth=2, width=4)
    one = complexity(network, (1, 8, 8))

    def run():
        return network(network(torch.zeros(2, 1, 8, 8))) + network(torch.zeros(1, 1, 16, 8)).sum()

    result, counted = complexity_of_run(run)
    assert result.shape == (2, 1, 8, 8)
    assert counted == Complexity(one.parameters, 6 * one.macs, 6 * one.activations)


def test_a_network_within_a_network_is_counted_once():
    inner = DnCNN(depth=2, width=4)
    counted = complexity_of_run(lambda: Twice(inner)(torch.zeros(1, 1, 8, 8)))[1]
    assert counted == complexity(Twice(inner), (1, 8, 8))
    assert counted.macs == 2 * complexity(inner, (1, 8, 8)).macs


def test_a_run_without_networks_has_no_complexity():
    assert complexity_of_run(lambda: 7) == (7, None)


def test_nothing_is_observed_after_a_run_that_failed():
    network = DnCNN(depth=2, width=4)

    def fail():
        network(torch.zeros(1, 1, 8, 8))
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 (ours, two lines above)
        complexity_of_run(fail)
    assert not nn.modules.module._global_forward_pre_hooks
    assert complexity_of_run(lambda: 7) == (7, None)
