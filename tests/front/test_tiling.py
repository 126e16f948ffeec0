from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from restora.core.errors import CannotSolve, RestoraError
from restora.core.method import Method
from restora.core.parameters import at_least
from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Spec
from restora.front.plan import Plan
from restora.front.tiling import Box, Tiles, _ramp, cut
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.decimate import Decimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf

SIDE = st.integers(1, 70)


def problem_of(y):
    return Problem(y, Identity(), Gaussian(0.0))


def in_tiles(problem, run, *, tile, halo, blend=8, grid=1):
    """x in tiles, by a function of a window."""
    tiles = Tiles(-(-tile // grid) * grid, halo, grid, blend)
    return tiles.join(problem, (Result(run(window)) for window in tiles.split(problem))).x


@dataclass(frozen=True, eq=False, slots=True)
class ByFunction(Method):
    """The method that a test is about, with a halo."""

    spec: ClassVar[Spec] = Spec(
        name="by-function",
        tasks=("denoise",),
        solves=(Identity,),
        colour="native",
        paper="none",
        halo=lambda method: method.halo,
    )
    function: Callable[[Problem], torch.Tensor]
    halo: Annotated[int, at_least(0)] = 1

    def solve(self, problem, context):
        x = self.function(problem)
        return Result(x, parts={"half": x / 2})


def planned(problem, function, *, tile, halo=1, blend=8, grid=1):
    """What a whole plan gives, which cuts tiles smaller where memory runs out."""
    tiles = None if tile is None else Tiles(tile, halo, grid, blend)
    return Plan(problem, ByFunction(function, halo), tiles=tiles).run()


def box_mean(problem):
    """A method of halo 1 with replicated borders."""
    padded = torch.nn.functional.pad(problem.y, (1, 1, 1, 1), mode="replicate")
    return torch.nn.functional.avg_pool2d(padded, 3, stride=1)


@given(SIDE, SIDE, SIDE)
def test_tiles_cover_the_image_once_and_are_equal(height, width, tile):
    boxes = cut((height, width), tile)
    covered = torch.zeros(height, width)
    for box in boxes:
        covered[box.top : box.top + box.height, box.left : box.left + box.width] += 1
    assert bool((covered == 1).all())
    for sides in ([box.height for box in boxes], [box.width for box in boxes]):
        assert max(sides) <= tile
        assert max(sides) - min(sides) <= 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(4, 40), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_tiled_is_whole_when_the_halo_covers_the_reach(height, width, tile, blend):
    y = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tiled = in_tiles(problem_of(y), box_mean, tile=tile, halo=1, blend=blend)
    assert torch.allclose(tiled, box_mean(problem_of(y)), atol=1e-12)


def block_means(problem):
    """A method on blocks of 4×4: each pixel becomes the mean of its block and the two beside it, borders replicated.

    Sides that are no multiples are padded by zeros, as networks do.
    """
    height, width = problem.y.shape[-2:]
    y = torch.nn.functional.pad(problem.y, (0, -width % 4, 0, -height % 4))
    means = torch.nn.functional.avg_pool2d(y, 4)
    means = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(means, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return torch.nn.functional.interpolate(means, scale_factor=4)[..., :height, :width]


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 40), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_tiled_is_whole_on_a_grid_of_blocks(height, width, tile, blend):
    y = torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tiled = in_tiles(problem_of(y), block_means, tile=tile, halo=7, blend=blend, grid=4)
    assert torch.allclose(tiled, block_means(problem_of(y)), atol=1e-12)


def test_windows_off_the_grid_are_seen():
    y = torch.rand(1, 1, 50, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tiled = in_tiles(problem_of(y), block_means, tile=20, halo=7, blend=3)
    assert not torch.allclose(tiled, block_means(problem_of(y)), atol=1e-3)


@given(SIDE, SIDE, st.integers(1, 9), st.integers(1, 9))
def test_tiles_begin_at_lines_of_the_grid(height, width, steps, grid):
    boxes = cut((height, width), steps * grid, grid)
    covered = torch.zeros(height, width)
    for box in boxes:
        assert (box.top % grid, box.left % grid) == (0, 0)
        assert min(box.height, box.width) > 0
        assert max(box.height, box.width) <= steps * grid
        covered[box.top : box.top + box.height, box.left : box.left + box.width] += 1
    assert bool((covered == 1).all())


def test_too_small_a_halo_is_seen():
    y = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tiled = in_tiles(problem_of(y), box_mean, tile=10, halo=0, blend=0)
    assert not torch.allclose(tiled, box_mean(problem_of(y)), atol=1e-3)


def test_enlargement_keeps_every_pixel_in_its_place():
    y = torch.rand(1, 1, 30, 50, generator=torch.Generator().manual_seed(0))
    problem = Problem(y, Downsample(3.0), Gaussian(0.0))

    def enlarge(part):
        return torch.nn.functional.interpolate(part.y, scale_factor=3, mode="nearest-exact")

    assert torch.allclose(in_tiles(problem, enlarge, tile=16, halo=0, blend=4), enlarge(problem), atol=1e-6)


OUT_OF_MEMORY = (
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
)
"""How a GPU, Torch on a CPU, and Python say it."""


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("tile", [128, None])
def test_out_of_memory_cuts_the_tile_and_keeps_what_was_done(error, tile):
    y = torch.rand(1, 1, 200, 300, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    done, failures = [], []

    def frugal(part):
        if part.y[0, 0].numel() > (80 if done or tile is None else 160) ** 2:
            failures.append(part.y.shape)
            raise error
        done.append(part.y.shape)
        return box_mean(part)

    result = planned(problem_of(y), frugal, tile=tile, blend=2)
    assert torch.allclose(result.x, box_mean(problem_of(y)), atol=1e-12)
    assert torch.allclose(result.parts["half"], result.x / 2, atol=1e-12)
    assert 1 <= len(failures) <= 3


@pytest.mark.parametrize("grid", [4, 64])
def test_smaller_tiles_stay_on_the_grid(grid):
    y = torch.rand(1, 1, 300, 200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    failures = []

    def frugal(part):
        if part.y[0, 0].numel() > (100 * 100 if grid == 4 else 60 * 60):
            failures.append(part.y.shape)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return block_means(part)

    if grid == 4:
        tiled = planned(problem_of(y), frugal, tile=256, halo=7, blend=2, grid=grid).x
        assert torch.allclose(tiled, block_means(problem_of(y)), atol=1e-12)
        assert failures
    else:  # a tile of one step is 64 wide and cannot be cut
        with pytest.raises(RestoraError, match="tiles of 64 pixels"):
            planned(problem_of(y), frugal, tile=256, halo=7, blend=2, grid=grid)


@pytest.mark.parametrize("tile", [64, None])
def test_memory_for_not_even_the_smallest_tile_is_one_sentence(tile):
    def greedy(part):
        raise MemoryError

    with pytest.raises(RestoraError, match="out of memory") as refused:
        planned(problem_of(torch.zeros(1, 1, 100, 100)), greedy, tile=tile)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("error", [ZeroDivisionError(), RuntimeError("shapes do not match")], ids=repr)
def test_other_errors_are_not_swallowed(error):
    def broken(part):
        raise error

    with pytest.raises(type(error)):
        planned(problem_of(torch.zeros(1, 1, 100, 100)), broken, tile=64)


def test_a_scale_that_is_no_integer_is_not_tiled():
    problem = Problem(torch.zeros(1, 1, 64, 64), Downsample(1.5), Gaussian(0.0))
    with pytest.raises(CannotSolve, match="tiles"):
        in_tiles(problem, lambda part: part.y, tile=32, halo=0)


def test_ramps_lie_where_the_image_lies():
    """On a GPU too: a tensor without storage stands for one that is not on the CPU."""
    assert _ramp(10, 20, 4, 60, torch.empty(1, device="meta")).device.type == "meta"


def test_growing_stops_at_the_border():
    assert Box(0, 10, 5, 5).grown(3, (6, 16)) == Box(0, 7, 6, 9)


@pytest.mark.parametrize("stride", [1, 2])
def test_compositions_are_restored_in_tiles_as_whole(stride):
    """Three steps of Landweber's iteration look at six reaches of H around a pixel."""
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(1, 1, 120 * stride, 100 * stride, generator=rng)
    blur = Blur(gaussian_psf(1.0, 5), "replicate")
    known = Mask((torch.rand(120, 100, generator=rng) < 0.7).float())
    H = known @ blur if stride == 1 else known @ Decimate(2) @ blur

    def landweber(part):
        guess = torch.zeros(1, 1, *part.size)
        for _ in range(3):
            guess = guess + part.H.adjoint(part.y - part.H(guess))
        return guess

    problem = Problem(H(x), H, Gaussian(0.0))
    assert H.reach == 2 // stride
    tiled = in_tiles(problem, landweber, tile=32, halo=6 * H.reach, blend=4)
    assert torch.allclose(tiled, landweber(problem), atol=1e-5)
    wrong = in_tiles(problem, landweber, tile=32, halo=0, blend=0)
    assert not torch.allclose(wrong, landweber(problem), atol=1e-2)


def test_what_looks_at_the_whole_image_is_not_tiled():
    H = Mask(torch.ones(64, 64)) @ Blur(gaussian_psf(1.0, 5), "circular")
    with pytest.raises(CannotSolve, match="tiles"):
        in_tiles(Problem(torch.zeros(1, 1, 64, 64), H, Gaussian(0.0)), lambda part: part.y, tile=32, halo=4)
