import pytest
import torch

from restora.core.errors import CannotSolve, InvalidParameter
from restora.core.problem import Problem
from restora.methods.superresolution.ipt import IPT
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf
from restora.weights.record import Record
from restora.weights.save import save_weights

FIELDS = {"tasks": ("x2", "denoise-30"), "width": 4, "size": 12, "heads": 4, "layers": (1, 1)}


@pytest.fixture
def file_and_network(tmp_path):
    torch.manual_seed(0)
    network = build("ipt", FIELDS).eval()
    save_weights(
        network.state_dict(),
        Record(name="tiny", architecture="ipt", fields=FIELDS, task="super-resolve", channels=3),
        tmp_path,
    )
    return str(tmp_path / "tiny.safetensors"), network


@torch.no_grad()
def test_one_window_is_the_network(file_and_network, cat):
    path, network = file_and_network
    H = Downsample(2.0, size=(24, 24))
    y = H(cat[..., :24, :24])
    x = IPT(path, stride=4, margin=4).run(Problem(y, H, Gaussian(0.0))).x
    network.task = "x2"
    assert torch.allclose(x, network(y), atol=1e-5)
    noisy = Problem(cat[..., :12, :12], Identity(), Gaussian(29 / 255))
    network.task = "denoise-30"
    assert torch.allclose(IPT(path, stride=4, margin=4).run(noisy).x, network(noisy.y), atol=1e-5)


@torch.no_grad()
def test_overlaps_are_averaged_without_their_margins(file_and_network, cat):
    path, network = file_and_network
    network.task = "denoise-30"
    y = cat[..., :12, :16]
    x = IPT(path, stride=4, margin=2).run(Problem(y, Identity(), Gaussian(30 / 255))).x
    left, right = network(y[..., :12]), network(y[..., 4:])
    assert torch.allclose(x[..., :6], left[..., :6], atol=1e-5)
    assert torch.allclose(x[..., 6:10], (left[..., 6:10] + right[..., 2:6]) / 2, atol=1e-5)
    assert torch.allclose(x[..., 10:], right[..., 6:], atol=1e-5)


def test_what_it_has_no_task_for_is_refused(file_and_network, cat):
    path, _ = file_and_network
    y = cat[..., :12, :12]
    with pytest.raises(CannotSolve, match="σ = 30 and 50 of 255, not 20"):
        IPT(path).run(Problem(y, Identity(), Gaussian(20 / 255)))
    with pytest.raises(CannotSolve, match="no task x3"):
        IPT(path).run(Problem(y, Downsample(3.0), Gaussian(0.0)))
    with pytest.raises(CannotSolve, match="2, 3 or 4 times, not 5"):
        IPT(path).run(Problem(y, Downsample(5.0), Gaussian(0.0)))
    with pytest.raises(CannotSolve, match="Blur"):
        IPT(path).run(Problem(y, Blur(gaussian_psf(1.0), "circular"), Gaussian(0.0)))
    with pytest.raises(InvalidParameter, match="stride = 0"):
        IPT(stride=0)
    with pytest.raises(InvalidParameter, match="gaps"):
        IPT(path, stride=12, margin=2).run(Problem(y, Identity(), Gaussian(30 / 255)))
