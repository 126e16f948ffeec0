import math

import numpy as np
import pytest
import torch

from contracts.cases import CASES, naive
from restora.core.errors import CannotSolve, InvalidParameter, MissingWeights
from restora.core.problem import Problem
from restora.front.denoisers import MethodDenoiser
from restora.methods.plug_and_play.dpir import DPIR, SYMMETRIES
from restora.nets.architectures import build
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic
from restora.operators.psf import gaussian_psf
from restora.operators.unknown import UnknownBlur
from restora.weights.denoiser import NetworkDenoiser
from restora.weights.record import Record
from restora.weights.save import save_weights


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """A Gaussian filter in place of the network; keeps what it was given."""
    seen, gaussian = [], MethodDenoiser("gaussian")

    def blurred(self, x, sigma):
        seen.append((x, sigma))
        return gaussian(x, sigma)

    monkeypatch.setattr(NetworkDenoiser, "__call__", blurred)
    return seen


def psnr(x, reference):
    return -10 * math.log10(float((x - reference).square().mean()))


@pytest.mark.parametrize(
    ("H", "sigma", "K", "last"),
    [
        (Blur(gaussian_psf(1.0), "circular"), 7.65, 8, 7.65),
        (Blur(gaussian_psf(1.0), "circular"), 0.0, 8, 0.255),
        (BlurDecimate(gaussian_psf(1.0), 3), 0.0, 24, 3.0),
        (Downsample(2.0), 2.55, 24, 2.55),
        (Mosaic("RGGB"), 0.0, 40, 0.6),
        (Mask(torch.ones(12, 12)), 1.0, 40, 1.0),
    ],
    ids=["blur", "blur-without-noise", "x3", "x2-with-noise", "mosaic", "mask"],
)
def test_the_schedule_of_the_paper(H, sigma, K, last, calls, generator):
    x = torch.rand(1, 3, 12, 12, generator=generator)
    problem = Problem(H(x), H, Gaussian(sigma / 255))
    stats = DPIR.for_problem(problem).run(problem).stats
    levels = 255 * np.array([level for _, level in calls])
    assert levels == pytest.approx(np.geomspace(49, last, K))
    rho = 0.23 * max(sigma, 0.255) ** 2 / levels**2
    assert [row["rho"] for row in stats] == pytest.approx(rho.tolist())


def test_the_eight_symmetries_take_turns(calls, generator):
    """With a λ so great that x stays z, and a network that does nothing, the inputs are the turned images."""
    assert len(set(SYMMETRIES)) == 8
    y = torch.rand(1, 1, 3, 3, generator=generator)
    problem = Problem(y, Identity(), Gaussian(0.1))
    DPIR(K=9, lam=1e12, sigma_1=1e-9, least_sigma_K=1e-9).run(problem)
    shown = [x for x, _ in calls]
    dihedral = [np.rot90(m, turns, (2, 3)) for m in (y.numpy(), y.numpy()[:, :, ::-1]) for turns in range(4)]
    for one in dihedral:
        assert sum(np.allclose(one, x.numpy(), atol=1e-6) for x in shown[:8]) == 1
    assert torch.allclose(shown[8], shown[0], atol=1e-6)
    calls.clear()
    DPIR(K=9, lam=1e12, sigma_1=1e-9, least_sigma_K=1e-9, periodic=False).run(problem)
    assert all(torch.allclose(x, y, atol=1e-6) for x, _ in calls)


def test_turning_is_undone(calls, camera):
    """A filter that is the same in all directions does not notice it."""
    problem = Problem.simulate(camera[..., :40, :52], Blur(gaussian_psf(1.0), "circular"), Gaussian(0.02), 0)
    turned, still = (DPIR(K=11, periodic=periodic).run(problem).x for periodic in (True, False))
    assert torch.allclose(turned, still, atol=1e-4)


def test_pixels_measured_without_noise_stay(calls, camera):
    known = (torch.rand(128, 128, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    problem = Problem(camera * known, Mask(known), Gaussian(0.0))
    found = DPIR.for_problem(problem).run(problem).x
    assert torch.allclose(found * known, camera * known, atol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_H_is_solved(case, calls, camera, cat):
    x = (cat if case.colour_only else camera)[..., :32, :32]
    problem = case.problem(x)
    found = DPIR.for_problem(problem).run(problem).x
    assert found.shape == x.shape
    assert psnr(found, x) > psnr(naive(problem), x)


def test_it_runs_a_network_by_name_and_by_path(cache, camera):
    network = build("drunet", {"widths": (4, 4, 4, 4), "blocks": 1})
    record = Record(
        name="tiny", architecture="drunet", fields={"widths": (4, 4, 4, 4), "blocks": 1}, task="denoise", channels=1
    )
    save_weights(network.state_dict(), record, cache)
    problem = Problem(camera[..., :20, :20], Blur(gaussian_psf(1.0), "circular"), Gaussian(0.02))
    by_name, by_path = (DPIR(w, K=2).run(problem) for w in ("tiny", str(cache / "tiny.safetensors")))
    assert torch.equal(by_name.x, by_path.x)
    assert "tiny" in by_name.status.sentence


def test_refusals(camera, cat):
    with pytest.raises(CannotSolve, match="needs to know H"):
        DPIR().run(Problem(camera, UnknownBlur(9), Gaussian(0.1)))
    with pytest.raises(MissingWeights, match="there are no weights 'nowhere'"):
        DPIR("nowhere").run(Problem(camera, Identity(), Gaussian(0.1)))
    assert DPIR.for_problem(Problem(cat, Identity(), Gaussian(0.1))).weights == "drunet-small-colour"
    for name, value in (("K", 0), ("lam", 0.0), ("sigma_1", math.nan), ("least_sigma_K", -1.0)):
        with pytest.raises(InvalidParameter, match=name):
            DPIR(**{name: value})
