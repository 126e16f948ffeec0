import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter, MissingWeights
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.deep.nafnet import NAFNet
from restora.nets.architectures import build
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur

FIELDS = {"width": 4, "encoders": (1, 1), "middle": 1, "decoders": (1, 1)}


@pytest.fixture
def small(tmp_path):
    """A network whose blocks do something: the initial ones are the identity."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("nafnet", FIELDS)
        for name, parameter in network.named_parameters():
            if name.endswith(("beta", "gamma")):
                parameter.data.normal_()
    torch.save(network.state_dict(), tmp_path / "small.pth")
    return str(tmp_path / "small.pth"), network.eval()


def problem_of(y, H=None):
    return Problem(y, H or Identity(), CameraNoise(0.01, 1e-4))


def test_means_over_the_image_or_over_windows(small, cat):
    weights, network = small
    y = cat[..., :37, :50]
    local = build("nafnet", {**FIELDS, "window": 24})
    local.load_state_dict(network.state_dict())
    with torch.no_grad():
        whole, windows = network(y), local(y)
    assert float((whole - windows).abs().max()) > 1e-3
    assert torch.allclose(NAFNet(weights, window=24).run(problem_of(y)).x, windows, atol=1e-5)
    # The network that others share was left as it is.
    assert torch.allclose(NAFNet(weights).run(problem_of(y)).x, whole, atol=1e-5)


def test_gray_is_given_as_three_equal_colours(small, camera):
    weights, network = small
    y = camera[..., :20, :24]
    with torch.no_grad():
        expected = network(y.expand(-1, 3, -1, -1)).mean(dim=1, keepdim=True)
    assert torch.allclose(NAFNet(weights).run(problem_of(y)).x, expected, atol=1e-5)


def test_it_knows_neither_noise_nor_kernel(small, cat):
    weights, _ = small
    y = cat[..., :16, :16]
    x = NAFNet(weights).run(problem_of(y)).x
    blurred = restore(Problem(y, UnknownBlur(9), Gaussian(0.0)), NAFNet(weights))
    assert torch.equal(blurred.x, x)
    assert "blur" not in blurred.status.sentence  # none was estimated


def test_the_problem_chooses_the_weights(cat):
    assert NAFNet.for_problem(problem_of(cat)) == NAFNet("NAFNet-SIDD-width32", window=0)
    assert NAFNet.for_problem(problem_of(cat, UnknownBlur(31))) == NAFNet("NAFNet-GoPro-width32", window=384)


def test_what_it_cannot_do_is_one_sentence(tmp_path, cat, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    with pytest.raises(CannotSolve, match="not Blur"):
        NAFNet().run(problem_of(cat, Blur(gaussian_psf(1.0))))
    with pytest.raises(MissingWeights, match="NAFNet-SIDD-width32"):
        NAFNet().run(problem_of(cat))
    with pytest.raises(InvalidParameter, match="window = -1"):
        NAFNet(window=-1)
