import pytest
import torch

from restora.core.errors import InvalidParameter, UnknownName
from restora.degradations.kernels import kernel, read_kernel
from restora.degradations.masks import mask, read_mask
from restora.degradations.noises import noise_model, read_noise
from restora.degradations.specs import BlurredSNR, Range
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
    assert noise_model(read_noise(text)) == noise


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
    psf = kernel(read_kernel(text))
    assert tuple(psf.shape) == size
    assert float(psf.sum()) == pytest.approx(1)


def test_mask_specs():
    known = mask(read_mask("random:0.3"), (20, 30), torch.Generator().manual_seed(0))
    assert float(known.known.sum()) == 180
    assert 0 < float(mask(read_mask("text:12"), (40, 60), torch.Generator()).known.mean()) < 1


def test_a_number_may_be_a_range_that_is_drawn_for_each_image():
    spec = read_noise("poisson-gaussian:30:2..6")
    assert spec.numbers == (30.0, Range(2.0, 6.0))
    drawn = spec.drawn(200, torch.Generator().manual_seed(0))
    levels = torch.tensor([one.numbers[1] for one in drawn])
    assert {one.numbers[0] for one in drawn} == {30.0}
    assert (float(levels.min()) >= 2, float(levels.max()) <= 6) == (True, True)
    assert float(levels.mean()) == pytest.approx(4, abs=0.3)
    assert float(levels.std()) == pytest.approx(4 / 12**0.5, abs=0.1)


def test_a_level_in_decibels_follows_the_signal():
    spec = read_noise("gaussian:40dB")
    assert spec.numbers == (BlurredSNR(40.0),)
    Hx = torch.rand(1, 1, 64, 64, dtype=torch.float64)
    assert noise_model(spec, Hx).sigma == pytest.approx(float(Hx.numpy().std()) / 100)


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (read_noise, "gaussian", "write gaussian:SIGMA"),
        (read_noise, "gaussian:x", "write gaussian:SIGMA"),
        (read_noise, "gaussian:1..x", "write gaussian:SIGMA"),
        (read_noise, "poisson:40dB", "write poisson:PEAK"),
        (read_noise, "gaussian:9..5", "low <= high"),
        (read_noise, "gaussian:-5..5", "sigma"),
        (read_noise, "numpy:25:0.5", "a whole number"),
        (read_kernel, "disk:3dB", "write disk:RADIUS"),
        (read_kernel, "gaussian:0..2", "> 0"),
        (read_mask, "random:0.2..0.5", "write random:SHARE-KEPT"),
        (read_mask, "numpy:0", r"in \(0, 1\]"),
        (read_mask, "known:", "write known:FILE"),
    ],
)
def test_wrong_numbers_are_named_with_the_usage(read, text, says):
    with pytest.raises(InvalidParameter, match=says):
        read(text)


@pytest.mark.parametrize("read", [read_noise, read_kernel, read_mask])
def test_unknown_words_are_named(read):
    with pytest.raises(UnknownName, match="gausian"):
        read("gausian:3")
