"""Plan: everything about a restoration that is decided before it begins, and the carrying out of it.

A plan is made once, from the problem and what the user asks for: what is wrong with the measurement, which method and
why, with which parameters, through which adapters, in which tiles, on which device. Every front end reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from restora import catalog
from restora.core.errors import CannotSolve, InvalidInput
from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Result
from restora.core.spec import Spec
from restora.front.adapters import Stabilise, adapters_for, carried_out
from restora.front.choose import choose
from restora.front.configure import configure
from restora.front.examine import NOTHING_SEEN, examined
from restora.front.tiling import Tiles
from restora.front.windows import InTiles, smaller

WHOLE_UP_TO = 1536 * 1536
"""Measurements of more pixels than this are restored in tiles, where the method allows it."""

TILE = 1024
"""Side of a tile unless another is asked for."""

GLOBAL_HALO = 64
"""Halo where tiles are asked for though the method looks at the whole image: an approximation, and said to be one."""


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """What will be done.

    Attributes:
        problem: the problem, its unknowns estimated.
        method: the configured method; None where nothing is to be done.
        stabilise: makes the noise white; None where it is, or where that does not help.
        tiles: how the measurement is cut; None where it is restored whole.
        device: where the method computes.
        seed: of all randomness.
        found: a sentence for each thing that was found out about the measurement.
        decided: a sentence for each decision.
    """

    problem: Problem
    method: Method | None
    stabilise: Stabilise | None = None
    tiles: Tiles | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    seed: int = 0
    found: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()

    @property
    def log(self) -> tuple[str, ...]:
        """What was found and decided, in order."""
        return (*self.found, *self.decided)

    def __str__(self) -> str:
        return "\n".join(self.log)

    def run(self, progress: Progress | None = None) -> Result:
        """Carry the plan out.

        Args:
            progress: called as the work goes on.

        Returns:
            The result, on the device of the measurement; its sentence begins with what was decided.

        Raises:
            CannotSolve: the method does not solve this problem at its size.
            RestoraError: the method produced NaN or infinity, or memory ran out even in the smallest tiles.
        """
        method = self.method
        if method is None:
            return Result.left_alone(self.problem.y, NOTHING_SEEN)
        problem = self.problem if self.stabilise is None else self.stabilise.whitened(self.problem)
        context = Context(torch.Generator(device=self.device).manual_seed(self.seed), progress or silent)
        result, tiles = None, self.tiles
        if tiles is None:
            try:
                there = problem.to(self.device)
                result = carried_out(method, adapters_for(there, method), there, context).to(problem.y.device)
            except (RuntimeError, MemoryError) as error:
                tiles = smaller(error, self._finest())
        if tiles is not None:
            result = InTiles(method, self.device, context, tiles).restored(problem)
        assert result is not None
        if self.stabilise is not None:
            result = self.stabilise.join(self.problem, [result])
        return result.after(self.decided)

    def _finest(self) -> Tiles | None:
        """The whole as one tile, to be made smaller where memory runs out; None where x depends on the whole of y."""
        height, width = self.problem.y.shape[-2:]
        if self.method is None:
            return None
        reach, own = self.problem.H.reach, self.method.spec.reach(self.method)
        if reach is None or own is None:
            return None
        grid = self.method.spec.multiple_of
        return Tiles(-(-max(height, width) // grid) * grid, own + reach, grid)


def plan(
    problem: Problem,
    method: str | Method | type[Method] = "auto",
    *,
    parameters: Mapping[str, object] | None = None,
    device: torch.device | str | None = None,
    tile: int | None = None,
    seed: int = 0,
) -> Plan:
    """Decide how x is to be restored from y = Hx + n.

    Args:
        problem: the measurement, its operator and its noise; what is unknown of them is estimated.
        method: a name of the catalog or ``"package.module:Class"``, a class, a configured method, or ``"auto"``.
        parameters: fields of the method that differ from what its paper gives for such a problem.
        device: where to compute; None is where y lies.
        tile: side of the tiles; None tiles large measurements where the method allows it. Tiles of a method that
            looks at the whole image are an approximation, and the log says so.
        seed: of all randomness.

    Raises:
        InvalidInput: y holds NaN or infinity, or something unknown cannot be estimated.
        CannotSolve: the method does not solve this H.
        UnknownName: there is no such method or parameter.
        InvalidParameter: a parameter out of its range.
    """
    if parameters and isinstance(method, Method):
        raise InvalidInput("parameters go with the name of a method; a configured method has its own already")
    _require_finite(problem.y)
    named = catalog.find(method).load() if isinstance(method, str) and method != "auto" else method
    known = examined(problem, blind=not isinstance(named, str) and named.spec.blind)
    problem = known.problem
    place = torch.device(device) if device is not None else problem.y.device
    if known.is_clean:
        return Plan(problem, None, device=place, seed=seed)
    why = "as asked"
    if isinstance(named, str):
        choice = choose(problem)
        named, why = catalog.find(choice.method).load(), f"chosen because {choice.reason}"
    _require_solvable(problem, named.spec)
    stabilise = Stabilise.of(problem, named.spec)
    if isinstance(named, type):
        white = problem if stabilise is None else stabilise.whitened(problem)
        named = configure(named, white, parameters or {})
    tiles = _tiles(problem, named, tile)
    decided = [f"{named.spec.name}, {why}", *([] if stabilise is None else [str(stabilise)]), *_said(tiles, named)]
    return Plan(problem, named, stabilise, tiles, place, seed, known.found, tuple(decided))


def _require_finite(y: Tensor) -> None:
    # A finite sum has finite terms; only where it is not, they are looked at one by one.
    if not bool(torch.isfinite(y.sum(dtype=torch.float64))):
        bad = int((~torch.isfinite(y)).sum())
        if bad:
            raise InvalidInput(
                f"the measurement holds {bad} values that are NaN or infinite: "
                "mark them as missing and inpaint them first"
            )


def _require_solvable(problem: Problem, spec: Spec) -> None:
    reason = spec.refusal(problem.H)
    if reason is not None:
        raise CannotSolve(reason)


def _tiles(problem: Problem, method: Method, tile: int | None) -> Tiles | None:
    """How the measurement is cut; None where it is restored whole."""
    height, width = problem.y.shape[-2:]
    spec, own = method.spec, method.spec.reach(method)
    if tile is None and (own is None or height * width <= WHOLE_UP_TO or problem.H.reach is None):
        return None
    side = tile or TILE
    if side < 1:
        raise InvalidInput(f"a tile of {side} pixels is not allowed: give at least 1")
    side = -(-side // spec.multiple_of) * spec.multiple_of
    if side >= max(height, width):
        return None
    return Tiles(side, (GLOBAL_HALO if own is None else own) + (problem.H.reach or 0), spec.multiple_of)


def _said(tiles: Tiles | None, method: Method) -> Sequence[str]:
    if tiles is None:
        return ()
    exact = method.spec.reach(method) is not None
    return (str(tiles) if exact else f"{tiles}, an approximation: this method looks at the whole image",)
