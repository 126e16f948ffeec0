"""SRCNN, VDSR, ESPCN, SRResNet, SRGAN, RRDB: what lies between the problem and the network, with small networks."""

import pytest
import torch

from restora.core.errors import CannotSolve, MissingWeights
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.methods.superresolution.espcn import ESPCN
from restora.methods.superresolution.rrdb import RRDB
from restora.methods.superresolution.srcnn import SRCNN
from restora.methods.superresolution.srgan import SRGAN
from restora.methods.superresolution.srresnet import SRResNet
from restora.methods.superresolution.vdsr import VDSR
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.psf import gaussian_psf
from restora.operators.resampling import Resampler
from restora.weights.record import Record
from restora.weights.save import save_weights

FINE = ((SRCNN, "srcnn", {"widths": (5, 4)}), (VDSR, "vdsr", {"depth": 4, "width": 6}))
COARSE = (
    (ESPCN, "espcn", {"scale": 3, "widths": (5, 4)}),
    (SRResNet, "srresnet", {"scale": 3, "blocks": 1, "width": 4}),
    (SRResNet, "msrresnet", {"scale": 3, "blocks": 1, "width": 4}),
    (SRGAN, "srresnet", {"scale": 2, "blocks": 1, "width": 4}),
    (RRDB, "rrdbnet", {"scale": 4, "blocks": 1, "width": 4, "growth": 2}),
)


def saved(folder, architecture, fields):
    """A file of random weights, and the network itself."""
    torch.manual_seed(0)
    network = build(architecture, fields).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    channels = 1 if architecture in ("srcnn", "vdsr", "espcn") else 3
    record = Record(
        name=architecture, architecture=architecture, fields=fields, task="super-resolve", channels=channels
    )
    save_weights(network.state_dict(), record, folder)
    return str(folder / f"{architecture}.safetensors"), network


def measured(x, scale):
    H = Downsample(scale, size=(x.shape[-2], x.shape[-1]))
    return Problem(H(x), H, Gaussian(0.0))


def interpolated(y, scale, size):
    rows, columns = (Resampler(n, -(-round(n * scale * 1000) // 1000), scale) for n in y.shape[-2:])
    return columns(rows(y, -2), -1)[..., : size[0], : size[1]]


@pytest.mark.parametrize(("method", "architecture", "fields"), FINE, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("scale", [2, 3, 2.5])
def test_networks_after_interpolation(method, architecture, fields, scale, camera, tmp_path):
    path, network = saved(tmp_path, architecture, fields)
    problem = measured(camera[..., :60, :50], scale)
    x = method(weights=path, precision="float32").run(problem).x
    with torch.no_grad():
        expected = network(interpolated(problem.y, scale, (60, 50)))
    assert torch.allclose(x, expected, atol=1e-5)


@pytest.mark.parametrize(("method", "architecture", "fields"), COARSE, ids=lambda v: v if isinstance(v, str) else "")
def test_networks_on_the_coarse_grid(method, architecture, fields, camera, cat, tmp_path):
    path, network = saved(tmp_path, architecture, fields)
    scale = fields["scale"]
    whole = (camera if architecture == "espcn" else cat)[..., : 12 * scale + 1, : 10 * scale + 1]
    problem = measured(whole, float(scale))
    x = method(weights=path, precision="float32").run(problem).x
    assert x.shape == whole.shape
    with torch.no_grad():
        assert torch.allclose(x, network(problem.y)[..., : whole.shape[-2], : whole.shape[-1]], atol=1e-5)
    with pytest.raises(CannotSolve, match=f"enlarges {scale} times, not 5"):
        method(weights=path).run(measured(whole[..., :20, :20], 5.0))


@pytest.mark.parametrize(
    ("method", "architecture", "fields"), [*FINE, *COARSE], ids=lambda v: v if isinstance(v, str) else ""
)
def test_tiles_and_refusals(method, architecture, fields, camera, cat, tmp_path):
    path, _ = saved(tmp_path, architecture, fields)
    image = camera if architecture in ("srcnn", "vdsr", "espcn") else cat
    scale = float(fields.get("scale", 2))
    problem = measured(image[..., :96, :96], scale)
    configured = method(weights=path, precision="float32")
    whole = restore(problem, configured)
    tiled = restore(problem, configured, tile=20)
    assert "tiles of 20" in tiled.status.sentence
    assert torch.allclose(tiled.x, whole.x, atol=1e-5)
    with pytest.raises(CannotSolve, match="bicubic Downsample"):
        configured.run(Problem(image, Blur(gaussian_psf(1.0), "circular"), Gaussian(0.0)))
    with pytest.raises(MissingWeights) as missing:
        method(weights="no-such-weights").run(problem)
    assert "\n" not in str(missing.value)


def test_the_paper_has_a_network_a_scale(camera):
    names = [SRCNN.for_problem(measured(camera[..., :48, :48], s)).weights for s in (2.0, 3.0, 3.6, 6.0)]
    assert names == ["srcnn-x2", "srcnn-x3", "srcnn-x4", "srcnn-x4"]
    assert VDSR.for_problem(measured(camera[..., :48, :48], 3.5)).weights == "vdsr"


@pytest.mark.published
@pytest.mark.parametrize(("scale", "image", "expected"), [(3, "butterfly", 30.02), (2, "woman", 36.06)])
def test_public_vdsr(data_dir, scale, image, expected):
    """The file of the data folder; x3 as recorded there, x2 by an independent chain of convolutions."""
    import math

    import numpy as np
    from PIL import Image
    from torch.nn.functional import conv2d

    from restora.numerics.colour import rgb_to_y

    path = data_dir / "weights/twtygqyy-pytorch-vdsr/model_epoch_50.npz"
    rgb = np.asarray(Image.open(data_dir / f"test/Set5/{image}_GT.png").convert("RGB"), dtype=np.float64) / 255
    y = rgb_to_y(torch.from_numpy(rgb).movedim(-1, 0)[None], rounded=True).float()
    y = y[..., : y.shape[-2] // scale * scale, : y.shape[-1] // scale * scale]
    problem = measured(y, float(scale))
    x = VDSR(weights=str(path), precision="float32").run(problem).x
    error = (torch.floor(x.clamp(0, 1) * 255 + 0.5) / 255 - y)[..., scale:-scale, scale:-scale]
    assert -10 * math.log10(float(error.square().mean())) == pytest.approx(expected, abs=0.02)
    arrays = np.load(path)
    keys = ["input.weight", *(f"residual_layer.{i}.conv.weight" for i in range(18)), "output.weight"]
    u = features = interpolated(problem.y, scale, (y.shape[-2], y.shape[-1]))
    for key in keys:
        features = conv2d(
            features.clamp_min(0) if key != keys[0] else features, torch.from_numpy(arrays[key]), padding=1
        )
    assert torch.allclose(x, u + features, atol=1e-4)
