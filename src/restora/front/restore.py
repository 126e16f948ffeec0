"""The front door: one call that restores any problem with any method."""

from collections.abc import Mapping

import torch

from restora.core.method import Method
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Result
from restora.front.plan import plan


def restore(
    problem: Problem,
    method: str | Method | type[Method] = "auto",
    *,
    parameters: Mapping[str, object] | None = None,
    device: torch.device | str | None = None,
    tile: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Result:
    """Restore x from y = Hx + n.

    Args:
        problem: the measurement, its operator and its noise; what is unknown of them is estimated first.
        method: a name of the catalog or ``"package.module:Class"``, a class, a configured method, or ``"auto"``.
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
    decided = plan(problem, method, parameters=parameters, device=device, tile=tile, seed=seed)
    return decided.run(progress).after(decided.found)
