"""What every frame must pass. To have a frame tried here, add it to :data:`FRAMES`."""

import dataclasses

import pytest
import torch

from restora.frames.curvelet import CurveletTransform
from restora.frames.dual_tree import DualTree
from restora.frames.finite_ridgelet import FiniteRidgelet
from restora.frames.frame import Frame
from restora.frames.local_ridgelet import LocalRidgelet
from restora.frames.sliding_dct import SlidingCosines
from restora.frames.steerable_pyramid import SteerablePyramid
from restora.frames.undecimated_wavelet import UndecimatedWavelet
from restora.frames.wavelet import WaveletTransform

FRAMES: tuple[tuple[str, Frame], ...] = (
    ("wavelet", WaveletTransform("sym8", 3)),
    ("wavelet-biorthogonal", WaveletTransform("bior4.4", 2)),
    ("wavelet-reflect", WaveletTransform("db4", 2, "reflect")),
    ("undecimated-haar", UndecimatedWavelet("haar", 3)),
    ("undecimated-sym8", UndecimatedWavelet("sym8", 2)),
    ("curvelet", CurveletTransform(3)),
    ("curvelet-wavelets", CurveletTransform(2, 12, "wavelets")),
    ("finite-ridgelet", FiniteRidgelet(5, 3)),
    ("sliding-cosines", SlidingCosines(5)),
    ("local-ridgelet", LocalRidgelet(4, 2, 2)),
    ("dual-tree", DualTree(3)),
    ("dual-tree-q-shift-14", DualTree(2, "q-shift-14")),
    ("steerable", SteerablePyramid(2, 4)),
    ("steerable-analytic", SteerablePyramid(2, 3, analytic=True)),
)

SIZES = ((1, 1), (1, 6), (5, 1), (2, 3), (16, 16), (21, 34), (40, 27))

every_frame = pytest.mark.parametrize("frame", [frame for _, frame in FRAMES], ids=[name for name, _ in FRAMES])
tight_frame = pytest.mark.parametrize(
    "frame", [frame for _, frame in FRAMES if frame.tight], ids=[name for name, frame in FRAMES if frame.tight]
)
every_size = pytest.mark.parametrize("size", SIZES, ids=str)


def noise(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def inner(one, other):
    return sum(float((a * b).sum()) for a, b in zip(one, other, strict=True))


@every_frame
def test_it_is_a_frozen_slotted_dataclass_that_obeys_the_protocol(frame):
    assert isinstance(frame, Frame)
    assert dataclasses.is_dataclass(frame)
    assert type(frame).__dataclass_params__.frozen
    assert "__slots__" in vars(type(frame))


@every_frame
@every_size
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)], ids=str)
def test_synthesis_inverts_analysis(frame, size, dtype, tolerance):
    x = noise(2, 3, *size, dtype=dtype)
    before = x.clone()
    bands = frame.analysis(x)
    kept = [band.clone() for band in bands]
    back = frame.synthesis(bands, size)
    assert (back.shape, back.dtype, back.device) == (x.shape, dtype, x.device)
    assert torch.allclose(back, x, rtol=0, atol=tolerance * float(x.abs().max()))
    assert torch.equal(x, before)
    assert all(torch.equal(band, other) for band, other in zip(bands, kept))
    assert all(band.shape[:2] == (2, 3) and band.dtype == dtype and band.is_floating_point() for band in bands)


@tight_frame
@every_size
def test_a_tight_frame_keeps_the_norm(frame, size):
    x = noise(1, 2, *size)
    bands = frame.analysis(x)
    assert inner(bands, bands) == pytest.approx(float(x.square().sum()), rel=1e-11)


@tight_frame
@every_size
def test_the_synthesis_of_a_tight_frame_is_the_adjoint(frame, size):
    x = noise(1, 1, *size)
    c = tuple(noise(*band.shape, seed=1 + i) for i, band in enumerate(frame.analysis(x)))
    scale = (inner((x,), (x,)) * inner(c, c)) ** 0.5
    assert inner(frame.analysis(x), c) == pytest.approx(inner((x,), (frame.synthesis(c, size),)), abs=1e-12 * scale)


@every_frame
@pytest.mark.parametrize("size", [(1, 5), (8, 8), (11, 14)], ids=str)
def test_the_norms_are_those_of_the_rows(frame, size):
    """The images of all unit impulses are the columns of W."""
    h, w = size
    columns = frame.analysis(torch.eye(h * w, dtype=torch.float64).reshape(h * w, 1, h, w))
    for band, norms in zip(columns, frame.norms(size), strict=True):
        rows = band.square().sum(dim=0).sqrt()[0]
        assert torch.allclose(norms.to(rows).expand_as(rows), rows, rtol=1e-6, atol=1e-9)


@every_frame
def test_it_is_linear_and_takes_every_image_and_channel_alone(frame):
    x, y = noise(2, 2, 12, 15), noise(2, 2, 12, 15, seed=1)
    both = frame.analysis(x - 0.3 * y)
    for band, one, other in zip(both, frame.analysis(x), frame.analysis(y)):
        assert torch.allclose(band, one - 0.3 * other, rtol=0, atol=1e-11)
    for band, alone in zip(both, frame.analysis((x - 0.3 * y)[1:, 1:])):
        assert torch.allclose(band[1:, 1:], alone, rtol=0, atol=1e-11)


@every_frame
def test_torch_and_numba_agree(frame):
    """Tensors that carry gradients take the operations that run on every device."""
    x = noise(1, 2, 22, 17)
    bands = frame.analysis(x)
    for band, other in zip(bands, frame.analysis(x.clone().requires_grad_()), strict=True):
        assert torch.allclose(band, other.detach(), rtol=0, atol=1e-11)
    c = tuple(noise(*band.shape, seed=1 + i) for i, band in enumerate(bands))
    back = frame.synthesis(tuple(band.clone().requires_grad_() for band in c), (22, 17))
    assert torch.allclose(back.detach(), frame.synthesis(c, (22, 17)), rtol=0, atol=1e-10)


@every_frame
def test_gradients_pass_both_ways(frame):
    x = noise(1, 1, 5, 6).requires_grad_()
    assert torch.autograd.gradcheck(frame.analysis, (x,))
    c = tuple(band.detach().requires_grad_() for band in frame.analysis(x))
    assert torch.autograd.gradcheck(lambda *bands: frame.synthesis(bands, (5, 6)), c)


@every_frame
def test_half_precision_is_computed_in_float32(frame):
    x = noise(1, 1, 9, 12, dtype=torch.float32).half()
    for band, expected in zip(frame.analysis(x), frame.analysis(x.float()), strict=True):
        assert band.dtype == torch.float32
        assert torch.equal(band, expected)
