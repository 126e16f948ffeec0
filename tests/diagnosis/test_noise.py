import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from restora.diagnosis.lattice import Lattice
from restora.diagnosis.noise import _flat_quantile, estimate_noise
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.poisson import Poisson


def _photograph(data_dir, name="100080", gray=True):
    picture = Image.open(data_dir / f"train/BSDS500-color/{name}.jpg").convert("L" if gray else "RGB")
    levels = np.atleast_3d(np.asarray(picture)).transpose(2, 0, 1).copy()
    return torch.from_numpy(levels).float()[None] / 255


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("level", [2, 10, 25, 75])
def test_white_noise_on_an_even_picture_is_measured_within_three_percent(level):
    y = torch.full((1, 1, 256, 256), 0.5) + level / 255 * torch.randn(1, 1, 256, 256, generator=_rng(level))
    estimate = estimate_noise(y)
    assert estimate.sigma == pytest.approx(level / 255, rel=0.03)
    assert not estimate.signal_dependent
    assert estimate.read == pytest.approx(estimate.sigma**2)
    assert "the same in light and dark" in estimate.sentence


@pytest.mark.parametrize("level", [5, 15, 50])
@pytest.mark.parametrize("gray", [True, False])
def test_white_noise_on_a_photograph_is_measured_within_five_percent(data_dir, level, gray):
    y = Gaussian(level / 255).sample(_photograph(data_dir, gray=gray), _rng(1))
    assert estimate_noise(y).sigma == pytest.approx(level / 255, rel=0.05)


def test_the_level_scales_with_the_picture(data_dir):
    y = Gaussian(0.1).sample(_photograph(data_dir), _rng(2))
    assert estimate_noise(3 * y + 0.2).sigma == pytest.approx(3 * estimate_noise(y).sigma, rel=1e-3)


def test_a_clean_photograph_is_not_called_noisy(data_dir):
    for name in ("100080", "101084"):
        estimate = estimate_noise(_photograph(data_dir, name))
        assert estimate.sigma < 1 / 255
        assert "no noise" in estimate.sentence


def test_synthetic_pictures_have_no_noise():
    board = (torch.arange(64)[:, None] // 8 + torch.arange(64) // 8) % 2
    for picture in (torch.full((64, 64), 0.5), board.float(), torch.linspace(0, 1, 64).expand(64, 64)):
        assert estimate_noise(picture[None, None].contiguous()).sigma == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 80), (80, 1), (2, 2), (6, 9)])
def test_pictures_too_small_to_tell_say_so(size):
    estimate = estimate_noise(torch.rand(1, 3, *size, generator=_rng()))
    assert estimate.sigma == 0
    assert "cannot be estimated" in estimate.sentence


def test_small_pictures_are_measured_roughly():
    y = torch.randn(1, 1, 24, 24, generator=_rng(), dtype=torch.float64) * 0.1
    assert estimate_noise(y).sigma == pytest.approx(0.1, rel=0.2)


def test_rounding_and_clipping_to_8_bits_is_borne(data_dir):
    x = _photograph(data_dir)
    y = Gaussian(10 / 255).sample(x, _rng(3)).clamp(0, 1).mul(255).round() / 255
    assert estimate_noise(y).sigma == pytest.approx(10 / 255, rel=0.07)


def test_a_black_frame_does_not_hide_the_noise(data_dir):
    y = Gaussian(20 / 255).sample(_photograph(data_dir), _rng(4))
    y[:, :, :80] = 0
    y[:, :, :, :80] = 0
    assert estimate_noise(y).sigma == pytest.approx(20 / 255, rel=0.07)


@pytest.mark.parametrize(("noise", "shot"), [(CameraNoise(0.01, 1e-4), 0.01), (Poisson(50.0), 0.02)])
def test_noise_that_grows_with_the_light_is_told_and_measured(data_dir, noise, shot):
    x = _photograph(data_dir, gray=False)
    estimate = estimate_noise(noise.sample(x, _rng(5)))
    assert estimate.signal_dependent
    assert estimate.shot == pytest.approx(shot, rel=0.25)
    assert estimate.read >= 0
    assert estimate.sigma == pytest.approx(float((shot * x.mean() + getattr(noise, "read", 0.0)) ** 0.5), rel=0.15)
    assert "growing" in estimate.sentence


def test_the_gradient_energy_of_a_flat_patch_stays_below_its_gamma_quantile():
    n = torch.randn(400, 400, generator=_rng(6)).numpy()
    lattice = Lattice.of(n, 200_000)
    # 35 horizontal and 35 vertical differences of two pixels, each with variance 1/2.
    assert float(lattice.energy.mean()) == pytest.approx(35, rel=0.01)
    assert float((lattice.energy > _flat_quantile(7)).mean()) < 1e-3
    assert _flat_quantile(7) > stats.gamma.ppf(0.999, 35 / 2, scale=2)


def test_the_lattice_holds_the_patches_of_the_plane():
    x = torch.rand(40, 31, generator=_rng(7)).numpy()
    lattice = Lattice.of(x, 300)
    assert (lattice.down, lattice.along, len(lattice.index)) == (2, 2, 17 * 13)
    patches = np.lib.stride_tricks.sliding_window_view(x, (7, 7))[:: lattice.down, :: lattice.along].reshape(-1, 7, 7)
    assert np.allclose(lattice.intensity, patches.mean(axis=(1, 2)), rtol=1e-5)
    gradients = [patches[:, :, 2:] - patches[:, :, :-2], patches[:, 2:] - patches[:, :-2]]
    energy = sum((g.astype(float) ** 2).sum(axis=(1, 2)) for g in gradients) / 4
    assert np.allclose(lattice.energy, energy, rtol=1e-4)
    chosen = np.array([3, 50, 101])
    expected = (patches - patches.mean(axis=(1, 2), keepdims=True))[chosen].reshape(3, 49)
    assert np.allclose(lattice.vectors(chosen), expected, atol=1e-6)


def test_clipped_and_constant_patches_are_left_out():
    x = 0.2 + 0.6 * torch.rand(40, 40, generator=_rng(8)).numpy()
    x[:10], x[30:, 30:] = 0.5, 1.0
    lattice = Lattice.of(x, 10_000)
    row, column = np.divmod(lattice.index, 34)
    assert len(lattice.index) == 34 * 34 - 4 * 34 - 10 * 10
    assert row.min() == 4
    assert not ((row >= 24) & (column >= 24)).any()


def test_the_picture_is_left_alone(data_dir):
    y = _photograph(data_dir)
    before = y.clone()
    estimate_noise(y)
    assert torch.equal(y, before)
