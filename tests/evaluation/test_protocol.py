import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from restora.evaluation.protocol import levelled
from restora.evaluation.suites import Selection, suite


def _protocol(name, set_name, **selection):
    return suite(name, Selection(sets=(set_name,), **selection))[0]


def test_levels_are_left_clipped_or_rounded_half_up():
    x = torch.tensor([[[[-0.2, 0.5 / 255, 100.4 / 255, 1.3]]]], dtype=torch.float64)
    assert torch.equal(levelled(x, "unclipped"), x)
    torch.testing.assert_close(levelled(x, "clipped")[0, 0, 0], torch.tensor([0, 0.5 / 255, 100.4 / 255, 1]).double())
    torch.testing.assert_close(levelled(x, "rounded")[0, 0, 0] * 255, torch.tensor([0.0, 1, 100, 255]).double())


def test_a_case_holds_the_image_the_problem_and_the_name(small_data):
    protocol = _protocol("denoise-gray", "Set12", sigmas=(25,))
    cases = list(protocol.cases(small_data, limit=2))
    assert [case.name for case in cases] == ["01", "02"]
    levels = np.asarray(Image.open(small_data / "test/Set12/02.png"))
    np.testing.assert_allclose(cases[1].reference[0, 0] * 255, levels, atol=1e-9)
    assert cases[1].problem.y.dtype == torch.float32
    assert cases[1].problem.y.min() < 0


def test_cropping_crops_before_degrading(small_data):
    protocol = _protocol("super-resolve", "Set5", scales=(4,))
    case = protocol.case(small_data, "baby", crop=18)
    assert case.reference.shape == (1, 1, 16, 16)
    assert case.problem.y.shape == (1, 1, 4, 4)


def test_the_estimate_is_clipped_but_not_rounded_for_gray_denoising(small_data):
    protocol = _protocol("denoise-gray", "Set12", sigmas=(50,))
    case = protocol.case(small_data, "01")
    expected = peak_signal_noise_ratio(
        case.reference.numpy(), case.problem.y.double().clamp(0, 1).numpy(), data_range=1.0
    )
    assert protocol.measure(case.problem.y, case)["psnr"] == pytest.approx(expected, rel=1e-9)


def test_luma_of_the_8bit_convention_is_that_of_rounded_pictures(small_data):
    protocol = suite("super-resolve", Selection(sets=("Set5",), scales=(2,)))[1]
    case = protocol.case(small_data, "bird")
    assert case.reference.shape == (1, 3, 46, 40)
    # The small picture is an 8-bit file.
    np.testing.assert_allclose(case.problem.y * 255, (case.problem.y * 255).round(), atol=1e-4)
    x = (case.reference + 0.03 * torch.randn(case.reference.shape, dtype=torch.float64)).float()
    levels = np.floor(x[0].double().clamp(0, 1).numpy() * 255 + 0.5), case.reference[0].numpy() * 255
    lumas = [np.floor(16.5 + np.tensordot([65.481, 128.553, 24.966], image, 1) / 255) for image in levels]
    expected = peak_signal_noise_ratio(lumas[1][2:-2, 2:-2], lumas[0][2:-2, 2:-2], data_range=255)
    assert protocol.measure(x, case)["psnr-y"] == pytest.approx(expected, rel=1e-6)
    expected = peak_signal_noise_ratio(levels[1][:, 2:-2, 2:-2], levels[0][:, 2:-2, 2:-2], data_range=255)
    assert protocol.measure(x, case)["psnr"] == pytest.approx(expected, rel=1e-9)


def test_isnr_is_the_gain_over_the_measurement(data_dir):
    protocol = suite("deblur")[3]
    case = protocol.case(data_dir, "cameraman256", crop=64)
    assert protocol.measure(case.problem.y, case)["isnr"] == 0.0
    halfway = (case.problem.y + case.reference).float() / 2
    # Halving every error is 20 log10(2) dB.
    assert protocol.measure(halfway, case)["isnr"] == pytest.approx(6.0206, abs=1e-3)


def test_a_gray_file_of_a_luma_protocol_is_taken_as_it_is(data_dir):
    protocol = _protocol("super-resolve", "Set14", scales=(2,))
    bridge = protocol.case(data_dir, "bridge")
    levels = np.asarray(Image.open(data_dir / "test/Set14/bridge.png"))
    np.testing.assert_allclose(bridge.reference[0, 0] * 255, levels, atol=1e-9)
    man = protocol.case(data_dir, "man")
    assert man.reference.min() * 255 >= 16 - 1e-9
