import pytest
import torch

from restora.core.errors import CannotSolve
from restora.core.problem import Problem
from restora.methods.superresolution.scn import SCN
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.numerics.imresize import imresize
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.weights.record import Record
from restora.weights.save import save_weights

SECOND = 1e-4
"""The direction of a nearly flat patch is decided by its last bits, so a second network may differ there by so much."""


@pytest.fixture
def cascade(tmp_path):
    """Two files of random weights and their networks."""
    made = []
    for seed, name in enumerate(("first", "later")):
        torch.manual_seed(seed)
        network = build("scn", {"atoms": 8}).eval()
        record = Record(name=name, architecture="scn", fields={"atoms": 8}, task="super-resolve", channels=1)
        save_weights(network.state_dict(), record, tmp_path)
        made.append((str(tmp_path / f"{name}.safetensors"), network))
    return made


def measured(x, scale):
    H = Downsample(scale, size=(x.shape[-2], x.shape[-1]))
    return Problem(H(x), H, Gaussian(0.0))


def run(cascade, problem):
    (first, _), (later, _) = cascade
    return SCN(weights=first, later_weights=later).run(problem)


@torch.no_grad()
def test_twice_is_one_network_and_four_times_are_two(cascade, camera):
    (_, first), (_, later) = cascade
    problem = measured(camera[..., :48, :40], 2.0)
    assert torch.allclose(run(cascade, problem).x, first(imresize(problem.y, scale=2)), atol=1e-6)
    problem = measured(camera[..., :48, :40], 4.0)
    once = first(imresize(problem.y, scale=2))
    assert torch.allclose(run(cascade, problem).x, later(imresize(once, scale=2)), atol=SECOND)


@torch.no_grad()
def test_three_times_are_four_times_reduced(cascade, camera):
    (_, first), (_, later) = cascade
    problem = measured(camera[..., :49, :40], 3.0)
    four = later(imresize(first(imresize(problem.y, scale=2)), scale=2))
    expected = imresize(four, scale=3 / 4)[..., :49, :40]
    x = run(cascade, problem).x
    assert x.shape == (1, 1, 49, 40)
    assert torch.allclose(x, expected, atol=SECOND)


def test_the_first_network_serves_all_stages_where_no_other_is_given(cascade, camera):
    (first, _), _ = cascade
    problem = measured(camera[..., :48, :40], 4.0)
    alone = SCN(weights=first).run(problem)
    assert torch.equal(alone.x, SCN(weights=first, later_weights=first).run(problem).x)
    assert not torch.equal(alone.x, run(cascade, problem).x)
    with pytest.raises(CannotSolve, match="bicubic Downsample"):
        SCN(weights=first).run(Problem(camera, Identity(), Gaussian(0.0)))
