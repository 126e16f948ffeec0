import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.frames import dual_tree_cpu
from restora.frames.dual_tree import DualTree
from restora.frames.dual_tree_filters import first_stage, q_shift_stage
from restora.frames.wavelet import WaveletTransform

NAMES = ("q-shift-6", "q-shift-14")
every_filter = pytest.mark.parametrize("name", NAMES)


@every_filter
def test_the_q_shift_filters_are_orthonormal_and_see_no_constant(name):
    h = np.array(q_shift_stage(name).low.taps[0])
    for shift in range(0, len(h), 2):
        assert (h[shift:] * h[: len(h) - shift]).sum() == pytest.approx(float(shift == 0), abs=3e-16)
    assert h.sum() == pytest.approx(2**0.5, rel=1e-15)
    assert abs(np.sum(q_shift_stage(name).high.taps[0])) < 1e-15


@pytest.mark.parametrize(("name", "tolerance"), [("q-shift-6", 0.45), ("q-shift-14", 0.04)])
def test_the_trees_are_half_a_sample_apart(name, tolerance):
    a, b = (np.array(taps) for taps in q_shift_stage(name).low.taps)
    omega = np.linspace(0.01, np.pi / 2, 50)
    waves = np.exp(-1j * np.outer(omega, np.arange(len(a))))
    delay = np.unwrap(np.angle((waves @ b) / (waves @ a))) / -omega
    assert np.abs(delay - 0.5).max() < tolerance
    assert np.abs(delay.mean() - 0.5) < 0.1


def test_the_first_stage_reconstructs():
    low, high, inverse_low, inverse_high = (
        np.array(f.taps[0])
        for f in (first_stage().low, first_stage().high, first_stage().inverse_low, first_stage().inverse_high)
    )
    # Undecimated, the two trees reconstruct twice: together h₀g₀ + h₁g₁ is the unit impulse.
    together = np.convolve(low, inverse_low) + np.convolve(high, inverse_high)
    assert np.allclose(together, np.eye(17)[8], rtol=0, atol=1e-15)
    assert low.sum() == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "low", "coarse"),
    [
        (
            "q-shift-6",
            [0.857050434, 0.511355315, 0.472284563, 0.013342212, -0.345618939, -0.154033934],
            [
                (-0.290372716 - 0.178070025j), (-0.23275179 + 0.425976619j), (0.049032504 - 0.399126106j),
                (0.009523877 - 0.030369721j), (-0.652345888 + 0.993888396j), (-0.354785428 - 0.562348524j),
            ],
        ),
        (
            "q-shift-14",
            [0.785704436, 0.597059644, 0.399420186, 0.040101262, -0.365417924, -0.172213134],
            [
                (-0.244151044 - 0.280778407j), (-0.239242825 + 0.380936229j), (0.028921969 - 0.39617871j),
                (0.055698223 - 0.026189213j), (-0.707116957 + 0.932449772j), (-0.373812645 - 0.59328078j),
            ],
        ),
    ],
)  # fmt: skip
def test_the_coefficients_are_those_of_the_dtcwt_package(name, low, coarse):
    # dtcwt 0.14, NumPy 1.26: p = dtcwt.Transform2d("antonini", "qshift_06" or "qshift_b").forward(x, 2);
    # p.lowpass[:, 2], p.highpasses[1][1, 2], p.highpasses[0][1, 2]. Its filters have 8 digits.
    x = torch.from_numpy(np.random.RandomState(0).normal(size=(12, 22)))[None, None]
    approximation, *details = (band[0, 0] for band in DualTree(2, name).analysis(x))
    fine = [
        (-0.498379961 - 0.30264639j), (-0.155634695 + 0.840680523j), (-0.254359775 - 0.017575404j),
        (-0.313229765 + 0.214744779j), (-0.976451166 - 0.083973606j), (0.1080063 - 0.786725332j),
    ]  # fmt: skip
    assert np.allclose(approximation[:, 2], low, rtol=0, atol=1e-6)
    assert np.allclose(torch.view_as_complex(details[0])[:, 1, 2], coarse, rtol=0, atol=1e-6)
    assert np.allclose(torch.view_as_complex(details[1])[:, 1, 2], fine, rtol=0, atol=2e-9)


@every_filter
def test_each_band_sees_edges_of_its_direction(name):
    row, column = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    for k in range(6):
        angle = torch.deg2rad(torch.tensor(15.0 + 30 * k))  # of the edges, counterclockwise from the rows
        stripes = torch.cos(1.3 * (column * angle.sin() + row * angle.cos()))
        level = DualTree(2, name).analysis(stripes[None, None])[1][0, 0]
        energy = level[:, 2:-2, 2:-2].square().sum(dim=(1, 2, 3))
        assert int(energy.argmax()) == k
        assert float(energy[k]) > 3 * float(energy[[i for i in range(6) if i != k]].max())


def test_energy_hardly_depends_on_a_shift():
    steps = torch.stack([(torch.arange(128) >= 60 + i).double().expand(128, 128).mT for i in range(8)])[:, None]

    def spread(level):
        energies = level.flatten(1).square().sum(dim=1)
        return float(energies.std() / energies.mean())

    assert spread(DualTree(3, "q-shift-14").analysis(steps)[1]) < 0.2 * spread(
        WaveletTransform("sym8", 3, "reflect").analysis(steps)[1]
    )


def test_the_threaded_kernels_are_the_serial_ones(monkeypatch):
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 2, 37, 50)))
    frame = DualTree(3)
    serial = frame.analysis(x)
    back = frame.synthesis(serial, (37, 50))
    for kernel in (dual_tree_cpu._analyse, dual_tree_cpu._synthesise):
        monkeypatch.setattr(kernel, "least", 0)
    threaded = frame.analysis(x)
    assert all(torch.equal(ours, other) for ours, other in zip(serial, threaded, strict=True))
    assert torch.equal(frame.synthesis(threaded, (37, 50)), back)


def test_what_does_not_exist_is_refused():
    with pytest.raises(InvalidParameter, match="levels"):
        DualTree(-1)
    with pytest.raises(UnknownName, match="q-shift-14"):
        q_shift_stage("q-shift-15")
    with pytest.raises(InvalidInput, match="2 levels have 3"):
        DualTree(2).synthesis(DualTree(1).analysis(torch.zeros(1, 1, 4, 4)), (4, 4))
