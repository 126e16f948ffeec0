"""Layouts of the denoisers: published names in, the same output out; and the published files of DnCNN."""

import re

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.restoration import denoise_nl_means

from restora.nets.architectures import build
from restora.nets.dncnn import DnCNN, FDnCNN
from restora.nets.drunet import DRUNet
from restora.nets.ffdnet import FFDNet
from restora.nets.ircnn import IRCNN
from restora.nets.nafnet import NAFNet

NETWORKS = (DnCNN, FDnCNN, FFDNet, IRCNN, DRUNet, NAFNet)

UNET = {"channels": 3, "widths": (2, 3, 4, 5), "blocks": 2}
NAF = {"width": 2, "encoders": (1, 0, 2), "middle": 3, "decoders": (0, 1, 1)}


def as_matlab(state):
    """The chain's tensors as convNN_weight and convNN_bias."""
    named = (re.fullmatch(r"model\.(\d+)\.(weight|bias)", key).groups() for key in state)
    return {f"conv{int(n) // 2:02d}_{name}": tensor for (n, name), tensor in zip(named, state.values())}


def renamed(state, old, new):
    return {re.sub(old, new, key): tensor for key, tensor in state.items()}


def without_counters(state):
    return {key: tensor for key, tensor in state.items() if "num_batches" not in key}


def filled(network):
    """Weights and statistics at random: zeros and ones, as they start, would hide that two were exchanged."""
    torch.manual_seed(0)
    with torch.no_grad():
        for tensor in (*network.parameters(), *network.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.05, 0.3)
    return network.eval()


def applied(network, x):
    with torch.no_grad():
        return network(x, torch.full_like(x[:, :1], 0.02)) if network.takes_noise_map else network(x)


def recognised(state):
    """By the only network that takes it."""
    found = [one for kind in NETWORKS if (one := kind.recognise(state)) is not None]
    assert len(found) == 1, found
    return found[0]


def loaded(found):
    network = build(found.architecture, found.fields)
    network.load_state_dict(dict(found.state), strict=True)
    return network.eval()


@pytest.mark.parametrize(
    ("network", "layout", "told"),
    [
        (DnCNN(depth=5, width=4), "KAIR", dict),
        (DnCNN(depth=5, width=4), "MATLAB", as_matlab),
        (DnCNN(channels=3, depth=5, width=4, batch_norm=True), "KAIR", dict),
        (DnCNN(depth=7, width=4, batch_norm=True), "KAIR", dict),
        (
            DnCNN(depth=5, width=4, batch_norm=True, biases=(False, False, False)),
            "SaoYan",
            lambda state: renamed(without_counters(state), "^model", "dncnn"),
        ),
        (
            DnCNN(depth=5, width=4, batch_norm=True, biases=(True, False, False), eps=1e-4),
            "cszn PyTorch",
            lambda state: renamed(state, "^model", "dncnn"),
        ),
        (FDnCNN(depth=5, width=4), "KAIR", dict),
        (FDnCNN(channels=3, depth=5, width=4), "MATLAB", as_matlab),
        (FFDNet(depth=4, width=4), "KAIR", dict),
        (FFDNet(channels=3, depth=7, width=4), "KAIR", dict),
        (IRCNN(levels=3, width=4), "restora", dict),
        (IRCNN(levels=12, width=4), "KAIR", lambda state: renamed(state, r"^bank\.", "")),
        (IRCNN(channels=3, levels=1, width=4), "KAIR", lambda state: renamed(state, r"^bank\.0\.", "")),
        (
            IRCNN(levels=1, width=4),
            "MATLAB",
            lambda state: renamed(as_matlab(renamed(state, r"^bank\.0\.", "")), "^", "0."),
        ),
        (DRUNet(**UNET), "DPIR", dict),
        (NAFNet(**NAF), "NAFNet", dict),
    ],
)
def test_a_state_under_published_names_gives_the_same_network(network, layout, told):
    filled(network)
    found = recognised(told(network.state_dict()))
    channels = found.fields["channels"]
    x = torch.rand(1, channels, 9, 12)
    assert found.layout == layout
    torch.testing.assert_close(applied(loaded(found), x), applied(network, x), rtol=0, atol=0)


def test_half_precision_is_recognised():
    state = {key: tensor.half() for key, tensor in DRUNet(**UNET).state_dict().items()}
    assert recognised(state).fields == UNET


@pytest.mark.parametrize("channels", [1, 3])
def test_ffdnet_of_matlab_counts_the_pixels_of_a_block_down_the_columns(channels):
    """Its network on a transposed image is PyTorch's on the image, if its kernels are transposed as well."""
    network = filled(FFDNet(channels=channels, depth=3, width=4))
    matlab = {key: t.transpose(-1, -2) if t.ndim == 4 else t for key, t in network.state_dict().items()}
    again = loaded(recognised(as_matlab(matlab)))
    x = torch.rand(1, channels, 8, 6)
    torch.testing.assert_close(applied(again, x.mT), applied(network, x).mT)


@pytest.mark.parametrize(
    "change",
    [
        {"extra.weight": torch.zeros(1)},
        {"model.0.weight": torch.zeros(4, 1, 5, 5)},
        {"model.2.weight": torch.zeros(4, 5, 3, 3)},
        {"model.0.bias": torch.zeros(3)},
    ],
)
def test_a_chain_that_is_not_quite_one_is_left_alone(change):
    state = {**DnCNN(depth=5, width=4).state_dict(), **change}
    assert [kind for kind in NETWORKS if kind.recognise(state) is not None] == []


def test_unets_that_are_not_quite_ones_are_left_alone():
    for network, key in ((DRUNet(**UNET), "m_body.1.res.0.weight"), (NAFNet(**NAF), "middle_blks.1.beta")):
        state = network.state_dict()
        del state[key]
        assert [kind for kind in NETWORKS if kind.recognise(state) is not None] == []
    assert all(kind.recognise({}) is None for kind in NETWORKS)


def test_a_bank_with_a_gap_is_left_alone():
    state = {key: t for key, t in IRCNN(levels=3, width=2).state_dict().items() if not key.startswith("bank.1.")}
    assert IRCNN.recognise(state) is None


def published(folder, name):
    """The tensors of a published file by name."""
    if name.endswith(".npz"):
        with np.load(folder / name) as archive:
            return {key: torch.from_numpy(archive[key]) for key in archive.files}
    state = torch.load(folder / name, map_location="cpu", weights_only=True)
    return {key.removeprefix("module."): tensor for key, tensor in state.items()}


@pytest.mark.parametrize(
    ("name", "sigma", "fields"),
    [
        ("SaoYan-DnCNN-PyTorch/DnCNN-S-15/net.pth", 15, {"depth": 17, "batch_norm": True}),
        ("SaoYan-DnCNN-PyTorch/DnCNN-S-25/net.pth", 25, {"depth": 17, "batch_norm": True}),
        ("SaoYan-DnCNN-PyTorch/DnCNN-S-50/net.pth", 50, {"depth": 17, "batch_norm": True}),
        ("SaoYan-DnCNN-PyTorch/DnCNN-B/net.pth", 25, {"depth": 20, "batch_norm": True}),
        ("cszn-DnCNN/sigma25.npz", 25, {"depth": 17, "batch_norm": False}),
        ("cszn-DnCNN/DnCNN3.npz", 25, {"depth": 20, "batch_norm": False}),
        ("cszn-DnCNN/GD_Color_Blind.npz", 25, {"depth": 20, "channels": 3}),
    ],
)
def test_published_dncnn_denoises(data_dir, name, sigma, fields):
    """A file read wrongly would not be 1 dB better than non-local means."""
    if not (data_dir / "weights" / name).exists():
        pytest.skip(f"{name} is not there")
    found = recognised(published(data_dir / "weights", name))
    assert fields.items() <= found.fields.items()
    with Image.open(data_dir / "test" / "Set12" / "01.png") as image:
        gray = np.asarray(image, dtype=np.float32)[64:192, 64:192] / 255
    x = torch.from_numpy(gray).expand(1, found.fields["channels"], -1, -1)
    y = x + sigma / 255 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    means = torch.from_numpy(denoise_nl_means(y[0, 0].numpy(), 5, 6, 0.8 * sigma / 255, sigma=sigma / 255))
    result = applied(loaded(found), y)
    assert psnr(means, x[0, 0]) > psnr(y[0, 0], x[0, 0]) + 3
    assert psnr(result[0, 0], x[0, 0]) > psnr(means, x[0, 0]) + 1


def psnr(x, reference):
    return -10 * (x.clamp(0, 1) - reference).square().mean().log10().item()
