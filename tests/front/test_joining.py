"""All that a result holds goes the way of x: through colour, whitening, padding and tiles."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from restora.core.method import Method
from restora.core.problem import Problem
from restora.core.result import Code, Result, Status
from restora.core.spec import Spec
from restora.front.restore import restore
from restora.noise.camera import CameraNoise
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity


def noisy(x, sigma=20 / 255):
    return Problem.simulate(x, Identity(), Gaussian(sigma), 0)


def test_parts_come_back_from_the_domain_of_white_noise(camera):
    noise = CameraNoise(0.03, 1e-4)
    result = restore(Problem(noise.sample(camera, torch.Generator().manual_seed(0)), Identity(), noise), "bm3d")
    assert abs(float(result.parts["basic"].mean() - result.x.mean())) < 0.01


def test_parts_are_put_together_from_all_tiles(camera):
    problem = noisy(camera)
    whole, tiled = (restore(problem, "bm3d", tile=tile).parts["basic"] for tile in (None, 64))
    assert tiled.shape == problem.y.shape
    assert float((tiled - whole).square().mean()) < 1e-4  # BM3D looks at the whole image, so tiles are near it


def test_parts_are_cropped_after_padding(camera):
    result = restore(noisy(camera[..., :8, :8]), "bm3d")
    assert result.parts["basic"].shape == result.x.shape == (1, 1, 8, 8)


def test_parts_have_the_channels_of_x(cat):
    small = cat[..., :32, :40]
    result = restore(noisy(small), "bm3d")
    assert result.parts["basic"].shape == small.shape


@pytest.mark.parametrize("where", ["tile", "channel"])
def test_a_piece_that_did_not_converge_is_not_hidden(where, camera, cat):
    x = camera[..., :128, :128].clone() if where == "tile" else cat[..., :64, :64].clone()
    x[..., :64, :64] = 0.5  # the first tile is flat: there TV converges at once
    if where == "channel":
        x[:, 1:] = cat[:, 1:, :64, :64]
    pieces = []
    for y in x.split(64, dim=-1) if where == "tile" else x.split(1, dim=1):
        flat = bool((y[..., :64, :64] == 0.5).all())
        status = Status(Code.CONVERGED, "converged") if flat else Status(Code.ITERATION_LIMIT, "stopped at 3 steps")
        pieces.append(Result(y, status, stats=({"steps": 1.0 if flat else 3.0},)))
    joined = Result.joined(pieces, lambda images: torch.cat(tuple(images), dim=-1 if where == "tile" else 1))
    assert torch.equal(joined.x, x)
    assert joined.status.code is Code.ITERATION_LIMIT
    assert f"of {len(pieces)} pieces" in joined.status.sentence
    assert [row["piece"] for row in joined.stats] == list(range(1, len(pieces) + 1))
    assert max(row["steps"] for row in joined.stats) == 3


@dataclass(frozen=True, slots=True)
class ConvergesOnFlat(Method):
    """A method that comes to its end where the image is flat, and elsewhere does not."""

    spec: ClassVar[Spec] = Spec(
        name="toy", tasks=("denoise",), solves=(Identity,), colour="per-channel", paper="none", halo=lambda method: 0
    )

    def solve(self, problem, context):
        flat = bool(problem.y.std() < 1e-3)
        steps = {"steps": 1.0 if flat else 3.0}
        return Result(problem.y, Status(Code.CONVERGED if flat else Code.ITERATION_LIMIT, "ended"), stats=(steps,))


def test_the_worst_tile_and_channel_speak_for_the_whole(cat):
    x = cat[..., :64, :128].clone()
    x[..., :90] = 0.5
    x[:, 1] = 0.5
    problem = Problem(x, Identity(), Gaussian(0.1))
    first = restore(problem.with_y(x[..., :80]), ConvergesOnFlat())
    result = restore(problem, ConvergesOnFlat(), tile=64)
    assert first.status.code is Code.CONVERGED
    assert result.status.code is Code.ITERATION_LIMIT
    assert "(in 2 of 3 pieces) (in 1 of 2 pieces)" in result.status.sentence
    assert [row["piece"] for row in result.stats] == [1, 2, 3, 4, 5, 6]


def test_samples_are_joined_and_mapped_like_x():
    pieces = [Result(torch.full((1, 1, 2, 2), v), samples=torch.full((3, 1, 1, 2, 2), v)) for v in (1.0, 2.0)]
    joined = Result.joined(pieces, lambda images: torch.cat(tuple(images), dim=1)).mapped(lambda image: 2 * image)
    assert joined.samples is not None
    assert joined.samples.shape == (3, 1, 2, 2, 2)
    assert torch.equal(joined.samples[0], joined.x)


def test_kernels_of_pieces_are_averaged():
    kernels = torch.tensor([[0.2, 0.8]]), torch.tensor([[0.4, 0.6]])
    joined = Result.joined([Result(torch.zeros(1, 1, 1, 1), kernel=k) for k in kernels], lambda images: images[0])
    assert joined.kernel is not None
    assert torch.allclose(joined.kernel, torch.tensor([[0.3, 0.7]]))
