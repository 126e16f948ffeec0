import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restora.core.errors import InvalidInput, InvalidParameter, UnknownName
from restora.operators.resampling import Resampler, resampled_length


def _matlab_cubic(t):
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t <= 2 else 0.0


def _imresize_by_hand(signal, scale, replicate=False):
    """The documented rule of imresize, sample by sample, counting from one."""
    n, c = len(signal), min(scale, 1.0)
    support = 4 / c
    out = []
    for o in range(1, math.ceil(n * scale) + 1):
        u = o / scale + 0.5 * (1 - 1 / scale)
        total = weights = 0.0
        for i in range(math.floor(u - support / 2), math.floor(u - support / 2) + math.ceil(support) + 2):
            j = min(max(i, 1), n) if replicate else (i - 1) % (2 * n) + 1
            j = j if j <= n else 2 * n + 1 - j
            weight = c * _matlab_cubic(c * (u - i))
            total, weights = total + weight * signal[j - 1], weights + weight
        out.append(total / weights)
    return np.array(out)


def _line(resampler, signal):
    return resampler(torch.from_numpy(signal)[None, None, None], -1)[0, 0, 0].numpy()


def _imresize(image, scale):
    h, w = image.shape[-2:]
    rows = Resampler(h, resampled_length(h, scale), scale)
    columns = Resampler(w, resampled_length(w, scale), scale)
    return columns(rows(image, -2), -1)


@pytest.mark.parametrize("scale", [0.25, 1 / 3, 0.7, 1.0, 1.5, 2.0, 4.0])
@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("boundary", ["reflect", "replicate"])
def test_bicubic_is_the_documented_rule_of_imresize(scale, n, boundary):
    signal = np.random.default_rng(0).random(n)
    ours = _line(Resampler(n, resampled_length(n, scale), scale, boundary=boundary), signal)
    np.testing.assert_allclose(ours, _imresize_by_hand(signal, scale, boundary == "replicate"), rtol=1e-13)


@pytest.mark.parametrize(("name", "scale"), [("butterfly_GT_x3", 3), ("woman_GT_x4", 4)])
def test_the_arrays_written_by_matlab_are_met_to_the_last_bits(data_dir, name, scale):
    with np.load(data_dir / "test" / "Set5-LR-matlab" / f"{name}.npz") as arrays:
        for source, target, c in (
            ("im_gt_y", "im_l_y", 1 / scale),
            ("im_l_y", "im_b_y", scale),
            ("im_gt", "im_l", 1 / scale),
        ):
            if source in arrays and target in arrays:
                x, expected = (
                    torch.from_numpy(np.atleast_3d(arrays[k]).astype(float)).movedim(-1, 0)[None]
                    for k in (source, target)
                )
                # 2.0e-13 of 255 here; another BLAS may sum in another order.
                assert float((_imresize(x, c) - expected).abs().max()) <= 3e-13


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_images_of_old_matlab_are_met_exactly(data_dir, scale):
    """Replicated ends, rows first, rounded to 8 bits after each pass."""
    folder = data_dir / "test"
    for path in sorted((folder / "Set5-LR-matlab" / f"x{scale}").glob("*.png"))[:2]:
        x = np.array(Image.open(folder / "Set5" / f"{path.stem}_GT.png").convert("RGB")).astype(float)
        x = x[: len(x) // scale * scale, : x.shape[1] // scale * scale]
        image = torch.from_numpy(x).movedim(-1, 0)[None]
        for dim in (-2, -1):
            n = image.shape[dim]
            image = Resampler(n, n // scale, 1 / scale, boundary="replicate")(image, dim)
            image = (image + 0.5).floor().clamp(0, 255)
        expected = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).movedim(-1, 0)[None]
        assert torch.equal(image.byte(), expected)


def test_area_and_box_are_means_of_blocks_for_integers():
    signal = np.random.default_rng(0).random(147)
    expected = signal.reshape(3, 49).mean(1)  # 49 · (1/49) < 1 in binary
    for kernel in ("area", "box"):
        np.testing.assert_allclose(_line(Resampler(147, 3, 1 / 49, kernel), signal), expected, rtol=1e-14)


def test_area_weighs_by_the_part_of_a_pixel_it_covers():
    expected = np.array([[1, 0.5, 0, 0, 0], [0, 0.5, 1, 0, 0], [0, 0, 0, 1, 0.5], [0, 0, 0, 0, 1.5]])[:3] / 1.5
    np.testing.assert_allclose(Resampler(5, 3, 2 / 3, "area").matrix().numpy(), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("scale", "picked"), [(0.5, [1, 3, 5]), (1 / 3, [1, 4]), (2.0, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])]
)
def test_nearest_picks_the_sample_that_matlab_picks(scale, picked):
    """imresize(0:5, scale, 'nearest')."""
    np.testing.assert_array_equal(_line(Resampler(6, len(picked), scale, "nearest"), np.arange(6.0)), picked)


def test_bilinear_without_antialiasing_interpolates_between_neighbours():
    ours = _line(Resampler(8, 3, 3 / 8, "bilinear", antialias=False), np.arange(8.0))
    np.testing.assert_allclose(ours, (np.arange(3) + 0.5) * 8 / 3 - 0.5, rtol=1e-14)


@pytest.mark.parametrize(("kernel", "lobes"), [("lanczos2", 2), ("lanczos3", 3)])
def test_lanczos_weights_are_windowed_sincs(kernel, lobes):
    matrix = Resampler(20, 40, 2.0, kernel).matrix().numpy()
    t = (20 + 0.5) / 2 - 0.5 - np.arange(20)
    weight = np.where(abs(t) < lobes, np.sinc(t) * np.sinc(t / lobes), 0)
    np.testing.assert_allclose(matrix[20], weight / weight.sum(), atol=1e-15)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 90),
    scale=st.floats(0.05, 8),
    kernel=st.sampled_from(["bicubic", "bilinear", "box", "area", "nearest", "lanczos2", "lanczos3"]),
    antialias=st.booleans(),
    boundary=st.sampled_from(["reflect", "replicate"]),
)
def test_blocks_apply_the_matrix_and_its_transpose_whose_rows_sum_to_one(n, scale, kernel, antialias, boundary):
    resampler = Resampler(n, resampled_length(n, scale), scale, kernel, antialias, boundary)
    M = resampler.matrix()
    assert bool(torch.isfinite(M).all())
    torch.testing.assert_close(M.sum(1), torch.ones(len(M), dtype=torch.float64), rtol=1e-13, atol=0)
    eye_in, eye_out = (torch.eye(k, dtype=torch.float64)[None, None] for k in (n, len(M)))
    torch.testing.assert_close(resampler(eye_in, -2)[0, 0], M, rtol=0, atol=1e-15)
    torch.testing.assert_close(resampler(eye_in, -1)[0, 0], M.T, rtol=0, atol=1e-15)
    torch.testing.assert_close(resampler.adjoint(eye_out, -2)[0, 0], M.T, rtol=0, atol=1e-15)
    torch.testing.assert_close(resampler.adjoint(eye_out, -1)[0, 0], M, rtol=0, atol=1e-15)


def test_what_was_prepared_under_inference_also_serves_gradients():
    resampler = Resampler(11, 7, 7 / 11)
    x = torch.rand(1, 1, 3, 11, dtype=torch.float64)
    with torch.inference_mode():
        resampler(x, -1)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(resampler(x, -1).square().sum(), x)
    expected = 2 * resampler.adjoint(resampler(x, -1), -1)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize(
    ("n", "scale", "expected"), [(99, 1 / 3, 33), (30, 0.1, 3), (10, 1 / 3, 4), (1, 0.1, 1), (5, 1.5, 8)]
)
def test_lengths_are_rounded_up_but_not_by_a_rounding_error(n, scale, expected):
    assert resampled_length(n, scale) == expected


def test_wrong_arguments_are_refused_in_a_sentence():
    with pytest.raises(InvalidParameter, match="scale = 0"):
        Resampler(4, 4, 0.0)
    with pytest.raises(InvalidParameter, match="n_out = 0"):
        Resampler(4, 0, 0.5)
    with pytest.raises(InvalidInput, match="4 samples"):
        Resampler(4, 2, 0.5)(torch.zeros(1, 1, 5, 5), -1)
    with pytest.raises(InvalidParameter, match="dim = 1"):
        Resampler(4, 2, 0.5)(torch.zeros(1, 4, 5, 5), 1)
    with pytest.raises((UnknownName, Exception), match="cubik"):
        Resampler(4, 4, 1.0, "cubik")
