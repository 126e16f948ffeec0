import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from restora.core.errors import CannotSolve, InvalidInput
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.deep.ffdnet import FFDNet
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.noise.unknown import UnknownNoise
from restora.operators.identity import Identity
from restora.operators.unknown import UnknownBlur


@pytest.fixture
def gray(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("ffdnet", {"depth": 3, "width": 6})
    torch.save(network.state_dict(), tmp_path / "gray.pth")
    return FFDNet(str(tmp_path / "gray.pth"), "float32"), network


def noisy(x, sigma):
    return Problem.simulate(x, Identity(), Gaussian(sigma), 0)


@pytest.mark.parametrize("size", [(20, 24), (19, 13)])
def test_blocks_of_four_and_a_map_go_through_a_chain(gray, camera, size):
    method, network = gray
    problem = noisy(camera[..., : size[0], : size[1]], 0.2)
    y = np.pad(problem.y[0, 0].numpy(), ((0, size[0] % 2), (0, size[1] % 2)), mode="edge")
    corners = [y[i::2, j::2] for i in (0, 1) for j in (0, 1)]
    h = torch.from_numpy(np.stack([*corners, np.full_like(corners[0], 0.2)]))[None]
    for i in (0, 2):
        h = conv2d(h, network.model[i].weight, network.model[i].bias, padding=1).relu()
    h = conv2d(h, network.model[4].weight, network.model[4].bias, padding=1).detach().numpy()[0]
    expected = np.zeros_like(y)
    for place, channel in zip([(0, 0), (0, 1), (1, 0), (1, 1)], h):
        expected[place[0] :: 2, place[1] :: 2] = channel
    assert np.allclose(method.run(problem).x[0, 0], expected[: size[0], : size[1]], atol=1e-5)


def test_it_is_told_sigma(gray, camera):
    method, _ = gray
    y = camera[..., :20, :20]
    weak, strong = (method.run(Problem(y, Identity(), Gaussian(sigma))).x for sigma in (0.05, 0.25))
    assert float((weak - strong).abs().max()) > 1e-3
    with pytest.raises(InvalidInput, match="unknown"):
        method.run(Problem(y, Identity(), UnknownNoise()))


def test_more_noise_than_it_has_seen_is_refused(gray, camera):
    method, _ = gray
    y = camera[..., :8, :8]
    assert method.run(Problem(y, Identity(), Gaussian(75 / 255))).x.shape == y.shape
    with pytest.raises(CannotSolve, match=r"up to 75/255, not 80.0/255"):
        method.run(Problem(y, Identity(), Gaussian(80 / 255)))
    with pytest.raises(CannotSolve, match="needs to know H"):
        method.run(Problem(y, UnknownBlur(9), Gaussian(0.1)))


@pytest.mark.parametrize("size", [(100, 81), (101, 96)])
@pytest.mark.parametrize("tile", [16, 27])
def test_tiles_equal_the_whole(gray, camera, size, tile):
    method, _ = gray
    problem = noisy(camera[..., : size[0], : size[1]], 0.1)
    tiled = restore(problem, method, tile=tile)
    assert f"tiles of {tile + tile % 2} pixels" in tiled.status.sentence
    assert torch.allclose(tiled.x, method.run(problem).x, atol=1e-6)


@pytest.mark.parametrize(("channels", "weights"), [(1, "ffdnet-gray"), (2, "ffdnet-gray"), (3, "ffdnet-colour")])
def test_the_channels_choose_the_weights(channels, weights):
    problem = Problem(torch.zeros(1, channels, 4, 4), Identity(), Gaussian(0.1))
    assert FFDNet.for_problem(problem).weights == weights
    assert weights in FFDNet.spec.weights
