"""The table of networks: it agrees with the classes it names, and three files add a network with public checkpoints."""

import sys

import pytest
import torch

from restora import catalog
from restora.core import networks
from restora.core.problem import Problem
from restora.evaluation.configurations import method_of_weights
from restora.front.restore import restore
from restora.nets.architectures import architectures
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.weights.identify import identify
from restora.weights.network_method import NetworkMethod
from restora.weights.public import public_weights

NETWORK = '''
from torch import nn

from restora.nets.network import Network


class Toy(Network):
    """x̂ = W * x, a single convolution."""

    halo = 1

    def __init__(self, *, channels: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    @classmethod
    def recognise(cls, state):
        """The one tensor, under the name its authors gave it."""
        if set(state) != {"toy.kernel"}:
            return None
        kernel = state["toy.kernel"]
        return cls.if_it_fits("toy", {"channels": kernel.shape[0]}, {"conv.weight": kernel}, "theirs")

    def forward(self, x):
        return self.conv(self.like_weights(x)).to(x.dtype)
'''
METHOD = '''
from dataclasses import dataclass
from typing import ClassVar

from restora.core.spec import Spec
from restora.operators.identity import Identity
from restora.weights.network_method import NetworkMethod, reach_of


@dataclass(frozen=True, slots=True)
class Toy(NetworkMethod):
    """A convolution that was learnt."""

    spec: ClassVar[Spec] = Spec(
        name="toy",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="none",
        needs_sigma=False,
        halo=reach_of,
        keeps_constants=False,
    )
    architectures: ClassVar[tuple[str, ...]] = ("toy",)

    weights: str = "toy-published"
'''
ROWS = """
[[methods]]
name = "toy"
family = "deep"
tasks = ["denoise"]
summary = "a convolution that was learnt"
target = "toy_method:Toy"
architectures = ["toy"]

[architectures.toy]
target = "toy_network:Toy"

[[architectures.toy.public]]
source = "somebody/toy"
licence = "MIT"
at = "https://example.org/releases/"
files = [{ name = "toy-published", task = "denoising", bytes = 1234 }]
"""
TABLES = (networks.network_table, architectures, public_weights, catalog._own_entries)


def forget():
    for table in TABLES:
        table.cache_clear()


@pytest.fixture
def three_files(tmp_path, monkeypatch):
    """A folder with the file of a network, that of its method, and the table with their rows."""
    (tmp_path / "toy_network.py").write_text(NETWORK, encoding="utf-8")
    (tmp_path / "toy_method.py").write_text(METHOD, encoding="utf-8")
    table = tmp_path / "networks.toml"
    table.write_text(networks.TABLE.read_text(encoding="utf-8") + ROWS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(networks, "TABLE", table)
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path / "cache"))
    forget()
    yield tmp_path
    forget()
    for module in ("toy_network", "toy_method"):
        sys.modules.pop(module, None)


def test_three_files_add_a_network(three_files, camera):
    kernel = torch.zeros(1, 1, 3, 3)
    kernel[0, 0, 1, 2] = 0.5  # half of the pixel at the right
    cache = three_files / "cache"
    cache.mkdir()
    torch.save({"state_dict": {"toy.kernel": kernel}}, cache / "toy-published.pth")
    found = identify("toy-published").found
    assert (found.architecture, found.fields, found.layout) == ("toy", {"channels": 1}, "theirs")
    assert method_of_weights("toy-published") == "toy"
    problem = Problem.simulate(camera[..., :40, :30], Identity(), Gaussian(0.1), 0)
    for options in ({}, {"tile": 16}):
        x = restore(problem, "toy", **options).x
        torch.testing.assert_close(x[..., :-1], 0.5 * problem.y[..., 1:], atol=1e-6, rtol=0)
        assert not x[..., -1].any()
    public = {one.name: one for one in public_weights()}["toy-published"]
    assert (public.architecture, public.url) == ("toy", "https://example.org/releases/toy-published.pth")
    assert (public.source, public.licence, public.bytes) == ("somebody/toy", "MIT", 1234)


def test_another_network_is_not_a_toy(three_files):
    torch.save({"toy.kernel": torch.zeros(1, 1, 5, 5)}, three_files / "large.pth")
    with pytest.raises(Exception, match=r"no architecture known here.* toy"):
        identify(str(three_files / "large.pth"))


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_the_table_and_the_classes_name_the_same_architectures(entry):
    kind = entry.load()
    if issubclass(kind, NetworkMethod):
        assert kind.architectures == entry.architectures
    else:
        assert not set(entry.architectures) & set(architectures())


def test_every_architecture_has_a_class_and_a_method():
    for name, row in architectures().items():
        assert row.load().__name__ == row.class_name
        assert catalog.running(name) is not None, name
    assert catalog.running("scsr").name == "scsr"  # a pair of dictionaries
    assert catalog.running("vgg19") is None
