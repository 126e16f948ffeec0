import os

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from restora.core.errors import CannotSolve, FileProblem, MissingWeights, UnknownName
from restora.nets.architectures import architectures, build, channels_of, recognise
from restora.nets.recognised import Recognised
from restora.weights.files import read_state
from restora.weights.identify import architecture_of, identify
from restora.weights.load import load
from restora.weights.record import Record
from restora.weights.save import save_weights

CPU = torch.device("cpu")
FIELDS = {"depth": 4, "width": 5, "batch_norm": True, "biases": (False, False, True)}
RECORD = Record(name="small", architecture="dncnn", fields=FIELDS, task="denoise", channels=1)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def network():
    """A DnCNN with running statistics that are not those it begins with, in eval mode."""
    torch.manual_seed(0)
    net = build("dncnn", FIELDS)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, 0, 0.1)
    return net.eval()


@pytest.fixture
def y():
    return torch.rand(2, 1, 9, 11, generator=torch.Generator().manual_seed(1))


def test_what_was_saved_is_loaded_ready_to_run(cache, network, y):
    record = save_weights(network.state_dict(), RECORD, cache)
    trained = load("small", ("dncnn",), CPU, "float32")
    assert (trained.name, trained.architecture, trained.layout) == ("small", "dncnn", "restora")
    assert (trained.record, trained.fields, trained.channels) == (record, FIELDS, 1)
    torch.testing.assert_close(trained.network(y), network(y))
    assert not trained.network.training
    assert not any(parameter.requires_grad for parameter in trained.network.parameters())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in trained.network.modules())
    kernels = [parameter for parameter in trained.network.parameters() if parameter.ndim == 4]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)


def test_a_file_alone_knows_what_it_is(cache, network, y, tmp_path):
    save_weights(network.state_dict(), RECORD, cache)
    (cache / "small.toml").unlink()
    moved = (cache / "small.safetensors").rename(tmp_path / "other.safetensors")
    trained = load(str(moved), ("dncnn",), CPU, "float32")
    assert trained.name == "other"
    assert trained.record == RECORD
    torch.testing.assert_close(trained.network(y), network(y))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_foreign_file_is_recognised_and_read_up_to_float32(cache, network, y, dtype):
    state = {
        "module." + name.replace("model", "dncnn"): tensor.to(dtype) if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
    }
    torch.save({"state_dict": state}, cache / "theirs.pth")
    trained = load("theirs", ("ffdnet", "dncnn"), CPU, "float32")
    assert trained.layout == "SaoYan"
    assert trained.record is None
    assert {parameter.dtype for parameter in trained.network.parameters()} == {torch.float32}
    torch.testing.assert_close(trained.network(y), network(y), atol=1e-3 if dtype is torch.float16 else 1e-5, rtol=0)


def test_precision_is_that_of_the_weights(cache, network, y):
    save_weights(network.state_dict(), RECORD, cache)
    trained = load("small", ("dncnn",), CPU, "bfloat16")
    assert {parameter.dtype for parameter in trained.network.parameters()} == {torch.bfloat16}
    assert trained.network(y).dtype == torch.float32


def test_a_network_is_read_once_and_again_when_its_file_changes(cache, network, y):
    save_weights(network.state_dict(), RECORD, cache)
    first = load("small", ("dncnn",), CPU, "float32")
    assert load("small", ("dncnn", "ffdnet"), CPU, "float32") is first
    assert load("small", ("dncnn",), CPU, "bfloat16") is not first
    nn.init.zeros_(network.model[-1].weight)
    save_weights(network.state_dict(), RECORD, cache)
    os.utime(cache / "small.safetensors", (1, 1))
    torch.testing.assert_close(load("small", ("dncnn",), CPU, "float32").network(y), network(y))


def test_what_inference_mode_loads_serves_gradients_too(cache, network, y):
    save_weights(network.state_dict(), RECORD, cache)
    with torch.inference_mode():
        trained = load("small", ("dncnn",), CPU, "float32")
    y.requires_grad_()
    trained.network(y).sum().backward()
    assert y.grad.abs().sum() > 0


def test_another_architecture_is_refused(cache, network):
    save_weights(network.state_dict(), RECORD, cache)
    with pytest.raises(CannotSolve) as caught:
        load("small", ("vdsr",), CPU, "float32")
    assert str(caught.value) == (
        "small.safetensors holds a DnCNN, where a VDSR is needed: name no method, and the weights choose theirs"
    )
    with pytest.raises(CannotSolve, match="where an SRResNet or an MSRResNet is needed"):
        load("small", ("srresnet", "msrresnet"), CPU, "float32")


def test_tensors_that_do_not_fit_the_record_are_one_line(cache, network):
    save_weights(
        network.state_dict(), Record(name="bad", architecture="dncnn", fields={}, task="denoise", channels=1), cache
    )
    with pytest.raises(FileProblem, match=r"bad\.safetensors does not fit its architecture dncnn") as caught:
        load("bad", ("dncnn",), CPU, "float32")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("architecture", "fields"), [("dncnm", {}), ("dncnn", {"deepness": 3}), ("dncnn", {"depth": 0})]
)
def test_a_record_that_cannot_be_followed_is_one_line(cache, network, architecture, fields):
    bad = Record(name="bad", architecture=architecture, fields=fields, task="denoise", channels=1)
    save_weights(network.state_dict(), bad, cache)
    with pytest.raises(FileProblem, match=r"bad\.safetensors cannot be built|is no network, or its record is wrong"):
        load("bad", ("dncnn",), CPU, "float32")


def test_an_unknown_network_is_described(cache):
    save_file({"w": torch.ones(3, 2), "b": torch.ones(3)}, cache / "odd.safetensors")
    with pytest.raises(FileProblem, match=r"it has 2 tensors, the first of them b \(3,\), w \(3, 2\); known: .*dncnn"):
        load("odd", ("dncnn",), CPU, "float32")


def test_missing_weights():
    with pytest.raises(MissingWeights):
        load("nothing-of-the-kind", ("dncnn",), CPU, "float32")


@pytest.mark.parametrize(("fields", "channels"), [({}, 1), ({"channels": 3}, 3)])
def test_channels_are_those_of_the_field_or_its_default(fields, channels):
    assert channels_of("dncnn", fields) == channels


@pytest.mark.parametrize("architecture", list(architectures()))
def test_every_architecture_says_how_many_channels_it_takes(architecture):
    assert channels_of(architecture, {}) in (1, 3)


@pytest.mark.parametrize("architecture", list(architectures()))
def test_no_layout_takes_the_network_of_another_for_its_own(architecture):
    with torch.device("meta"):
        state = build(architecture, {}).state_dict()
    assert recognise(state, "here").architecture == architecture


def test_what_is_no_architecture_is_not_built():
    with pytest.raises(UnknownName):
        build("dncnm", {})


def test_identify_says_what_a_published_file_is(data_dir):
    found = identify(str(data_dir / "weights/cszn-DnCNN/sigma25.npz"))
    assert (found.found.architecture, found.record, found.name) == ("dncnn", None, "sigma25")
    assert architecture_of(str(data_dir / "weights/cszn-DnCNN/sigma25.npz")) == "dncnn"
    assert isinstance(recognise(found.found.state, "here"), Recognised)


def test_a_published_network_computes_what_its_tensors_say(data_dir, camera):
    file = data_dir / "weights/SaoYan-DnCNN-PyTorch/DnCNN-S-25/net.pth"
    state, x = read_state(file), camera[..., :40, :40]
    v = x
    for n in [0, *range(2, 48, 3)]:
        v = F.conv2d(v, state[f"dncnn.{n}.weight"], padding=1)
        norm = f"dncnn.{n + 1}."
        if norm + "running_var" in state:
            statistics = [state[norm + name] for name in ("running_mean", "running_var", "weight", "bias")]
            v = F.batch_norm(v, *statistics, training=False, eps=1e-5)
        v = v.relu() if n < 47 else v
    found = load(str(file), ("dncnn",), CPU, "float32").network(x)
    torch.testing.assert_close(found, x - v, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("architecture", "fields", "side"),
    [
        ("swinir", {"width": 8, "depths": (2,), "heads": (2,)}, 16),
        ("scunet", {"width": 16, "depths": (2,) * 7, "head_width": 8}, 64),
        ("restormer", {"width": 8, "blocks": (1, 1, 1, 1), "refinement": 1, "heads": (1, 1, 2, 2)}, 16),
        ("nafnet", {"width": 4, "encoders": (1, 1, 1, 1), "middle": 1, "decoders": (1, 1, 1, 1)}, 32),
        ("ipt", {"width": 4, "size": 12, "layers": (1, 1), "heads": 1}, 12),
        ("drunet", {"widths": (4, 4, 4, 4), "blocks": 1}, 16),
        ("scn", {"atoms": 8}, 16),
    ],
)
def test_a_network_that_was_never_drawn_is_whole(cache, architecture, fields, side):
    """Loading leaves out the drawing of weights: what a constructor computes besides them must be there."""
    drawn = build(architecture, fields).eval()
    channels = channels_of(architecture, fields)
    record = Record(name="one", architecture=architecture, fields=fields, task="denoise", channels=channels)
    save_weights(drawn.state_dict(), record, cache)
    loaded = load("one", (architecture,), CPU, "float32").network
    x = torch.rand(1, channels, side, side)
    inputs = (x, torch.full_like(x[:, :1], 0.1)) if drawn.takes_noise_map else (x,)
    with torch.no_grad():
        torch.testing.assert_close(loaded(*inputs), drawn(*inputs), rtol=1e-4, atol=1e-5)
