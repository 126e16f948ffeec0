import numpy as np
import pytest
import pywt
import torch

from restora.core.errors import InvalidInput, InvalidParameter
from restora.frames import undecimated_wavelet_cpu
from restora.frames.undecimated_wavelet import UndecimatedWavelet


def noise(*shape):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape))


@pytest.mark.parametrize("name", ["haar", "db2", "sym4"])
def test_the_bands_are_those_of_pywavelets_up_to_a_shift(name):
    x = noise(1, 1, 32, 32)
    approximation, coarse, fine = UndecimatedWavelet(name, 2).analysis(x)
    theirs = pywt.swt2(x[0, 0].numpy(), name, 2, trim_approx=True, norm=True)
    ours = (approximation[0, 0], *coarse[0, 0], *fine[0, 0])
    for band, their in zip(ours, (theirs[0], *theirs[1], *theirs[2]), strict=True):
        correlation = np.fft.ifft2(np.fft.fft2(band.numpy()) * np.fft.fft2(their).conj()).real
        shift = np.unravel_index(correlation.argmax(), correlation.shape)
        assert np.allclose(band.numpy(), np.roll(their, shift, (0, 1)), rtol=0, atol=1e-10)


def test_it_moves_with_the_image():
    frame = UndecimatedWavelet("db2", 3)
    x = noise(1, 1, 24, 20)
    for band, moved in zip(frame.analysis(x), frame.analysis(x.roll((1, 3), (-2, -1)))):
        assert torch.allclose(moved, band.roll((1, 3), (-2, -1)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["haar", "sym8"])
def test_noise_halves_at_each_level_where_the_kernels_fit(name):
    frame = UndecimatedWavelet(name, 3)
    for norms, level in zip(frame.norms((128, 150)), (3, 3, 2, 1)):
        assert torch.allclose(norms, torch.full_like(norms, 0.5**level), rtol=1e-12)
    assert not torch.allclose(frame.norms((5, 5))[1], torch.tensor(1 / 8, dtype=torch.float64))


@pytest.mark.parametrize("name", ["haar", "db4"])
@pytest.mark.parametrize("rule", ["hard", "soft"])
@pytest.mark.parametrize("size", [(1, 1), (3, 19), (150, 33)], ids=str)
def test_shrinking_row_by_row_is_shrinking_all_bands(name, rule, size):
    frame = UndecimatedWavelet(name, 3)
    x = noise(2, 2, *size)
    t = tuple(0.8 * norms * torch.tensor([1.0, 1.2, 0.7]).double()[:, None, None] for norms in frame.norms(size)[1:])
    approximation, *details = frame.analysis(x)
    kept = [torch.from_numpy(pywt.threshold(d.numpy(), s.numpy(), rule)) for d, s in zip(details, t)]
    expected = frame.synthesis((approximation, *kept), size)
    assert torch.allclose(frame.shrunk(x, t, rule), expected, rtol=0, atol=1e-13)
    assert torch.allclose(frame.shrunk(x.clone().requires_grad_(), t, rule).detach(), expected, rtol=0, atol=1e-13)


def test_the_threaded_kernels_are_the_serial_ones(monkeypatch):
    frame = UndecimatedWavelet("db2", 3)
    x = noise(2, 1, 151, 40)
    t = tuple(norms for norms in frame.norms((151, 40))[1:])
    serial = frame.analysis(x)
    back, shrunk = frame.synthesis(serial, (151, 40)), frame.shrunk(x, t)
    for kernel in (undecimated_wavelet_cpu._analyse, undecimated_wavelet_cpu._synthesise):
        monkeypatch.setattr(kernel, "least", 0)
    assert all(torch.equal(ours, other) for ours, other in zip(serial, frame.analysis(x), strict=True))
    assert torch.equal(frame.synthesis(serial, (151, 40)), back)
    assert torch.equal(frame.shrunk(x, t), shrunk)


def test_a_pixel_reaches_as_far_as_it_says():
    frame = UndecimatedWavelet("db2", 2)
    x = torch.zeros(1, 1, 1, 101, dtype=torch.float64)
    moved = x.clone()
    moved[..., 50] = 1
    t = tuple(0.1 * norms for norms in frame.norms((1, 101))[1:])
    changed = (frame.shrunk(moved, t) - frame.shrunk(x, t))[0, 0, 0].abs() > 1e-15
    assert changed.nonzero().sub(50).abs().max() <= frame.reach == 9


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidParameter, match="orthonormal"):
        UndecimatedWavelet("bior4.4")
    with pytest.raises(InvalidParameter, match="levels"):
        UndecimatedWavelet("haar", -1)
    with pytest.raises(InvalidInput, match="2 bands"):
        UndecimatedWavelet("haar", 3).synthesis(UndecimatedWavelet("haar", 1).analysis(noise(1, 1, 4, 4)), (4, 4))
