"""What every measurement operator promises, checked against the dense matrix of each on a small image."""

from dataclasses import dataclass

import pytest
import torch

from restora.core.errors import CannotSolve, InvalidInput, InvalidParameter
from restora.core.operator import Operator, Size
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate, Decimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic
from restora.operators.psf import disk_psf, gaussian_psf
from restora.operators.spatially_varying_blur import SpatiallyVaryingBlur
from restora.operators.unknown import UnknownBlur


@dataclass(frozen=True)
class Case:
    name: str
    H: Operator
    size: Size
    channels: int = 1
    exact_prox: bool = True
    guess_error: float = 0.3
    """Of the first guess at a ramp, relative to the ramp."""
    norm_factor: float = 1.0
    """How far the bound may be above the norm."""


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _random_psf(kh: int, kw: int) -> torch.Tensor:
    psf = torch.rand(kh, kw, generator=_rng(kh * 100 + kw), dtype=torch.float64)
    return psf / psf.sum()


def _grid() -> torch.Tensor:
    return torch.stack(
        [torch.stack([_random_psf(3, 5), _random_psf(3, 5).flip(1)]), _random_psf(3, 5).flip(0).expand(2, 3, 5)]
    )


def _known(*shape: int) -> torch.Tensor:
    return (torch.rand(shape, generator=_rng()) < 0.4).float()


RADII = torch.linspace(0, 1.4, 7 * 6, dtype=torch.float64).reshape(7, 6)
ITERATIVE = {"exact_prox": False, "norm_factor": 1.1}
LOOSE = {"exact_prox": False, "norm_factor": 1.4}
"""Bounds that are near the norm for images much larger than the PSF only, and products of bounds."""
EXACT_NORM = {"exact_prox": False}
_TWO_BLURS = Blur(_random_psf(3, 5), "valid") @ Blur(_random_psf(2, 3), "replicate")
CASES = [
    Case("identity", Identity(), (5, 7), 2),
    Case("circular", Blur(_random_psf(3, 5)), (8, 7)),
    Case("circular-even", Blur(_random_psf(4, 2)), (7, 6), 2),
    Case("circular-psf-larger-than-image", Blur(_random_psf(9, 5)), (4, 3)),
    Case("reflect", Blur(_random_psf(3, 5), "reflect"), (8, 7), **ITERATIVE),
    Case("reflect-even", Blur(_random_psf(4, 6), "reflect"), (8, 7), **ITERATIVE),
    Case("reflect-symmetric-psf", Blur(gaussian_psf(1.0, 7), "reflect"), (8, 7)),
    Case("reflect-symmetric-negative-lobes", Blur(2 * gaussian_psf(0.3, 5) - gaussian_psf(1.0, 5), "reflect"), (5, 6)),
    Case("reflect-symmetric-psf-larger-than-image", Blur(disk_psf(4.3), "reflect"), (3, 4)),
    Case("reflect-psf-larger-than-image", Blur(_random_psf(11, 9), "reflect"), (3, 4), **ITERATIVE),
    Case("replicate", Blur(_random_psf(3, 5), "replicate"), (8, 7), **ITERATIVE),
    Case("replicate-even", Blur(_random_psf(4, 6), "replicate"), (1, 7), **ITERATIVE),
    Case("replicate-psf-larger-than-image", Blur(_random_psf(11, 9), "replicate"), (3, 4), **ITERATIVE),
    Case("valid", Blur(_random_psf(3, 5), "valid"), (8, 9), **LOOSE),
    Case("valid-even", Blur(_random_psf(4, 2), "valid"), (8, 7), 2, **LOOSE),
    Case("filter-flow-reflect", SpatiallyVaryingBlur.on_grid(_grid(), (6, 8)), (6, 8), **ITERATIVE),
    Case("filter-flow-replicate", SpatiallyVaryingBlur.on_grid(_grid(), (7, 8), "replicate"), (7, 8), **ITERATIVE),
    Case("filter-flow-tiny", SpatiallyVaryingBlur.on_grid(_grid(), (2, 2)), (2, 2), guess_error=0.35, **ITERATIVE),
    Case("defocus", SpatiallyVaryingBlur.from_defocus(RADII), (7, 6), **ITERATIVE),
    Case("downsample-2", Downsample(2), (8, 12), 2),
    Case("downsample-3-odd-size", Downsample(3, size=(10, 11)), (10, 11)),
    Case("downsample-non-integer", Downsample(1.7, "lanczos3", size=(9, 8)), (9, 8)),
    Case("downsample-area-non-integer", Downsample(2.5, "area"), (10, 10)),
    Case("downsample-replicate-to-one-pixel", Downsample(4, "bilinear", (4, 1), "replicate"), (4, 1)),
    Case("decimate", Decimate(3), (6, 9)),
    Case("blur-decimate", BlurDecimate(_random_psf(5, 3), 2), (8, 6), 2),
    Case("blur-decimate-even-psf", BlurDecimate(_random_psf(4, 4), 3), (9, 6)),
    Case("mask", Mask(_known(6, 7)), (6, 7), 2),
    Case("mask-a-channel", Mask(_known(3, 6, 7)), (6, 7), 3),
    *(Case(f"mosaic-{pattern}", Mosaic(pattern), (6, 7), 3) for pattern in ("RGGB", "BGGR", "GRBG", "GBRG")),
    Case("composition-mask-blur", Mask(_known(6, 7)) @ Blur(_random_psf(3, 3), "reflect"), (6, 7), **LOOSE),
    Case("composition-downsample-blur", Downsample(2) @ Blur(_random_psf(3, 3), "valid"), (8, 10), **LOOSE),
    Case("composition-of-reductions", Decimate(2) @ Decimate(3), (12, 18), **EXACT_NORM),
    Case("composition-downsample-mask", Downsample(2, size=(8, 11)) @ Mask(_known(8, 11)), (8, 11), **LOOSE),
    Case("composition-downsample-replicate", Downsample(2) @ Blur(_random_psf(3, 3), "replicate"), (16, 20), **LOOSE),
    Case("composition-mosaic-blur", Mosaic("GRBG") @ Blur(_random_psf(3, 3), "replicate"), (6, 7), 3, **LOOSE),
    Case("composition-valid-replicate", _TWO_BLURS, (9, 11), exact_prox=False, norm_factor=1.6),
    Case("sum", Mask(_known(6, 7)) + 0.5 * Blur(_random_psf(3, 3), "replicate"), (6, 7), **LOOSE),
    Case(
        "difference",
        Identity() - Blur(gaussian_psf(0.5, 3), "replicate"),
        (6, 7),
        2,
        exact_prox=False,
        norm_factor=3.2,
        guess_error=1.0,
    ),
    Case("multiple-of-a-mask", -2.0 * Mask(_known(6, 7)), (6, 7), 2),
    Case("multiple-of-a-circular-blur", Blur(_random_psf(3, 5)) * 0.3, (8, 7)),
    Case("adjoint-of-mosaic", Mosaic("RGGB").T, (6, 7), 1, **EXACT_NORM),
    Case("adjoint-of-downsample", Downsample(2).T, (4, 5), **EXACT_NORM),
    Case("adjoint-of-valid", Blur(_random_psf(3, 5), "valid").T, (6, 5), **LOOSE),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Images of a few pixels are done before a second thread wakes up."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def _images(case: Case, batch: int = 2, seed: int = 1) -> torch.Tensor:
    return torch.randn(batch, case.channels, *case.size, generator=_rng(seed), dtype=torch.float64)


def _dense(apply, shape: torch.Size) -> torch.Tensor:
    """The matrix of a linear map on images of that shape (c, h, w): its columns are the images of the unit images."""
    n = shape.numel()
    return apply(torch.eye(n, dtype=torch.float64).reshape(n, *shape)).flatten(1).T


def _matrix(case: Case) -> torch.Tensor:
    return _dense(case.H, torch.Size((case.channels, *case.size)))


def _relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / b.norm().clamp_min(1e-300))


@every
def test_the_adjoint_moves_across_the_inner_product(case):
    x = _images(case)
    Hx = case.H(x)
    y = torch.randn(Hx.shape, generator=_rng(2), dtype=torch.float64)
    scale = float(Hx.norm() * y.norm() + x.norm() * case.H.adjoint(y).norm())
    assert abs(float((Hx * y).sum() - (x * case.H.adjoint(y)).sum())) <= 1e-13 * scale


@every
def test_the_adjoint_is_the_transposed_matrix(case):
    M = _matrix(case)
    shape = case.H(_images(case, 1)).shape[1:]
    assert _relative(_dense(case.H.adjoint, shape), M.T) <= 1e-13


@every
def test_autograd_finds_the_same_adjoint(case):
    x = _images(case).requires_grad_()
    Hx = case.H(x)
    y = torch.randn(Hx.shape, generator=_rng(2), dtype=torch.float64)
    (gradient,) = torch.autograd.grad(Hx, x, y)
    assert _relative(case.H.adjoint(y), gradient) <= 1e-13


@every
@pytest.mark.parametrize("rho", [0.1, 3.0])
def test_prox_solves_the_dense_problem(case, rho):
    M = _matrix(case)
    z = _images(case, seed=4)
    y = torch.randn(case.H(z).shape, generator=_rng(5), dtype=torch.float64)
    normal = M.T @ M + rho * torch.eye(M.shape[1], dtype=torch.float64)
    expected = torch.linalg.solve(normal, M.T @ y.flatten(1).T + rho * z.flatten(1).T).T.reshape(z.shape)
    # Conjugate gradients stop at a residual of 1e-6; the error is at most that times the condition number.
    tolerance = 1e-12 if case.exact_prox else 1e-6 * float(torch.linalg.cond(normal))
    assert _relative(case.H.prox(z, y, rho), expected) <= tolerance


@every
def test_only_a_prox_with_a_closed_form_is_called_exact(case):
    assert case.exact_prox or not case.H.exact_prox  # that exact ones are exact: the test above


@every
def test_a_sampling_operator_keeps_pixels_or_drops_them(case):
    M = _matrix(case)
    square = M.shape[0] == M.shape[1]
    assert case.H.is_sampling <= (square and torch.equal(M, torch.diag(M.diag())) and bool(((M == 0) | (M == 1)).all()))
    assert case.H.is_known


@every
def test_the_first_guess_is_nearer_to_the_scene_than_nothing(case):
    """The scene is a ramp from 0.3 to 0.7 along both axes."""
    (h, w), size = case.size, (1, case.channels, *case.size)
    x = (0.3 + 0.2 * torch.linspace(0, 1, h)[:, None] + 0.2 * torch.linspace(0, 1, w)).double().expand(size)
    guess = case.H.first_guess(case.H(x))
    assert guess.shape == x.shape
    assert guess.dtype == x.dtype
    assert bool(torch.isfinite(guess).all())
    assert float((guess - x).norm()) < case.guess_error * float(x.norm())


@every
def test_the_norm_bound_is_not_below_the_norm_and_near_it(case):
    expected = float(torch.linalg.matrix_norm(_matrix(case), 2))
    bound = case.H.norm_bound(case.size, case.channels)
    assert expected * (1 - 1e-12) <= bound <= expected * case.norm_factor * (1 + 1e-12)


@every
def test_transposing_twice_gives_the_operator_back(case):
    x = _images(case)
    assert torch.equal(case.H.T.T(x), case.H(x))
    y = case.H(x)
    assert torch.equal(case.H.T(y), case.H.adjoint(y))
    assert torch.equal(case.H.T.adjoint(x), y)


@every
def test_composition_is_the_product_of_the_matrices(case):
    outer = Blur(_random_psf(3, 3), "replicate")
    M = _matrix(case)
    shape = case.H(_images(case, 1)).shape[1:]
    product = outer @ case.H
    assert _relative(_dense(product, torch.Size((case.channels, *case.size))), _dense(outer, shape) @ M) <= 1e-13
    assert product.input_size(shape[1:]) == case.size


@every
def test_sizes_and_channels_are_those_of_the_images(case):
    y = case.H(_images(case))
    assert case.H.output_size(case.size) == tuple(y.shape[-2:])
    assert case.H.input_size(tuple(y.shape[-2:])) == case.size
    assert case.H.input_channels(y.shape[1]) == case.channels
    assert case.H.output_channels(case.channels) == y.shape[1]
    assert case.H.T.input_channels(case.channels) == y.shape[1]
    assert case.H.T.output_size(tuple(y.shape[-2:])) == case.size
    assert case.H.adjoint(y).shape == (2, case.channels, *case.size)


@every
def test_precision_is_kept_and_single_agrees_with_double(case):
    z, rho = _images(case, seed=4), 0.5
    y = case.H(_images(case))
    for double, single in (
        (case.H(z), case.H(z.float())),
        (case.H.adjoint(y), case.H.adjoint(y.float())),
        (case.H.prox(z, y, rho), case.H.prox(z.float(), y.float(), rho)),
    ):
        assert double.dtype == torch.float64
        assert single.dtype == torch.float32
        assert _relative(single.double(), double) <= 1e-5


@every
def test_nothing_is_changed_in_place_and_a_batch_is_a_loop(case):
    x, z = _images(case), _images(case, seed=4)
    y = case.H(x)
    kept = x.clone(), y.clone(), z.clone()
    restored = case.H.prox(z, y, 0.7)
    back = case.H.adjoint(y)
    assert all(torch.equal(a, b) for a, b in zip((x, y, z), kept))
    assert _relative(torch.cat([case.H(image[None]) for image in x]), y) <= 1e-14
    assert _relative(torch.cat([case.H.adjoint(image[None]) for image in y]), back) <= 1e-14
    if case.exact_prox:
        loop = torch.cat([case.H.prox(z[i : i + 1], y[i : i + 1], 0.7) for i in range(len(x))])
        assert _relative(loop, restored) <= 1e-14


@every
def test_channels_are_those_of_the_operators_of_each_channel(case):
    x = _images(case)
    if "mosaic" in case.name:
        with pytest.raises(CannotSolve, match="channels"):
            case.H.channel(0)
        return
    alone = torch.cat([case.H.channel(c)(x[:, c : c + 1]) for c in range(case.channels)], 1)
    assert _relative(alone, case.H(x)) <= 1e-14


@every
def test_a_window_agrees_with_the_whole_beyond_its_reach(case):
    y = case.H(_images(case))
    rows, columns = y.shape[-2:]
    if case.H.reach is None:
        with pytest.raises(CannotSolve, match="tiles"):
            case.H.window(0, 0, rows, columns)
        return
    x = torch.arange(float(torch.Size((1, case.channels, *case.size)).numel()), dtype=torch.float64).sin()
    x = x.reshape(1, case.channels, *case.size)
    whole, stride = case.H(x), case.H.stride
    for top, left in ((0, 0), (rows // 3, columns // 4), (1 % rows, 1 % columns)):
        height, width = rows - top - rows // 4, columns - left
        tile = case.H.window(top, left, height, width)
        h, w = tile.input_size((height, width))
        part = tile(x[..., stride * top : stride * top + h, stride * left : stride * left + w])
        first = [case.H.reach if start else 0 for start in (top, left)]
        last = [
            n - (case.H.reach if start + n < total else 0)
            for start, n, total in ((top, height, rows), (left, width, columns))
        ]
        inner = part[..., first[0] : last[0], first[1] : last[1]]
        expected = whole[..., top + first[0] : top + last[0], left + first[1] : left + last[1]]
        assert inner.shape == expected.shape
        torch.testing.assert_close(inner, expected, rtol=1e-12, atol=1e-13)


@every
def test_sums_and_multiples_are_those_of_the_matrices(case):
    M, shape = _matrix(case), torch.Size((case.channels, *case.size))
    for made, expected in (
        (case.H + case.H, 2 * M),
        (case.H - 0.25 * case.H, 0.75 * M),
        (case.H * -3.0, -3 * M),
        (-case.H, -M),
    ):
        assert _relative(_dense(made, shape), expected) <= 1e-13
        assert _relative(_dense(made.adjoint, case.H(_images(case, 1)).shape[1:]), expected.T) <= 1e-13


def test_what_cannot_be_added_is_refused():
    x = torch.zeros(1, 3, 4, 4)
    with pytest.raises(InvalidInput, match="sum must agree"):
        (Identity() + Mosaic())(x)
    with pytest.raises(InvalidInput, match="sum must agree"):
        (Identity() + Decimate(2)).output_size((4, 4))
    with pytest.raises(InvalidParameter, match="factor"):
        _ = 0.0 * Identity()


def test_what_holds_an_unknown_blur_is_not_known():
    H = UnknownBlur(3)
    assert not any(
        A.is_known for A in (H, H.T, Identity() @ H, H @ Identity(), Identity() + H, H + Identity(), 2.0 * H)
    )


def test_a_blur_that_is_changed_leaves_no_trace_in_another():
    """Transfer functions are kept by the values of the PSF, its precision and the size."""
    x, a, b = torch.rand(1, 1, 9, 8, generator=_rng(), dtype=torch.float64), _random_psf(3, 5), _random_psf(5, 3)
    for psf, image in ((a, x), (b, x), (a, x[..., :7]), (a, x.float()), (a, x)):
        K = torch.fft.fft2(torch.zeros(image.shape[-2:], dtype=torch.float64).index_put_(_places(psf, image), psf))
        expected = torch.fft.ifft2(torch.fft.fft2(image.double()) * K).real
        assert _relative(Blur(psf)(image).double(), expected) <= (1e-13 if image.dtype == torch.float64 else 1e-6)


def _places(psf, image):
    """Where the values of the PSF stand when its centre is at the first pixel of a torus."""
    rows, columns = ((torch.arange(k) - k // 2).remainder(n) for k, n in zip(psf.shape, image.shape[-2:]))
    return rows[:, None].expand(psf.shape), columns[None].expand(psf.shape)


def test_an_unknown_blur_refuses_to_be_applied():
    H, x = UnknownBlur(15), torch.zeros(1, 1, 8, 8)
    for use in (H, H.adjoint, H.T, lambda x: H.prox(x, x, 1.0)):
        with pytest.raises(CannotSolve, match="unknown"):
            use(x)
    assert H.input_size((8, 9)) == H.output_size((8, 9)) == (8, 9)


@pytest.mark.parametrize(
    "H",
    [
        Mask(torch.ones(4, 5)),
        Downsample(2, size=(4, 5)),
        Decimate(3),
        BlurDecimate(_random_psf(3, 3), 3),
        Blur(_random_psf(9, 9), "valid"),
        SpatiallyVaryingBlur.on_grid(_grid(), (4, 5)),
    ],
    ids=lambda H: type(H).__name__,
)
def test_an_image_of_another_size_is_refused_in_a_sentence(H):
    with pytest.raises(InvalidInput, match=r"\(\d+, \d+\)"):
        H(torch.zeros(1, 1, 7, 8))
