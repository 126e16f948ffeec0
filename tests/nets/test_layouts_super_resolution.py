"""States renamed to every public layout are recognised, load strictly, and compute the same."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.signal import correlate2d

from restora.evaluation.metrics import psnr
from restora.nets.architectures import build, recognise
from restora.nets.espcn import ESPCN
from restora.nets.msrresnet import MSRResNet
from restora.nets.rrdbnet import RRDBNet
from restora.nets.scn import SCN
from restora.nets.srcnn import SRCNN
from restora.nets.srresnet import SRResNet
from restora.nets.vdsr import VDSR
from restora.numerics.colour import rgb_to_y
from restora.numerics.imresize import imresize
from restora.weights.files import read_state


@pytest.fixture
def drawn(generator):
    """Networks in eval mode all of whose numbers are drawn, those of the normalisations too."""

    def draw(network):
        for tensor in [*network.parameters(), *network.buffers()]:
            if tensor.is_floating_point():
                tensor.data.uniform_(0.1, 1, generator=generator)
                tensor.data -= 0.4 * (tensor.ndim == 4)
        return network.eval()

    return draw


def same(network, state, layout, channels, generator):
    """The network of the state, which must be recognised as of that layout and give what ``network`` gives."""
    found = recognise(state, "the test")
    assert found.layout == layout
    loaded = build(found.architecture, found.fields).eval()
    loaded.load_state_dict(dict(found.state), strict=True)
    assert type(loaded) is type(network)
    x = torch.rand(1, channels, 6, 5, generator=generator)
    torch.testing.assert_close(loaded(x), network(x))


NETWORKS = [
    SRCNN(kernels=(5, 1, 3), widths=(4, 3), channels=3),
    ESPCN(scale=4, widths=(4, 3)),
    VDSR(depth=4, width=3, bias=False),
    SCN(atoms=7),
    SRResNet(scale=3, blocks=2, width=4, channels=1),
    SRResNet(scale=8, blocks=1, width=4, joint="prelu"),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: type(network).__name__)
def test_our_own_names(network, drawn, generator):
    channels = next(p for p in network.parameters() if p.ndim == 4).shape[1]
    same(drawn(network), network.state_dict(), "restora", channels, generator)


@pytest.mark.parametrize("kernels", [(9, 1, 5), (5, 3, 3)])
def test_srcnn(kernels, drawn, generator):
    network = drawn(SRCNN(kernels=kernels, widths=(4, 3)))
    ours = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    f1, f2, f3 = kernels
    matlab = {
        "weights_conv1": np.array([w[0].ravel(order="F") for w in ours["conv1.weight"]]).T,
        "weights_conv2": np.moveaxis([[w.ravel(order="F") for w in row] for row in ours["conv2.weight"]], 0, 2),
        "weights_conv3": np.array([w.ravel(order="F") for w in ours["conv3.weight"][0]]),
        **{f"biases_conv{n}": ours[f"conv{n}.bias"][:, None] for n in (1, 2, 3)},
    }
    shapes = [matlab[f"weights_conv{n}"].shape for n in (1, 2, 3)]
    assert shapes == [(f1**2, 4), (4, f2**2, 3), (3, f3**2)]
    state = {key: torch.tensor(array.astype(np.float64)) for key, array in matlab.items()}
    same(network, state, "MATLAB", 1, generator)
    names = {"conv1": "patch_extraction", "conv2": "nonlinear_map", "conv3": "recon"}
    renamed = {names[key[:5]] + key[5:]: tensor for key, tensor in network.state_dict().items()}
    same(network, renamed, "Nhat-Thanh", 1, generator)


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("yjn870", ("first_part.0", "first_part.2", "last_part.0")),
        ("Lornatang", ("feature_maps.0", "feature_maps.2", "sub_pixel.0")),
        ("Nhat-Thanh", ("conv_1", "conv_2", "conv_3")),
    ],
)
def test_espcn(layout, names, drawn, generator):
    network = drawn(ESPCN(scale=3, channels=3, widths=(4, 3)))
    state = {names[int(key[4]) - 1] + key[5:]: tensor for key, tensor in network.state_dict().items()}
    same(network, state, layout, 3, generator)


def test_vdsr_of_twtygqyy_and_nhat_thanh(drawn, generator):
    network = drawn(VDSR(depth=5, width=3, bias=False))
    weights = list(network.state_dict().values())
    state = {f"residual_layer.{n}.conv.weight": weights[n + 1].half() for n in range(3)}
    state |= {"input.weight": weights[0].half(), "output.weight": weights[4].half()}
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()
    same(network, state, "twtygqyy", 1, generator)
    network = drawn(VDSR(depth=5, width=3, channels=3))
    names = ["conv_1", "conv_2_to_19.conv_2", "conv_2_to_19.conv_3", "conv_2_to_19.conv_4", "conv_5"]
    state = {names[int(key.split(".")[1])] + "." + key.split(".")[2]: t for key, t in network.state_dict().items()}
    same(network, state, "Nhat-Thanh", 3, generator)


@pytest.mark.parametrize(("prefix", "start"), [("", 0), ("model.", 1)])
def test_vdsr_of_matlab(prefix, start, drawn, generator):
    network = drawn(VDSR(depth=12, width=3))
    state = {}
    for n, layer in enumerate(network.layers):
        kernel = layer.weight.detach().permute(2, 3, 1, 0)
        state[f"{prefix}weight.{n + start}"] = kernel[..., 0] if kernel.shape[3] == 1 else kernel
        state[f"{prefix}bias.{n + start}"] = layer.bias.detach()[:, None]
    same(network, state, "MATLAB", 1, generator)


def released(y, mat):
    """The released MATLAB program, written out in NumPy: y and the result on 0 … 255."""
    padded = np.pad(y, 6, mode="symmetric")

    def filtered(filters):
        side = round(len(filters) ** 0.5)
        columns = [correlate2d(padded, f.reshape(side, side, order="F"), "valid") for f in filters.T]
        return np.stack(columns, axis=-1)

    def shrunk(v):
        return np.sign(v) * np.maximum(np.abs(v) - 1, 0)

    c, mean, d = filtered(mat["conv"]), filtered(mat["mean2"])[..., 0], filtered(mat["diffms"])
    wd = c / np.linalg.norm(c, axis=-1, keepdims=True) @ mat["wd"]
    z = shrunk(shrunk(wd) @ mat["usd1"] + wd)
    patch = z @ mat["ud"]
    patch = patch / np.linalg.norm(patch, axis=-1, keepdims=True) * np.linalg.norm(d, axis=-1, keepdims=True) * 1.1
    patch = patch * mat["addp"].ravel()
    h, w = y.shape
    for k, (i, j) in enumerate((i, j) for i in range(4, -1, -1) for j in range(4, -1, -1)):
        mean = mean + patch[i : i + h, j : j + w, k]
    return mean


def test_scn_of_the_released_files():
    random = np.random.default_rng(1)
    shapes = {"conv": (81, 100), "mean2": (169, 1), "diffms": (81, 25), "addp": (25, 1)}
    shapes |= {"wd": (100, 12), "usd1": (12, 12), "ud": (12, 25)}
    mat = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    mat["wd"] *= 3
    y = 255 * random.random((7, 9))
    state = {name: torch.tensor(array) for name, array in mat.items()} | {"conv_h1": torch.zeros(5, 5, 4)}
    found = recognise(state, "the test")
    assert (found.architecture, found.layout) == ("scn", "huangzehao")
    network = build("scn", found.fields).double()
    network.load_state_dict(dict(found.state), strict=True)
    result = 255 * network(torch.tensor(y / 255)[None, None])
    np.testing.assert_allclose(result[0, 0].detach().numpy(), released(y, mat), rtol=1e-9)


@pytest.mark.parametrize("first", ["conv_block", "conv"])
def test_srresnet_of_lornatang(first, drawn, generator):
    network = drawn(SRResNet(scale=4, blocks=2, width=4))
    state = {}
    for key, tensor in network.state_dict().items():
        parts = key.split(".")
        if parts[0] in ("body", "joint") and parts[-1] == "bias" and parts[-2] in ("0", "3"):
            tensor.zero_()  # the convolutions before a normalisation have none
        elif parts[0] in ("body", "up"):
            name = ["trunk", parts[1], "rcb"] if parts[0] == "body" else ["upsampling", parts[1], "upsample_block"]
            state[".".join([*name, *parts[2:]])] = tensor
        else:
            state[".".join([f"{first}{('head', 'joint', 'tail').index(parts[0]) + 1}", *parts[1:]])] = tensor
    same(network, state, "Lornatang", 3, generator)


@pytest.mark.parametrize(("scale", "joint"), [(2, "prelu"), (4, "prelu"), (4, "norm")])
def test_srresnet_of_leftthomas(scale, joint, drawn, generator):
    network = drawn(SRResNet(scale=scale, blocks=5, width=4, joint=joint, squashed=True))
    parts_of_a_block = ["conv1", "bn1", "prelu", "conv2", "bn2"]
    state = {}
    for key, tensor in network.state_dict().items():
        name, *parts = key.split(".")
        if name == "body":
            theirs = f"block{int(parts[0]) + 2}.{parts_of_a_block[int(parts[1])]}.{parts[2]}"
        elif name == "up":
            theirs = f"block8.{parts[0]}.{'conv' if parts[1] == '0' else 'prelu'}.{parts[2]}"
        elif name == "tail":
            theirs = f"block8.{scale // 2}.{parts[0]}"
        else:
            theirs = ".".join([{"head": "block1", "joint": "block7"}[name], *parts])
        if "num_batches_tracked" not in key:
            state[theirs] = tensor
    same(network, state, "leftthomas", 3, generator)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_msrresnet(scale, drawn, generator):
    network = drawn(MSRResNet(scale=scale, blocks=2, width=4))
    same(network, network.state_dict(), "BasicSR", 3, generator)
    names = {"body": "recon_trunk", "conv_hr": "HRconv"}
    state = {}
    for key, tensor in network.state_dict().items():
        name, rest = key.split(".", 1)
        state[f"{names.get(name, name)}.{rest}"] = tensor
    same(network, state, "KAIR", 3, generator)


RRDBS = [{}, {"scale": 2}, {"scale": 1}, {"scale": 2, "folded": False}, {"scale": 8}]


@pytest.mark.parametrize("fields", RRDBS, ids=str)
def test_rrdbnet(fields, drawn, generator):
    network = drawn(RRDBNet(blocks=2, width=4, growth=2, **fields))
    ours = network.state_dict()
    same(network, ours, "BasicSR", 3, generator)
    rules = [("conv_body", "trunk_conv"), ("body.", "RRDB_trunk."), (".rdb", ".RDB"), ("conv_hr", "HRconv")]
    second, first, mixed = {}, {}, {}
    ups = network.doublings
    places = {"conv_first": 0, "conv_hr": 2 + 3 * ups, "conv_last": 4 + 3 * ups}
    places |= {f"conv_up{n + 1}": 3 + 3 * n for n in range(ups)}
    for key, tensor in ours.items():
        name = key
        for ours_, theirs in [*rules, ("conv_up", "upconv")]:
            name = name.replace(ours_, theirs)
        second[name] = tensor
        parts = key.split(".")
        if parts[0] == "body":
            name = f"model.1.sub.{parts[1]}.{parts[2].upper()}.{parts[3]}"
            first[f"{name}.0.{parts[4]}"] = tensor
            mixed[f"{name}.{parts[4]}" if parts[3] == "conv5" else f"{name}.0.{parts[4]}"] = tensor
        else:
            name = f"model.1.sub.2.{parts[1]}" if parts[0] == "conv_body" else f"model.{places[parts[0]]}.{parts[1]}"
            first[name] = mixed[name] = tensor
    same(network, second, "ESRGAN", 3, generator)
    same(network, first, "ESRGAN (old)", 3, generator)
    same(network, mixed, "KAIR", 3, generator)


@pytest.mark.parametrize("layout", [SRCNN, ESPCN, VDSR, SCN, SRResNet, MSRResNet, RRDBNet])
def test_what_is_foreign_or_incomplete_is_left_to_others(layout):
    chain = {f"model.{n}.weight": torch.zeros(8, 8, 3, 3) for n in (0, 2, 4)}
    assert layout.recognise(chain) is None
    for network in [*NETWORKS, MSRResNet(blocks=1, width=2), RRDBNet(blocks=1, width=2, growth=1)]:
        whole = network.state_dict()
        last = list(whole)[-1]
        assert layout.recognise({key: tensor for key, tensor in whole.items() if key != last}) is None
        assert layout.recognise({**whole, last: torch.zeros(*whole[last].shape, 2)}) is None


def test_the_widespread_vdsr_file_restores_the_butterfly(data_dir):
    """Its author's own figures lie 0.06 dB above those of the official weights, which give 34.49 dB here."""
    found = recognise(read_state(data_dir / "weights/twtygqyy-pytorch-vdsr/model_epoch_50.npz"), "the file")
    network = build(found.architecture, found.fields)
    network.load_state_dict(dict(found.state), strict=True)
    rgb = np.array(Image.open(data_dir / "test/Set5/butterfly_GT.png").convert("RGB"))
    x = rgb_to_y(torch.tensor(rgb, dtype=torch.float32).movedim(2, 0)[None] / 255)
    y = imresize(imresize(x, scale=1 / 2), scale=2)
    with torch.no_grad():
        result = network(y)
    rounded, truth = ((255 * image.clamp(0, 1)).round() / 255 for image in (result, x))
    assert psnr(rounded, truth, border=2).item() == pytest.approx(34.55, abs=0.25)
