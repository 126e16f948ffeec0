import math

import numpy as np
import pytest
import torch

from restora.core.errors import InvalidParameter
from restora.frames.curvelet import CurveletTransform
from restora.frames.curvelet_windows import curvelet_windows


def window(omega1, omega2, centre, delta, j, scales):
    """|U| at a frequency, from the definition: angles along the square in eighths of a turn, from ω₁ = −ω₂ < 0."""

    def nu(x):
        x = min(max(x, 0.0), 1.0)
        return x**4 * (35 - 84 * x + 70 * x**2 - 20 * x**3)

    def low(j):
        if j == scales - 1:
            return 1.0
        s = 2.0 ** (j - scales + 1)
        return math.prod(math.cos(math.pi / 2 * nu((abs(w) / s - 2 / 3) / (2 / 3))) for w in (omega1, omega2))

    if abs(omega2) >= abs(omega1):
        t = 1 + omega1 / omega2 if omega2 > 0 else 5 + omega1 / omega2
    else:
        t = 3 - omega2 / omega1 if omega1 > 0 else 7 - omega2 / omega1
    away = abs((t - centre + 4) % 8 - 4)
    return math.sqrt(max(low(j) ** 2 - low(j - 1) ** 2, 0)) * math.cos(math.pi / 2 * nu(away / delta))


@pytest.mark.parametrize("j", [1, 2])
def test_the_windows_are_those_of_the_definition(j):
    size, scales, wedges = (31, 43), 3, 8 if j == 1 else 16
    windows = curvelet_windows(size, scales, 8, "curvelets", torch.float64, torch.device("cpu"))
    for axis, group in enumerate(windows[2 * j - 1 : 2 * j + 1]):
        for l in range(wedges // 4):
            found = np.zeros(size[0] * size[1])
            np.add.at(found, group.index[l].numpy().ravel(), group.weight[l].numpy().ravel())
            # Around ω₂ > 0 the angle grows with ω₁, around ω₁ > 0 it falls with ω₂.
            centre = (l + 0.5) * 8 / wedges
            centre = centre if axis == 1 else 4 - centre
            expected = [
                math.sqrt(2) * window(2 * k1 / size[0], 2 * k2 / size[1], centre, 8 / wedges, j, scales)
                if (k1, k2) != (0, 0)
                else 0.0
                for k1 in np.fft.fftfreq(size[0], 1 / size[0])
                for k2 in np.fft.fftfreq(size[1], 1 / size[1])
            ]
            assert np.allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(36, 50), (35, 64)], ids=str)
def test_a_wave_lives_in_the_wedge_of_its_direction(size):
    """Frequency (0.1, 0.7) of Nyquist is 1/7 off the second axis: in the wedge of slopes 0 to ¼, finest scale."""
    i, j = np.mgrid[: size[0], : size[1]]
    k1, k2 = round(0.05 * size[0]), round(0.35 * size[1])
    wave = np.cos(2 * np.pi * (k1 * i / size[0] + k2 * j / size[1]))
    bands = CurveletTransform(5).analysis(torch.from_numpy(wave)[None, None])
    energy = bands[-1].square().sum(dim=(0, 1, 3, 4, 5))
    assert int(energy.argmax()) == 4
    assert float(energy[4]) > 0.5 * float(np.square(wave).sum())


@pytest.mark.parametrize(("finest", "most"), [("curvelets", 5.3), ("wavelets", 3.2)])
def test_it_is_as_redundant_as_it_says(finest, most):
    bands = CurveletTransform(finest=finest).analysis(torch.zeros(1, 1, 256, 256))
    assert sum(band.numel() for band in bands) < most * 256**2


def test_one_scale_is_the_identity():
    x = torch.randn(1, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    (band,) = CurveletTransform(1).analysis(x)
    assert torch.allclose(band, x, atol=1e-6)


def test_windows_made_without_gradients_serve_those_with():
    frame = CurveletTransform(2, 16)
    with torch.inference_mode():
        frame.analysis(torch.ones(1, 1, 19, 18))
    x = torch.ones(1, 1, 19, 18, requires_grad=True)
    sum(band.square().sum() for band in frame.analysis(x)).backward()
    assert torch.allclose(x.grad, 2 * x.detach(), atol=1e-5)


@pytest.mark.parametrize(("fields", "name"), [({"scales": 0}, "scales"), ({"angles": 10}, "angles")])
def test_parameters_out_of_range_are_refused(fields, name):
    with pytest.raises(InvalidParameter, match=name):
        CurveletTransform(**fields)


def test_thresholding_by_windows_is_thresholding_of_all():
    frame, size = CurveletTransform(3), (40, 33)
    x = torch.from_numpy(np.random.RandomState(0).normal(size=(1, 2, *size)))
    coarse, *details = frame.analysis(x)
    kept = (torch.where(c.abs() > 1.5 * norms, c, 0) for c, norms in zip(details, frame.norms(size)[1:]))
    assert torch.allclose(frame.thresholded(x, 1.5), frame.synthesis((coarse, *kept), size), rtol=0, atol=1e-12)
