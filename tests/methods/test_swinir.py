import numpy as np
import pytest
import torch

from restora.core.errors import CannotSolve
from restora.core.problem import Problem
from restora.methods.deep.swinir import SwinIR
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def written(path, **fields):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("swinir", {"width": 8, "depths": (2,), "heads": (2,), **fields})
    torch.save(network.state_dict(), path)
    return str(path), network.eval()


def test_it_denoises_with_its_network(tmp_path, camera):
    weights, network = written(tmp_path / "gray.pth", channels=1)
    problem = Problem(camera[..., :21, :30], Identity(), Gaussian(0.1))
    with torch.no_grad():
        expected = network(problem.y)
    assert torch.allclose(SwinIR(weights, precision="float32").run(problem).x, expected, atol=1e-6)


def test_it_enlarges_to_the_size_of_x(tmp_path, cat):
    weights, network = written(tmp_path / "twice.pth", scale=2, upsampler="pixelshuffle")
    H = Downsample(2.0, size=(33, 50))
    problem = Problem(H(cat[..., :33, :50]), H, Gaussian(0.0))
    with torch.no_grad():
        expected = network(problem.y)[..., :33, :50]
    method = SwinIR(weights, precision="float32")
    assert torch.allclose(method.run(problem).x, expected, atol=1e-6)
    with pytest.raises(CannotSolve, match="twice enlarges 2 times, not 4"):
        method.run(Problem(problem.y, Downsample(4.0), Gaussian(0.0)))
    with pytest.raises(CannotSolve, match="enlarges 2 times, not 1"):
        method.run(Problem(problem.y, Identity(), Gaussian(0.1)))


def test_the_ensemble_is_a_mean_over_eight(tmp_path, cat):
    weights, network = written(tmp_path / "twice.pth", scale=2, upsampler="pixelshuffle")
    y = cat[..., :11, :17]
    total = np.zeros((3, 22, 34))
    for mirrored in (False, True):
        for quarters in range(4):
            turned = np.rot90(y[0].numpy(), quarters, (1, 2))
            turned = turned[:, ::-1] if mirrored else turned
            with torch.no_grad():
                x = network(torch.from_numpy(turned.copy())[None])[0].numpy()
            x = x[:, ::-1] if mirrored else x
            total += np.rot90(x, -quarters, (1, 2)) / 8
    result = SwinIR(weights, ensemble=True, precision="float32").run(Problem(y, Downsample(2.0), Gaussian(0.0)))
    assert np.allclose(result.x[0], total, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "H", "noise", "weights"),
    [
        (1, Identity(), Gaussian(18 / 255), "004_grayDN_DFWB_s128w8_SwinIR-M_noise15"),
        (3, Identity(), Gaussian(80 / 255), "005_colorDN_DFWB_s128w8_SwinIR-M_noise50"),
        (1, Identity(), Jpeg(12), "006_CAR_DFWB_s126w7_SwinIR-M_jpeg10"),
        (3, Identity(), Jpeg(90), "006_colorCAR_DFWB_s126w7_SwinIR-M_jpeg40"),
        (3, Downsample(3.0), Gaussian(0.0), "001_classicalSR_DF2K_s64w8_SwinIR-M_x3"),
    ],
)
def test_the_problem_chooses_the_weights(channels, H, noise, weights):
    assert SwinIR.for_problem(Problem(torch.zeros(1, channels, 4, 4), H, noise)).weights == weights


@pytest.mark.parametrize("H", [Blur(gaussian_psf(1.0)), Downsample(2.5)], ids=lambda H: type(H).__name__)
def test_other_operators_and_scales_are_refused(camera, H):
    problem = Problem(camera, H, Gaussian(0.1))
    with pytest.raises(CannotSolve, match="swinir"):
        SwinIR.for_problem(problem).run(problem)
