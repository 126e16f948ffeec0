import pickle
import sys
import warnings
from collections import OrderedDict
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.io import savemat
from torch import nn

from restora.core.errors import FileProblem, MissingDependency
from restora.weights.files import read_header, read_state

A, B = torch.arange(6.0).view(2, 3), torch.tensor([1.5, -2.5], dtype=torch.float16)
STATE = {"body.0.weight": A, "body.0.bias": B}


def same(found, expected):
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
        assert not found[name].requires_grad


@pytest.fixture
def file(tmp_path):
    return tmp_path / "weights.bin"  # a suffix that says nothing


def test_safetensors(file):
    save_file(STATE, file, metadata={"restora": "{}"})
    same(read_state(file), dict(sorted(STATE.items())))
    assert read_header(file) == {"restora": "{}"}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
@pytest.mark.parametrize(
    "wrapped",
    [
        STATE,
        {"params": {"body.0.weight": A + 1}, "params_ema": STATE},
        {"epoch": 3, "state_dict": STATE, "optimizer": {"state": {0: {"exp_avg": A}}}},
        {"model": {f"module.{name}": tensor for name, tensor in STATE.items()}, "loss": 0.5},
        {"body": [{"weight": A, "bias": B}]},
        {"net": {"params": STATE}},
        {"model": "large", "params": OrderedDict(STATE)},
    ],
)
def test_pytorch_files_without_their_wrappers(file, zipped, wrapped):
    torch.save(wrapped, file, _use_new_zipfile_serialization=zipped)
    same(read_state(file), STATE)


@pytest.fixture
def authors_net(monkeypatch):
    """A network of a class in a package that is gone when the file is read."""
    package = ModuleType("authors_package")
    monkeypatch.setitem(sys.modules, "authors_package", package)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.residual = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
            self.options = {"depth": 2, "names": {"a", "b"}}

    Net.__module__, Net.__qualname__, package.Net = "authors_package", "Net", Net
    return Net()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
def test_a_pickled_module_is_read_without_its_class(file, authors_net, monkeypatch, zipped):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save({"epoch": 1, "model": authors_net}, file, _use_new_zipfile_serialization=zipped)
    monkeypatch.delitem(sys.modules, "authors_package")
    same(read_state(file), authors_net.state_dict())


def test_parameters_as_the_first_releases_of_pytorch_pickled_them(file, authors_net, monkeypatch):
    def reduced(self, protocol):
        return nn.Parameter, (self.data,), (True, False, OrderedDict())

    monkeypatch.setattr(nn.Parameter, "__reduce_ex__", reduced)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(authors_net, file, _use_new_zipfile_serialization=False)
    same(read_state(file), authors_net.state_dict())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
@pytest.mark.parametrize(
    ("function", "argument"),
    [(exec, "open('{}', 'w')"), (__import__("os").system, "touch {}"), (__import__("os").mkdir, "{}")],
)
def test_a_pickle_that_would_run_something_is_refused_in_one_line(file, tmp_path, zipped, function, argument):
    trace = tmp_path / "trace"

    class Malice:
        def __reduce__(self):
            return function, (argument.format(trace),)

    torch.save({"weight": A, "more": Malice()}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(FileProblem, match=r"is refused: it asks to run \w+\.\w+, which no checkpoint needs$"):
        read_state(file)
    assert not trace.exists()


def test_what_a_foreign_class_would_do_is_not_done(file, tmp_path, monkeypatch):
    package = ModuleType("foreign")
    monkeypatch.setitem(sys.modules, "foreign", package)

    def ruin(path):
        (tmp_path / path).touch()

    ruin.__module__, ruin.__qualname__, package.ruin = "foreign", "ruin", ruin

    class Malice:
        def __reduce__(self):
            return ruin, ("trace",)

    torch.save({"weight": A, "more": Malice()}, file)
    same(read_state(file), {"weight": A})
    assert not (tmp_path / "trace").exists()


def test_numpy_archives_of_any_byte_order(file):
    with file.open("wb") as stream:
        np.savez(stream, conv00_weight=np.arange(6.0).reshape(2, 3).astype(">f4"), conv00_bias=np.float16([1.5, -2.5]))
    same(read_state(file), {"conv00_weight": A, "conv00_bias": B})


def test_objects_in_numpy_archives_are_not_unpickled(file):
    with file.open("wb") as stream:
        np.savez(stream, weight=np.array([{}, 1], dtype=object))
    with pytest.raises(FileProblem, match="is damaged"):
        read_state(file)


def cell(*values):
    array = np.empty((1, len(values)), dtype=object)
    array[0, :] = values
    return array


def test_structures_and_cells_of_matlab(file):
    rng = np.random.default_rng(0)
    kernels, biases = [rng.normal(size=(3, 3, 1, 4)), rng.normal(size=(3, 3, 4))], [rng.normal(size=(4, 1))]
    with file.open("wb") as stream:
        savemat(stream, {"model": {"weight": cell(*kernels), "bias": cell(*biases), "note": "x2"}, "scale": "2"})
    expected = {"weight.0": kernels[0], "weight.1": kernels[1], "bias.0": biases[0]}
    same(read_state(file), {name: torch.from_numpy(array) for name, array in expected.items()})


def layers_of(rng):
    """The layers of a small MatConvNet network, and what is to be read of them."""
    first, last = np.float32(rng.normal(size=(3, 3, 2, 4))), np.float32(rng.normal(size=(3, 3, 4)))
    bias = np.float32(rng.normal(size=4))
    expected = {
        "conv00_weight": torch.from_numpy(np.einsum("yxio->oiyx", first).copy()),
        "conv00_bias": torch.from_numpy(bias),
        "conv01_weight": torch.from_numpy(np.einsum("yxi->iyx", last)[None].copy()),
    }
    return first, last, bias, expected


def test_layers_of_matconvnet(file):
    first, last, bias, expected = layers_of(np.random.default_rng(1))
    layers = cell(
        {"type": "conv", "weights": cell(first, bias[:, None]), "pad": 1.0},
        {"type": "relu", "leak": 0.0},
        {"type": "conv", "weights": cell(last, np.zeros((0, 0))), "pad": 1.0},
    )
    with file.open("wb") as stream:
        savemat(stream, {"net": {"layers": layers}})
    same(read_state(file), expected)


def test_a_normalisation_of_matconvnet_that_is_not_merged_shows(file):
    first, _, bias, _ = layers_of(np.random.default_rng(1))
    layers = cell(
        {"type": "conv", "weights": cell(first, bias[:, None])},
        {"type": "bnorm", "weights": cell(bias[:, None], bias[:, None], np.ones((4, 2)))},
    )
    with file.open("wb") as stream:
        savemat(stream, {"net": {"layers": layers}})
    assert list(read_state(file)) == ["conv00_weight", "conv00_bias", "bnorm01_0", "bnorm01_1", "bnorm01_2"]


@pytest.mark.skipif(find_spec("h5py") is None, reason="needs h5py")
def test_layers_of_matconvnet_in_version_7_3(file):
    h5py = pytest.importorskip("h5py")
    first, last, bias, expected = layers_of(np.random.default_rng(1))
    with h5py.File(file, "w", userblock_size=512) as book:
        refs = book.create_group("#refs#")

        def stored(name, array):
            refs[name] = array.T  # MATLAB writes its columns as rows of HDF5
            return refs[name].ref

        def text(name, word):
            refs[name] = np.array([[ord(letter)] for letter in word], dtype=np.uint16)
            refs[name].attrs["MATLAB_class"] = np.bytes_("char")
            return refs[name]

        def layer(name, kind, weights):
            group = refs.create_group(name)
            group["type"] = text(f"{name}_type", kind)
            if weights:
                group["weights"] = np.array([[one] for one in weights], dtype=h5py.ref_dtype)
            return group.ref

        empty = refs.create_dataset("empty", data=np.zeros(2, dtype=np.uint64))
        empty.attrs["MATLAB_empty"] = 1
        layers = [
            layer("a", "conv", [stored("w", first), stored("b", bias[:, None])]),
            layer("r", "relu", []),
            layer("c", "conv", [stored("v", last), empty.ref]),
        ]
        book.create_group("net")["layers"] = np.array([[one] for one in layers], dtype=h5py.ref_dtype)
    same(read_state(file), expected)


def test_version_7_3_without_h5py_names_the_extra(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    file.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(MissingDependency, match=r'restora\[io\]"'):
        read_state(file)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "old", "npz", "mat"])
@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_a_file_that_was_cut_short(file, kind, kept):
    big = {"weight": torch.randn(50, 50)}
    if kind == "safetensors":
        save_file(big, file)
    elif kind == "npz":
        with file.open("wb") as stream:
            np.savez(stream, weight=big["weight"].numpy())
    elif kind == "mat":
        with file.open("wb") as stream:
            savemat(stream, {"weight": big["weight"].numpy()})
    else:
        torch.save(big, file, _use_new_zipfile_serialization=kind == "zip")
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(FileProblem, match="is damaged or cut short") as caught:
        read_state(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "is not a checkpoint"),
        (b"<!DOCTYPE html>", "is not a checkpoint"),
        (pickle.dumps({"psnr": 29.1}), "damaged or cut short"),
    ],
)
def test_what_is_no_checkpoint(file, content, sentence):
    file.write_bytes(content)
    with pytest.raises(FileProblem, match=sentence):
        read_state(file)


def test_a_checkpoint_without_tensors(file):
    torch.save({"epoch": 3}, file)
    with pytest.raises(FileProblem, match="holds no tensors"):
        read_state(file)


def test_a_torchscript_program_is_refused(file):
    script = torch.jit.ScriptModule()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(script, file)
    with pytest.raises(FileProblem, match="TorchScript"):
        read_state(file)


def test_a_file_that_is_not_there(file):
    with pytest.raises(FileProblem, match="no such file"):
        read_state(file)


def test_published_files_are_read(data_dir):
    folder = data_dir / "weights"
    assert len(read_state(folder / "SaoYan-DnCNN-PyTorch/DnCNN-S-25/net.pth")) == 77
    assert len(read_state(folder / "SaoYan-DnCNN-PyTorch/DnCNN-B/net.pth")) == 92
    assert "conv16_bias" in read_state(folder / "cszn-DnCNN/sigma25.npz")
