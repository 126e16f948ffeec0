import pytest
import torch

from restora.core.errors import CannotSolve
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.deep.drunet import DRUNet
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


@pytest.fixture
def small(tmp_path):
    """A network of few blocks whose answers are of the size of a picture (the initial ones are near zero)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("drunet", {"widths": (4, 4, 4, 4), "blocks": 1})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(5)
    torch.save(network.state_dict(), tmp_path / "small.pth")
    return DRUNet(str(tmp_path / "small.pth"), "float32"), network


def noisy(x, sigma):
    return Problem.simulate(x, Identity(), Gaussian(sigma), 0)


def test_brightness_and_noise_may_be_scaled_together(small, camera):
    method, _ = small
    problem = noisy(camera[..., :37, :50], 0.1)
    double = Problem(2 * problem.y, Identity(), Gaussian(0.2))
    x = method.run(problem).x
    assert float(x.std()) > 0.01
    assert torch.allclose(method.run(double).x, 2 * x, rtol=1e-4, atol=1e-5)


def test_sides_are_padded_by_their_last_line(small, camera):
    method, network = small
    y = noisy(camera[..., :13, :21], 0.1).y
    padded = torch.cat([y, y[..., -1:].expand(-1, -1, -1, 3)], dim=-1)
    padded = torch.cat([padded, padded[..., -1:, :].expand(-1, -1, 3, -1)], dim=-2)
    with torch.no_grad():
        expected = network(padded, torch.full_like(padded, 0.1))[..., :13, :21]
    problem = Problem(y, Identity(), Gaussian(0.1))
    assert torch.allclose(method.run(problem).x, expected, atol=1e-5)
    # The front door leaves the padding to the method.
    assert torch.equal(restore(problem, method).x, method.run(problem).x)


@pytest.mark.parametrize("size", [(310, 40), (203, 251)])
def test_tiles_equal_the_whole(small, camera, size):
    method, _ = small
    problem = noisy(camera.repeat(1, 1, 3, 2)[..., : size[0], : size[1]], 0.1)
    whole = method.run(problem).x
    tiled = restore(problem, method, tile=56)
    assert "tiles" in tiled.status.sentence
    assert torch.allclose(tiled.x, whole, atol=1e-5 * float(whole.abs().max()))


@pytest.mark.parametrize(("channels", "weights"), [(1, "drunet-small-gray"), (3, "drunet-small-colour")])
def test_the_channels_choose_the_weights(channels, weights):
    problem = Problem(torch.zeros(1, channels, 4, 4), Identity(), Gaussian(0.1))
    assert DRUNet.for_problem(problem).weights == weights
    assert weights in DRUNet.spec.weights


def test_a_blur_is_refused(camera):
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        DRUNet().run(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
