from statistics import fmean

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio

from restora.core.errors import InvalidParameter, MissingData, UnknownName
from restora.evaluation.degradations import (
    BlurAndNoise,
    MaskFile,
    MatlabBicubic,
    RandomMask,
    RealNoise,
    Scene,
    WhiteNoise,
)
from restora.evaluation.psfs import find_psf
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


def test_numpy_noise_is_drawn_in_the_order_of_rows_columns_channels(tmp_path):
    scene = _scene(tmp_path, channels=3)
    problem = WhiteNoise(sigma=25, generator="numpy", seed=3).problem(scene)
    expected = np.random.RandomState(3).normal(0, 25, (21, 18, 3)) / 255
    np.testing.assert_allclose((problem.y - scene.x)[0].movedim(0, -1), expected, atol=1e-12)
    assert problem.sigma == pytest.approx(25 / 255)


def test_matlab_noise_begins_with_the_published_values_down_the_first_column(tmp_path):
    scene = _scene(tmp_path)
    noise = 255 / 10 * (WhiteNoise(sigma=10, generator="matlab-v4").problem(scene).y - scene.x)[0, 0]
    np.testing.assert_allclose(noise[:6, 0], [1.1650, 0.6268, 0.0751, 0.3516, -0.6965, 1.6961], atol=5e-5)


def test_blur_is_circular_convolution_and_bsnr_sets_the_noise(tmp_path):
    scene = _scene(tmp_path)
    problem = BlurAndNoise(psf="uniform-9", bsnr=40, generator="numpy").problem(scene)
    blurred = ndimage.uniform_filter(scene.x[0, 0].numpy(), 9, mode="wrap")
    np.testing.assert_allclose(problem.H(scene.x)[0, 0], blurred, atol=1e-12)
    assert problem.sigma == pytest.approx(blurred.std() / 100, rel=1e-9)
    residual = (problem.y - problem.H(scene.x))[0].movedim(0, -1).numpy() / problem.sigma
    np.testing.assert_allclose(residual, np.random.RandomState(0).standard_normal((21, 18, 1)), atol=1e-9)


def test_a_blur_states_its_noise_exactly_once():
    for noise in ({}, {"sigma": 1.0, "bsnr": 40.0}):
        with pytest.raises(InvalidParameter, match="either sigma or bsnr"):
            BlurAndNoise(psf="uniform-9", generator="numpy", **noise)


def test_kernels_are_those_of_the_papers(tmp_path):
    i, j = np.mgrid[-7:8, -7:8]
    h = 1 / (1 + i**2 + j**2)
    np.testing.assert_allclose(find_psf("inverse-quadratic-15", tmp_path), h / h.sum(), rtol=1e-12)
    row = np.array([1, 4, 6, 4, 1]) / 16
    np.testing.assert_allclose(find_psf("binomial-5", tmp_path), np.outer(row, row), rtol=1e-12)
    impulse = np.zeros((25, 25))
    impulse[12, 12] = 1
    gaussian = ndimage.gaussian_filter(impulse, 1.6, radius=12)
    np.testing.assert_allclose(find_psf("gaussian-25-1.6", tmp_path), gaussian, atol=1e-12)
    with pytest.raises(UnknownName, match="did you mean"):
        find_psf("uniform-7", tmp_path)
    with pytest.raises(MissingData, match=r"levin09\.npz"):
        find_psf("levin-1", tmp_path)


def test_the_small_picture_is_matlabs_imresize_of_the_cropped_one(tmp_path):
    scene = _scene(tmp_path)
    degradation = MatlabBicubic(scale=4)
    x = degradation.prepare(scene.x)
    assert x.shape == (1, 1, 20, 16)
    problem = degradation.problem(Scene("x", x, None, tmp_path))
    torch.testing.assert_close(problem.y, imresize(x, 1 / 4), rtol=0, atol=1e-12)
    assert problem.size == (20, 16)


@pytest.mark.parametrize("generator", ["numpy", "matlab-v4"])
def test_missing_pixels_are_zero_and_the_others_untouched(tmp_path, generator):
    scene = _scene(tmp_path, channels=3, size=(64, 64))
    problem = RandomMask(missing=80, generator=generator).problem(scene)
    missing = (problem.y == 0).all(dim=1)[0]
    assert missing.double().mean().item() == pytest.approx(0.8, abs=0.02)
    assert torch.equal(problem.y[0][:, ~missing], scene.x[0][:, ~missing])
    if generator == "matlab-v4":
        # rand('seed', 0) begins 0.2190 0.0470 0.6789 0.6793 0.9347 0.3835, down the first column.
        assert missing[:6, 0].tolist() == [True, True, True, True, False, True]


def test_a_mask_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingData, match=r"text\.png"):
        MaskFile(path="text.png").problem(_scene(tmp_path))


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
