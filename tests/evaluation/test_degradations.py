from statistics import fmean

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from restora.core.errors import MissingData
from restora.degradations.degradation import Degradation
from restora.evaluation.degradations import RealNoise, Scene, Simulated
from restora.evaluation.suites import Selection, suite
from restora.noise.unknown import UnknownNoise
from restora.numerics.imresize import imresize


def _scene(tmp_path, channels=1, size=(21, 18)):
    x = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return Scene("x", x, None, tmp_path)


def _psnr(x, reference):
    return peak_signal_noise_ratio(reference.double().numpy(), x.double().numpy(), data_range=1.0)


def _levels(x):
    return (x.clamp(0, 1) * 255).round() / 255


@pytest.fixture(scope="module")
def protocols():
    every = [p for name in ("denoise-gray", "deblur", "deblock", "super-resolve", "real-noise") for p in suite(name)]
    return {protocol.id: protocol for protocol in every}


@pytest.mark.parametrize(
    ("degradation", "size"), [({"scale": 4}, (20, 16)), ({"multiple": 8}, (16, 16)), ({}, (21, 18))]
)
def test_sides_are_cropped_to_multiples_at_bottom_and_right(tmp_path, degradation, size):
    scene = _scene(tmp_path)
    x = Simulated(Degradation(**degradation)).prepare(scene.x)
    assert torch.equal(x, scene.x[..., : size[0], : size[1]])


def test_a_set_without_photographed_measurements_cannot_be_real(tmp_path):
    with pytest.raises(MissingData, match="no photographed measurement"):
        RealNoise().problem(_scene(tmp_path))


@pytest.mark.parametrize(("sigma", "expected"), [(15, 24.70), (25, 20.37), (50, 14.79)])
def test_noisy_set12_has_the_published_psnr(data_dir, protocols, sigma, expected):
    protocol = protocols[f"set12-gray-awgn-s{sigma}-noclip-seed0"]
    values = [_psnr(case.problem.y.clamp(0, 1), case.reference) for case in protocol.cases(data_dir)]
    assert fmean(values) == pytest.approx(expected, abs=0.006)


def test_blurred_barbara_is_the_published_picture(data_dir, protocols):
    # GSR publishes its blurred and noisy Barbara: 22.4226 dB, the noise from randn('seed', 0).
    case = protocols["ncsr-deblur10-y-uniform-9-s1.41-noclip-matlabv4"].case(data_dir, "barbara")
    assert _psnr(case.problem.y, case.reference) == pytest.approx(22.4226, abs=6e-5)


def test_cameraman_has_the_published_input_psnr_in_the_six_scenarios(data_dir, protocols):
    values = []
    for scenario in range(1, 7):
        case = protocols[f"deblur4-gray-scenario{scenario}-noclip-matlabv4"].case(data_dir, "cameraman256")
        values.append(_psnr(case.problem.y, case.reference))
    # The papers agree with one another to 0.01 dB: copies of this photograph differ by a gray level here and there.
    np.testing.assert_allclose(values, [22.23, 22.16, 20.76, 24.62, 23.36, 29.82], atol=0.0101)


def test_classic5_compressed_to_quality_10_has_the_published_psnr(data_dir, protocols):
    cases = protocols["classic5-jpeg-y-q10"].cases(data_dir)
    assert fmean(_psnr(case.problem.y, case.reference) for case in cases) == pytest.approx(27.82, abs=0.006)


def test_real_photographs_have_the_published_noise(data_dir, protocols):
    cases = list(protocols["cc15-rgb-real"].cases(data_dir, limit=3))
    values = [_psnr(case.problem.y, case.reference) for case in cases]
    np.testing.assert_allclose(values, [37.00, 33.88, 33.83], atol=0.006)
    assert cases[0].problem.noise == UnknownNoise()


@pytest.mark.parametrize(("scale", "expected"), [(2, 33.66), (4, 28.42)])
def test_bicubic_set5_is_the_published_row(data_dir, protocols, scale, expected):
    protocol = protocols[f"set5-x{scale}-matlab-bicubic-y-shave{scale}"]
    values = []
    for case in protocol.cases(data_dir):
        size = (case.reference.shape[-2], case.reference.shape[-1])
        enlarged = _levels(imresize(case.problem.y.double(), size=size))
        inside = (..., slice(scale, -scale), slice(scale, -scale))
        values.append(_psnr(enlarged[inside], case.reference[inside]))
    assert fmean(values) == pytest.approx(expected, abs=0.006)


def test_levins_photographs_are_blurred_by_the_kernel_as_protocols_give_it(data_dir, protocols):
    protocol = protocols["levin16-gray-true-kernel-aligned-shave15"]
    case = protocol.case(data_dir, "im02_ker04")
    model = case.problem.H(case.reference)[0, 0].numpy()
    # The photograph is the model rolled by (−2, 3), up to noise of one to two gray levels.
    residual = (np.roll(model, (-2, 3), (0, 1)) - case.problem.y[0, 0].double().numpy())[20:-20, 20:-20]
    assert residual.std() * 255 < 2.1


def test_another_set_of_levels_keeps_the_seed(data_dir):
    protocol = suite("denoise-gray", Selection(sets=("Set12",), sigmas=(10,)))[0]
    case = protocol.case(data_dir, "01")
    expected = np.random.RandomState(0).normal(0, 10, (256, 256)) / 255
    np.testing.assert_allclose((case.problem.y.double() - case.reference)[0, 0], expected, atol=1e-6)
