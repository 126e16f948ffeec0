import pytest
import torch

from restora.core.denoiser import Denoiser
from restora.core.errors import CannotSolve, MissingWeights, UnknownName
from restora.core.problem import Problem
from restora.front.denoisers import MethodDenoiser, denoiser_named
from restora.front.restore import restore
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity
from restora.weights.denoiser import NetworkDenoiser


@pytest.mark.parametrize("name", ["bm3d", "cbm3d", "gaussian"])
def test_a_method_denoises_as_the_front_door_lets_it(name, cat, generator):
    y = cat + 0.1 * torch.randn(cat.shape, generator=generator)
    expected = restore(Problem(y, Identity(), Gaussian(0.1)), name).x
    assert torch.equal(MethodDenoiser(name)(y, 0.1), expected)


@pytest.mark.parametrize("size", [(1, 1), (5, 30)])
def test_small_images_are_taken(size, camera):
    x = camera[..., : size[0], : size[1]]
    assert MethodDenoiser("bm3d")(x, 0.1).shape == x.shape


def test_names_of_methods_come_before_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    for name in ("bm3d", "own"):
        (tmp_path / f"{name}.pth").write_bytes(b"")
    assert denoiser_named("bm3d") == MethodDenoiser("bm3d")
    assert denoiser_named("own") == NetworkDenoiser("own")
    assert denoiser_named(str(tmp_path / "own.pth")) == NetworkDenoiser(str(tmp_path / "own.pth"))
    assert isinstance(denoiser_named("tv"), Denoiser)
    assert str(denoiser_named("tv")) == "tv"


def test_what_is_no_denoiser_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    with pytest.raises(CannotSolve, match="wiener is no denoiser: it is made to deblur"):
        denoiser_named("wiener")
    with pytest.raises(MissingWeights, match="bm3d") as refused:
        denoiser_named("bm3")
    assert "\n" not in str(refused.value)
    with pytest.raises(MissingWeights, match=r"there is no file .*net\.pth$"):
        denoiser_named("folder/net.pth")
    with pytest.raises(UnknownName):
        MethodDenoiser("no-such-method")
