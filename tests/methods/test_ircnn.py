import pytest
import torch

from restora.core.errors import CannotSolve, MissingWeights
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.deep.ircnn import IRCNN
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def saved(network, path):
    torch.save(network.state_dict(), path)
    return IRCNN(str(path), "float32")


@pytest.mark.parametrize(
    ("sigma", "k"), [(0, 1), (1, 1), (2, 1), (2.1, 2), (4, 2), (15, 8), (25, 13), (50, 25), (70, 25)]
)
def test_sigma_chooses_the_denoiser(tmp_path, sigma, k):
    bank = build("ircnn", {"width": 2})
    with torch.no_grad():
        for parameter in bank.parameters():
            parameter.zero_()
        for level, denoiser in enumerate(bank.bank, start=1):
            denoiser.model[-1].bias.fill_(level / 100)  # the noise that this denoiser finds everywhere
    y = torch.rand(2, 1, 9, 11, generator=torch.Generator().manual_seed(0))
    x = saved(bank, tmp_path / "bank.pth").run(Problem(y, Identity(), Gaussian(sigma / 255))).x
    assert torch.allclose(x, y - k / 100, atol=1e-6)


def test_tiles_equal_the_whole(tmp_path, camera):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        method = saved(build("ircnn", {"width": 4}), tmp_path / "bank.pth")
    problem = Problem.simulate(camera[..., :111, :90], Identity(), Gaussian(0.1), 0)
    tiled = restore(problem, method, tile=30)
    assert "approximation" not in tiled.status.sentence
    assert torch.allclose(tiled.x, method.run(problem).x, atol=1e-5)


def test_what_it_cannot_do_is_one_sentence(tmp_path, camera, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        IRCNN().run(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    for channels, name in ((1, "ircnn_gray"), (3, "ircnn_color")):
        problem = Problem(camera.expand(-1, channels, -1, -1), Identity(), Gaussian(0.1))
        with pytest.raises(MissingWeights, match=name):
            IRCNN.for_problem(problem).run(problem)
