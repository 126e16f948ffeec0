import pytest
import torch

from restora.core.errors import CannotSolve, MissingWeights
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.deep.scunet import SCUNet
from restora.nets.architectures import build
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.operators.unknown import UnknownBlur


@pytest.fixture
def small(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("scunet", {"width": 16, "depths": (1,) * 7, "head_width": 8})
    torch.save(network.state_dict(), tmp_path / "small.pth")
    return SCUNet(str(tmp_path / "small.pth"), "float32"), network


def test_it_is_its_network_in_colour_and_gray(small, cat):
    method, network = small
    y = cat[..., :41, :30]
    gray = y[:, :1]
    with torch.no_grad():
        in_colour, in_gray = network(y), network(gray.expand(-1, 3, -1, -1)).mean(dim=1, keepdim=True)
    assert torch.allclose(method.run(Problem(y, Identity(), Gaussian(0.1))).x, in_colour, atol=1e-5)
    assert torch.allclose(method.run(Problem(gray, Identity(), CameraNoise(0.01, 1e-4))).x, in_gray, atol=1e-5)


def test_noise_of_a_camera_is_not_made_white(small, cat):
    method, network = small
    y = cat[..., :64, :64]
    with torch.no_grad():
        expected = network(y)
    result = restore(Problem(y, Identity(), CameraNoise(0.01, 1e-4)), method)
    assert torch.allclose(result.x, expected, atol=1e-5)
    assert "Anscombe" not in result.status.sentence


@pytest.mark.parametrize(
    ("channels", "noise", "weights"),
    [
        (1, Gaussian(15 / 255), "scunet_gray_15"),
        (3, Gaussian(26 / 255), "scunet_color_25"),
        (3, Gaussian(35 / 255), "scunet_color_real_psnr"),
        (3, CameraNoise(0.01, 1e-4), "scunet_color_real_psnr"),
    ],
)
def test_the_problem_chooses_the_weights(channels, noise, weights):
    assert SCUNet.for_problem(Problem(torch.zeros(1, channels, 4, 4), Identity(), noise)).weights == weights


def test_what_it_cannot_do_is_one_sentence(tmp_path, cat, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    with pytest.raises(CannotSolve, match="needs to know H"):
        SCUNet().run(Problem(cat, UnknownBlur(9), Gaussian(0.1)))
    with pytest.raises(MissingWeights, match="scunet_color_real_psnr"):
        SCUNet().run(Problem(cat, Identity(), Gaussian(0.1)))
