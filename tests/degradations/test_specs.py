from pathlib import Path

import pytest
import torch

from restora.core.errors import InvalidParameter, UnknownName
from restora.degradations.specs import BlurredSNR, Range
from restora.degradations.words import KERNELS, MASKS, NOISES, read_kernel
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.noise.matlab_v4 import MatlabV4Gaussian
from restora.noise.numpy_seeded import NumpyGaussian
from restora.noise.poisson import Poisson
from restora.noise.poisson_gaussian import PoissonGaussian
from restora.noise.salt_and_pepper import SaltAndPepper


@pytest.mark.parametrize(
    ("text", "noise"),
    [
        ("gaussian:25", Gaussian(25 / 255)),
        ("poisson:30", Poisson(30.0)),
        ("poisson-gaussian:30:5", PoissonGaussian(30.0, 5 / 255)),
        ("numpy:25:7", NumpyGaussian(25 / 255, 7)),
        ("matlab-v4:25", MatlabV4Gaussian(25 / 255, 0)),
        ("matlab-v4:25:3", MatlabV4Gaussian(25 / 255, 3)),
        ("salt:0.05", SaltAndPepper(0.05)),
        ("camera:0.01:0.0001", CameraNoise(0.01, 0.0001)),
    ],
)
def test_noise_specs(text, noise):
    assert NOISES.make(NOISES.read(text), torch.zeros(1, 1, 1, 1)) == noise


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("gaussian:1.6", (15, 15)),
        ("disk:3", (7, 7)),
        ("uniform:9", (9, 9)),
        ("motion:9:0", (1, 9)),
        ("motion:9:90", (9, 1)),
        ("shake:21:3", (21, 21)),
        ("gaussian-25-1.6", (25, 25)),
    ],
)
def test_kernel_specs(text, size):
    psf = KERNELS.make(read_kernel(text), Path())
    assert tuple(psf.shape) == size
    assert float(psf.sum()) == pytest.approx(1)


def test_mask_specs():
    known = MASKS.make(MASKS.read("random:0.3"), (20, 30), torch.Generator().manual_seed(0), Path())
    assert float(known.known.sum()) == 180
    assert 0 < float(MASKS.make(MASKS.read("text:12"), (40, 60), torch.Generator(), Path()).known.mean()) < 1


def test_a_number_may_be_a_range_that_is_drawn_for_each_image():
    spec = NOISES.read("poisson-gaussian:30:2..6")
    assert spec.values == (30.0, Range(2.0, 6.0))
    drawn = spec.drawn(200, torch.Generator().manual_seed(0))
    levels = torch.tensor([one.values[1] for one in drawn])
    assert {one.values[0] for one in drawn} == {30.0}
    assert (float(levels.min()) >= 2, float(levels.max()) <= 6) == (True, True)
    assert float(levels.mean()) == pytest.approx(4, abs=0.3)
    assert float(levels.std()) == pytest.approx(4 / 12**0.5, abs=0.1)


def test_a_level_in_decibels_follows_the_signal():
    spec = NOISES.read("gaussian:40dB")
    assert spec.values == (BlurredSNR(40.0),)
    Hx = torch.rand(1, 1, 64, 64, dtype=torch.float64)
    assert NOISES.make(spec, Hx).sigma == pytest.approx(float(Hx.numpy().std()) / 100)


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (NOISES.read, "gaussian", "write gaussian:LEVEL"),
        (NOISES.read, "gaussian:x", "write gaussian:LEVEL"),
        (NOISES.read, "gaussian:1..x", "write gaussian:LEVEL"),
        (NOISES.read, "poisson:40dB", "write poisson:PEAK"),
        (NOISES.read, "gaussian:9..5", "low <= high"),
        (NOISES.read, "gaussian:-5..5", "sigma"),
        (NOISES.read, "numpy:25:0.5", "a whole number"),
        (read_kernel, "disk:3dB", "write disk:RADIUS"),
        (read_kernel, "gaussian:0..2", "> 0"),
        (MASKS.read, "numpy:0", r"in \(0, 1\]"),
        (MASKS.read, "known:", "write known:FILE"),
    ],
)
def test_wrong_numbers_are_named_with_the_usage(read, text, says):
    with pytest.raises(InvalidParameter, match=says):
        read(text)


@pytest.mark.parametrize("read", [NOISES.read, read_kernel, MASKS.read])
def test_unknown_words_are_named(read):
    with pytest.raises(UnknownName, match="gausian"):
        read("gausian:3")
