"""The front door: one call that restores any problem with any method.

Here, once and for all methods, happen: the refusal of what a method cannot solve, the estimation of what is unknown,
the choice of a method, its parameters, colour, device, tiles, padding, and the check of what comes out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from restora import catalog
from restora.core.errors import CannotSolve, InvalidInput, RestoraError
from restora.core.method import Method
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Result, Status
from restora.core.spec import Spec
from restora.front.choose import choose
from restora.front.colour import in_colour
from restora.front.configure import configure
from restora.front.diagnose import with_blur, with_noise
from restora.front.stabilise import stabilised
from restora.front.tiling import in_tiles
from restora.numerics.anscombe import Anscombe
from restora.operators.boundaries import extend
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity

WHOLE_UP_TO = 1536 * 1536
"""Measurements of more pixels than this are restored in tiles, where the method allows it."""

TILE = 1024
"""Side of a tile unless another is asked for."""

GLOBAL_HALO = 64
"""Halo where tiles are asked for though the method looks at the whole image: an approximation, and said to be one."""


def restore(
    problem: Problem,
    method: str | Method = "auto",
    *,
    parameters: Mapping[str, object] | None = None,
    device: torch.device | str | None = None,
    tile: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Result:
    """Restore x from y = Hx + n.

    Args:
        problem: the measurement, its operator and its noise; unknown noise and unknown blur are estimated first.
        method: a name of the catalog, a configured method, or ``"auto"``.
        parameters: fields of the method that differ from what its paper gives for such a problem.
        device: where to compute; None is where y lies. The result comes back to where y lies.
        tile: side of the tiles; None tiles large measurements where the method allows it. Tiles of a method that
            looks at the whole image are an approximation, and the status says so.
        seed: of all randomness.
        progress: called as the work goes on.

    Returns:
        The result; its status tells which method was run and why.

    Raises:
        InvalidInput: y holds NaN or infinity, or something unknown cannot be estimated.
        CannotSolve: the method does not solve this H, or not at this size.
        UnknownName: there is no such method or parameter.
        InvalidParameter: a parameter out of its range.
    """
    _require_finite(problem.y)
    ready = _prepared(problem, method, parameters or {})
    problem, spec = ready.problem, ready.spec
    _require_solvable(problem, spec)
    halo, side = _tiles(problem, ready.method, spec, tile)
    home, place = problem.y.device, torch.device(device) if device is not None else problem.y.device
    seeds = torch.Generator(device=place).manual_seed(seed)
    results: list[Result] = []

    def run(part: Problem, report: Progress) -> Tensor:
        result = _run_one(ready.method, spec, part.to(place), seeds, report)
        results.append(replace(result, x=result.x.new_empty(0, 0, 0, 0)))
        return result.x.to(home)

    report = progress or silent
    if side is None:
        x = run(problem, report)
    else:
        grid = spec.multiple_of
        x = in_tiles(problem, lambda part: run(part, silent), tile=side, halo=halo, grid=grid, progress=report)
    if ready.transform is not None:
        x = ready.transform.inverse(x)
    return _with_story(results[0], x, [*ready.story, *_tile_story(ready.method, spec, side)])


@dataclass(frozen=True, eq=False, slots=True)
class _Ready:
    """A problem whose unknowns are estimated and whose noise is white where it can be, and the method for it."""

    problem: Problem
    transform: Anscombe | None
    method: Method
    spec: Spec
    story: tuple[str, ...]


def _prepared(problem: Problem, method: str | Method, parameters: Mapping[str, object]) -> _Ready:
    """Estimate what is unknown, choose, make the noise white, configure."""
    if parameters and not isinstance(method, str):
        raise InvalidInput("parameters go with the name of a method; a configured method has its own already")
    problem, noise_story = with_noise(problem)
    name: str | Method = method
    why = "as asked"
    blur_story: tuple[str, ...] = ()
    if method == "auto":
        problem, blur_story = with_blur(problem)
        choice = choose(problem)
        name, why = choice.method, f"chosen because {choice.reason}"
    elif not _spec_of(method).blind:
        problem, blur_story = with_blur(problem)
    spec = _spec_of(name)
    problem, transform = stabilised(problem, spec)
    configured = configure(catalog.find(name).load(), problem, parameters) if isinstance(name, str) else name
    whitened = () if transform is None else ("its noise made white by the Anscombe transform",)
    return _Ready(problem, transform, configured, spec, (*noise_story, *blur_story, f"{spec.name}, {why}", *whitened))


def _spec_of(method: str | Method) -> Spec:
    """What the method declares about itself."""
    if isinstance(method, str):
        return catalog.find(method).spec()
    for entry in catalog.entries():
        if isinstance(method, entry.load()):
            return entry.spec()
    raise InvalidInput(f"{type(method).__name__} is not in the catalog: call its run(problem) directly")


def _require_finite(y: Tensor) -> None:
    if not bool(torch.isfinite(y).all()):
        bad = int((~torch.isfinite(y)).sum())
        raise InvalidInput(f"the measurement holds {bad} values that are NaN or infinite: mask or replace them first")


def _require_solvable(problem: Problem, spec: Spec) -> None:
    if not isinstance(problem.H, spec.solves):
        solvable = "any operator" if Operator in spec.solves else ", ".join(H.__name__ for H in spec.solves)
        raise CannotSolve(
            f"{spec.name} solves {solvable}, not {type(problem.H).__name__}; "
            f"`restora methods` lists what solves which task"
        )


def _tiles(problem: Problem, method: Method, spec: Spec, tile: int | None) -> tuple[int, int | None]:
    """(halo, side of the tiles), the side None where the measurement is to be restored whole."""
    height, width = problem.y.shape[-2:]
    halo = spec.halo(method) if spec.halo is not None else None
    if tile is None and (halo is None or height * width <= WHOLE_UP_TO or problem.H.reach is None):
        return 0, None
    side = tile or TILE
    if side < 1:
        raise InvalidInput(f"a tile of {side} pixels is not allowed: give at least 1")
    side = math.ceil(side / spec.multiple_of) * spec.multiple_of
    if side >= max(height, width):
        return 0, None
    own = GLOBAL_HALO if halo is None else halo
    return own + (problem.H.reach or 0), side


def _tile_story(method: Method, spec: Spec, tile: int | None) -> list[str]:
    if tile is None:
        return []
    is_local = spec.halo is not None and spec.halo(method) is not None
    exact = "" if is_local else ", an approximation: this method looks at the whole image"
    return [f"in tiles of {tile} pixels{exact}"]


def _run_one(method: Method, spec: Spec, problem: Problem, generator: torch.Generator, progress: Progress) -> Result:
    """One window: padded as the method needs, adapted in colour, run, checked, cropped."""

    def run(part: Problem) -> Result:
        return method.run(part, generator=generator, progress=progress)

    padded, size = _padded(problem, spec)
    result = in_colour(padded, run, spec.colour)
    if not bool(torch.isfinite(result.x).all()) and padded.y.dtype in (torch.float16, torch.bfloat16):
        single = in_colour(padded.with_y(padded.y.float()), run, spec.colour)
        result = replace(single, x=single.x.to(padded.y.dtype))
    if not bool(torch.isfinite(result.x).all()):
        raise RestoraError(f"{spec.name} produced NaN or infinity on this input: its parameters do not suit it")
    return replace(result, x=result.x[..., : size[0], : size[1]])


def _padded(problem: Problem, spec: Spec) -> tuple[Problem, tuple[int, int]]:
    """The problem with y extended by reflection to the smallest size the method takes, and the size of x to keep.

    Only an H that is the same at every size allows it: a mask or a field of kernels is as large as its image.
    """
    height, width = problem.y.shape[-2:]
    extra = (max(spec.min_size - height, 0), max(spec.min_size - width, 0))
    if extra == (0, 0):
        return problem, problem.size
    if not isinstance(problem.H, Identity | Downsample):
        raise CannotSolve(f"{spec.name} takes sides of {spec.min_size} pixels or more, not {width}x{height}")
    return problem.with_y(extend(problem.y, (0, 0), extra, "reflect")), problem.size


def _with_story(result: Result, x: Float[Tensor, "b c h w"], story: Sequence[str]) -> Result:
    """The result with the whole x, and a status sentence that begins with what was done."""
    sentence = "; ".join([*story, result.status.sentence])
    return replace(result, x=x, status=Status(result.status.code, sentence))
