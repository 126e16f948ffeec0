import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import conv2d

from restora.core.errors import CannotSolve, MissingWeights
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.deep.dncnn import DnCNN
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.noise.jpeg import Jpeg
from restora.operators.blur import Blur
from restora.operators.identity import Identity
from restora.operators.psf import gaussian_psf


def written(path, architecture="dncnn", **fields):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(architecture, {"depth": 4, "width": 6, **fields})
    torch.save(network.state_dict(), path)
    return str(path), network


def noisy(x, sigma=25 / 255):
    return Problem.simulate(x, Identity(), Gaussian(sigma), 0)


def test_the_noise_found_is_taken_away(tmp_path, camera):
    weights, network = written(tmp_path / "chain.pth")
    problem = noisy(camera)
    *inner, last = [(network.model[i].weight, network.model[i].bias) for i in (0, 2, 4, 6)]
    h = problem.y
    for weight, bias in inner:
        h = conv2d(h, weight, bias, padding=1).relu()
    result = DnCNN(weights, "float32").run(problem)
    assert torch.allclose(result.x, problem.y - conv2d(h, *last, padding=1), atol=1e-5)
    assert "weights chain" in result.status.sentence


def test_a_gray_network_runs_over_every_channel(tmp_path, cat):
    weights, _ = written(tmp_path / "chain.pth")
    method, problem = DnCNN(weights, "float32"), noisy(cat)
    alone = [method.run(problem.with_y(problem.y[:, c : c + 1])).x for c in range(3)]
    assert torch.allclose(method.run(problem).x, torch.cat(alone, dim=1), atol=1e-6)


def test_fdncnn_is_told_sigma(tmp_path, camera):
    weights, network = written(tmp_path / "chain.pth", "fdncnn")
    problem = noisy(camera[..., :40, :50], 0.1)
    with torch.no_grad():
        expected = network(problem.y, torch.full((1, 1, 40, 50), 0.1))
    assert torch.allclose(DnCNN(weights, "float32").run(problem).x, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "noise", "weights"),
    [
        (1, Gaussian(25 / 255), "dncnn-s-25"),
        (1, Gaussian(27.5 / 255), "dncnn-s-25"),
        (1, Gaussian(28 / 255), "dncnn-b-gray"),
        (2, Gaussian(15 / 255), "dncnn-b-gray"),
        (3, Gaussian(25 / 255), "dncnn-b-colour"),
        (1, Jpeg(10), "dncnn-jpeg"),
        (3, Jpeg(10), "dncnn-jpeg"),
    ],
)
def test_the_problem_chooses_the_weights(channels, noise, weights):
    assert DnCNN.for_problem(Problem(torch.zeros(1, channels, 4, 4), Identity(), noise)).weights == weights
    assert weights in DnCNN.spec.weights


def test_what_it_cannot_do_is_one_sentence(tmp_path, camera, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    with pytest.raises(CannotSolve, match="Identity, not Blur"):
        DnCNN().run(Problem(camera, Blur(gaussian_psf(1.0)), Gaussian(0.1)))
    missing = DnCNN("nowhere")
    assert DnCNN.spec.halo(missing) is None
    with pytest.raises(MissingWeights, match="nowhere"):
        missing.run(noisy(camera))
    weights, _ = written(tmp_path / "other.pth", "ffdnet")
    with pytest.raises(CannotSolve, match="holds an FFDNet, where a DnCNN or an FDnCNN is needed"):
        DnCNN(weights).run(noisy(camera))


def test_tiles_equal_the_whole(tmp_path, camera):
    method = DnCNN(written(tmp_path / "chain.pth")[0], "float32")
    problem = noisy(camera[..., :101, :77])
    tiled = restore(problem, method, tile=33)
    assert "tiles" in tiled.status.sentence
    assert torch.allclose(tiled.x, method.run(problem).x, atol=1e-6)


def saoyan(y, state):
    """Plain convolutions and batch normalisations with the tensors of SaoYan's file (17 convolutions, no biases)."""
    h = conv2d(y, state["dncnn.0.weight"], padding=1).relu()
    for i in range(2, 47, 3):
        h = conv2d(h, state[f"dncnn.{i}.weight"], padding=1)
        names = ("running_mean", "running_var", "weight", "bias")
        mean, variance, scale, shift = (state[f"dncnn.{i + 1}.{name}"][:, None, None] for name in names)
        h = (scale * (h - mean) / (variance + 1e-5).sqrt() + shift).relu()
    return y - conv2d(h, state["dncnn.47.weight"], padding=1)


def gray(picture):
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)[None, None]


def psnr(x, reference):
    return -10 * math.log10(float((x.clamp(0, 1) - reference).square().mean()))


@pytest.mark.published
@pytest.mark.parametrize(("image", "expected"), [("02", None), ("05", None), ("01", 30.155)])
def test_published_weights_for_sigma_25(data_dir, image, expected):
    """Crops against the plain forward; the whole image against its score, measured once by that."""
    path = data_dir / "weights/SaoYan-DnCNN-PyTorch/DnCNN-S-25/net.pth"
    state = {k.removeprefix("module."): v for k, v in torch.load(path, "cpu", weights_only=True).items()}
    x = gray(Image.open(data_dir / f"test/Set12/{image}.png"))
    y = x + torch.from_numpy(np.random.RandomState(0).normal(0, 25 / 255, x.shape)).float()
    part = (..., slice(None), slice(None)) if expected else (..., slice(64, 144), slice(64, 144))
    result = DnCNN(str(path), "float32").run(Problem(y[part], Identity(), Gaussian(25 / 255))).x
    if expected:
        assert psnr(result, x) == pytest.approx(expected, abs=0.002)
    else:
        assert torch.allclose(result, saoyan(y[part], state), atol=1e-5)
        assert psnr(result, x[part]) > psnr(y[part], x[part]) + 6


@pytest.mark.published
def test_published_weights_for_jpeg(data_dir):
    path = data_dir / "weights/cszn-DnCNN/DnCNN3.npz"
    tensors = {name: torch.from_numpy(array) for name, array in np.load(path).items()}
    stream = io.BytesIO()
    picture = Image.open(data_dir / "test/classic5/barbara.png")
    picture.save(stream, "JPEG", quality=10)
    x, y = gray(picture), gray(Image.open(stream))
    x, y = x[..., 200:280, 300:380], y[..., 200:280, 300:380]
    h = y
    for i in range(20):
        h = conv2d(h, tensors[f"conv{i:02}_weight"], tensors[f"conv{i:02}_bias"], padding=1)
        h = h.relu() if i < 19 else h
    result = DnCNN(str(path), "float32").run(Problem(y, Identity(), Jpeg(10))).x
    assert torch.allclose(result, y - h, atol=1e-5)
    assert psnr(result, x) > psnr(y, x) + 0.5
