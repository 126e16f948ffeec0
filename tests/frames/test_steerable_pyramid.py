import math

import numpy as np
import pytest
import torch

from restora.core.errors import InvalidInput, InvalidParameter
from restora.frames.steerable_pyramid import SteerablePyramid


def noise(*shape):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape))


@pytest.mark.parametrize("cycles", [(6, 9), (3, -5), (11, 0), (1, 2)])
def test_a_wave_keeps_its_shape_and_gets_the_response_of_the_formula(cycles):
    """32 x 32 with 3 scales of 4 orientations, straight from the definition."""
    row, column = np.mgrid[:32, :32]
    wave = np.cos(2 * np.pi * (cycles[0] * row + cycles[1] * column) / 32)
    bands = SteerablePyramid(3, 4).analysis(torch.from_numpy(wave)[None, None])
    rho, theta = math.hypot(*cycles) / 16, math.atan2(cycles[0], cycles[1])

    def high(r):
        return math.cos(math.pi / 2 * min(max(-math.log2(r), 0), 1))

    def low(r):
        return math.sqrt(1 - high(r) ** 2)

    angular = [math.sqrt(0.8) * math.cos(theta - math.pi * k / 4) ** 3 for k in range(4)]  # Σ cos⁶ = 5/4
    radial = [high(rho)] + [low(2 ** (s - 1) * rho) * high(2**s * rho) for s in (1, 2, 3)]
    for s in range(4):
        band = bands[4 - s][0, 0]
        for k in range(4):
            amplitude = band[k].square().mean().sqrt() * math.sqrt(2) / 2 ** max(s - 1, 0)
            assert float(amplitude) == pytest.approx(abs(radial[s] * angular[k]), abs=1e-12)
    assert float(bands[0].square().mean().sqrt()) == pytest.approx(low(8 * rho) * 8 / math.sqrt(2), abs=1e-12)


@pytest.mark.parametrize("orientations", [2, 4])
def test_a_quarter_turn_of_the_image_turns_the_bands(orientations):
    def turned(x):
        """A quarter turn about the first sample: (i, j) has what was at (j, −i)."""
        return x.mT.flip(-2).roll(1, -2)

    x = noise(1, 1, 31, 31)
    frame = SteerablePyramid(2, orientations)
    for band, other in zip(frame.analysis(x)[1:], frame.analysis(turned(x))[1:], strict=True):
        for k in range(orientations):
            ours = other[:, :, (k - orientations // 2) % orientations]
            sign = 1 if k >= orientations // 2 else -1  # cos^(K−1) is odd
            assert torch.allclose(ours, sign * turned(band[:, :, k]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("orientations", [1, 3, 4])
def test_the_analytic_bands_are_the_real_ones_and_their_hilbert_transforms(orientations):
    x = noise(1, 2, 17, 23)  # odd: no frequency is its own mirror image
    real = SteerablePyramid(2, orientations).analysis(x)
    analytic = SteerablePyramid(2, orientations, analytic=True).analysis(x)
    for band, pair in zip(real[1:], analytic[1:], strict=True):
        strength = torch.fft.fft2(torch.view_as_complex(pair)).abs()
        opposite = strength.flip(-2, -1).roll((1, 1), (-2, -1))
        if orientations > 1:
            assert torch.allclose(pair[..., 0] * math.sqrt(2), band, rtol=0, atol=1e-13)
            assert float(torch.minimum(strength, opposite).max()) < 1e-12
        else:  # half a plane has an edge, which a lone band does not vanish on
            energy = pair.square().sum() / band.square().sum()
            assert float(energy) == pytest.approx(1, rel=1e-12)


def test_noise_is_as_strong_as_the_norms_say():
    x = noise(1, 1, 256, 256)
    frame = SteerablePyramid(2, 4)
    for band, norms in zip(frame.analysis(x), frame.norms((256, 256)), strict=True):
        deviation = band.square().mean(dim=(-2, -1), keepdim=True).sqrt()[0, 0]
        assert torch.allclose(deviation, norms.reshape(deviation.shape), rtol=0.08)


def test_what_is_wrong_is_refused():
    with pytest.raises(InvalidParameter, match="scales = -1"):
        SteerablePyramid(-1)
    with pytest.raises(InvalidParameter, match="orientations = 0"):
        SteerablePyramid(2, 0)
    with pytest.raises(InvalidInput, match="2 scales have 4"):
        SteerablePyramid(2).synthesis(SteerablePyramid(1).analysis(torch.zeros(1, 1, 4, 4)), (4, 4))
