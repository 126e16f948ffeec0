import pytest
import torch

from restora.core.denoiser import Denoiser
from restora.core.errors import CannotSolve, MissingWeights
from restora.nets.architectures import build
from restora.weights.denoiser import FFDNET_COLOUR, FFDNET_GRAY, NetworkDenoiser, ffdnet_for
from restora.weights.record import Record
from restora.weights.save import save_weights


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    return tmp_path


def saved(cache, name, architecture, fields):
    torch.manual_seed(0)
    network = build(architecture, fields).eval()
    record = Record(name=name, architecture=architecture, fields=fields, task="denoise", channels=1)
    save_weights(network.state_dict(), record, cache)
    return network


def test_it_runs_the_network_at_the_level_asked_for(cache, camera):
    network = saved(cache, "tiny", "ffdnet", {"depth": 3, "width": 4})
    denoiser = NetworkDenoiser("tiny", "float32")
    x = camera[..., :21, :30]
    for sigma in (0.1, 0.3):
        expected = network(x, torch.full((1, 1, 21, 30), sigma))
        torch.testing.assert_close(denoiser(x, sigma), expected)
    assert not torch.equal(denoiser(x, 0.1), denoiser(x, 0.3))


def test_a_gray_network_runs_on_each_channel_and_the_dtype_is_kept(cache, cat):
    network = saved(cache, "tiny", "ffdnet", {"depth": 3, "width": 4})
    found = NetworkDenoiser(str(cache / "tiny.safetensors"), "float32")(cat.double(), 0.1)
    assert found.dtype == torch.float64
    for channel in range(3):
        one = cat[:, channel : channel + 1]
        expected = network(one, torch.full_like(one, 0.1))
        torch.testing.assert_close(found[:, channel : channel + 1].float(), expected)


def test_a_network_of_one_level_is_refused_in_one_line(cache, camera):
    saved(cache, "blind", "dncnn", {"depth": 3, "width": 4})
    with pytest.raises(CannotSolve, match="blind holds a DnCNN, which does not take the noise level") as refused:
        NetworkDenoiser("blind")(camera, 0.1)
    assert "\n" not in str(refused.value)


def test_missing_weights_are_refused_when_it_is_called(camera):
    with pytest.raises(MissingWeights, match="there are no weights 'nowhere'"):
        NetworkDenoiser("nowhere")(camera, 0.1)


def test_it_is_a_denoiser_named_by_its_weights():
    assert isinstance(FFDNET_GRAY, Denoiser)
    assert str(FFDNET_GRAY) == "ffdnet-gray"
    assert [ffdnet_for(channels) for channels in (1, 2, 3)] == [FFDNET_GRAY, FFDNET_GRAY, FFDNET_COLOUR]
