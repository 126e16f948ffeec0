import pytest
import torch

from restora.core.errors import CannotSolve, MissingWeights
from restora.core.problem import Problem
from restora.methods.deep.restormer import Restormer
from restora.nets.architectures import build
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur


def test_it_is_its_network_and_knows_no_sigma(tmp_path, camera):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fields = {"channels": 1, "width": 8, "blocks": (1, 1, 1, 1), "refinement": 1, "heads": (1, 1, 2, 2)}
        network = build("restormer", fields)
    # KAIR's and the authors' files wrap the tensors.
    torch.save({"params": network.state_dict()}, tmp_path / "small.pth")
    y = camera[..., :21, :30]
    with torch.no_grad():
        expected = network(y)
    method = Restormer(str(tmp_path / "small.pth"), "float32")
    for H, sigma in ((Identity(), 0.1), (Identity(), 0.2), (UnknownBlur(9), 0.0)):
        assert torch.allclose(method.run(Problem(y, H, Gaussian(sigma))).x, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "H", "noise", "weights"),
    [
        (1, Identity(), Gaussian(25 / 255), "gaussian_gray_denoising_sigma25"),
        (1, Identity(), Gaussian(35 / 255), "gaussian_gray_denoising_blind"),
        (3, Identity(), Gaussian(52 / 255), "gaussian_color_denoising_sigma50"),
        (3, Identity(), Gaussian(20 / 255), "gaussian_color_denoising_blind"),
        (3, Identity(), CameraNoise(0.01, 1e-4), "restormer_real_denoising"),
        (3, UnknownBlur(31), Gaussian(0.0), "restormer_motion_deblurring"),
    ],
)
def test_the_problem_chooses_the_weights(channels, H, noise, weights):
    assert Restormer.for_problem(Problem(torch.zeros(1, channels, 4, 4), H, noise)).weights == weights


def test_what_it_cannot_do_is_one_sentence(tmp_path, camera, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    with pytest.raises(CannotSolve, match="not Blur"):
        Restormer().run(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    with pytest.raises(MissingWeights, match="gaussian_color_denoising_blind"):
        Restormer().run(Problem(camera, Identity(), Gaussian(0.1)))
