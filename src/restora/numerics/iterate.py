"""The loop around every iterative solver: step, measure, and stop when the error of each image is small."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.progress import Progress, silent
from restora.core.result import Code, Result, Status

S = TypeVar("S")


@dataclass(frozen=True, eq=False, slots=True)
class Measure:
    """The objective and the error of an iterate, a value an image.

    Attributes:
        objective: what is minimised.
        error: what is to fall to the tolerance, for instance the duality gap over the objective.
    """

    objective: Float[Tensor, " b"]
    error: Float[Tensor, " b"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop and how often to measure.

    Attributes:
        tolerance: of ``Measure.error``.
        max_iterations: at most so many steps.
        every: so many steps from one measurement to the next; measuring costs about a step.
        progress: called after each measurement.
    """

    tolerance: float
    max_iterations: int
    every: int = 10
    progress: Progress | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Solution:
    """The output of :func:`iterate`: the image, how it ended, and the stats of the measured iterations."""

    x: Float[Tensor, "b ..."]
    status: Status
    stats: tuple[Mapping[str, float], ...]

    def result(self) -> Result:
        """The same for the user of a method, where x are images."""
        return Result(self.x, self.status, stats=self.stats)


def iterate(
    step: Callable[[S], S],
    state: S,
    measure: Callable[[S, S], Measure],
    solution: Callable[[S], Tensor],
    limits: Limits,
) -> Solution:
    """Iterate until the error of every image is at most the tolerance.

    An image that has converged is set aside as it is, so that it does not depend on its batch.

    Args:
        step: one iteration, from a state to the next. It may overwrite the state it is given where ``measure`` does not
            use ``before``.
        state: where to start.
        measure: objective and error of ``after``, given (before, after) that are one step apart.
        solution: the image to return for a state, batch axis first.
        limits: when to stop and how often to measure.
    """
    tolerance, max_iterations = limits.tolerance, limits.max_iterations
    report = limits.progress or silent
    found = solution(state)
    finished = torch.zeros(len(found), dtype=torch.bool, device=found.device)
    stats: list[Mapping[str, float]] = []
    for iteration in range(1, max_iterations + 1):
        before, state = state, step(state)
        if iteration % limits.every and iteration < max_iterations:
            continue
        reached = measure(before, state)
        # ``where`` copies, so that a step that overwrites its state does not touch what is set aside.
        found = torch.where(finished.reshape(-1, *(1,) * (found.ndim - 1)), found, solution(state))
        finished = finished | (reached.error <= tolerance)
        error, objective = float(reached.error.detach().max()), float(reached.objective.detach().sum())
        stats.append({"iteration": iteration, "objective": objective, "error": error})
        report(iteration, max_iterations, f"error {error:.1e}")
        if bool(finished.all()):
            sentence = f"converged in {iteration} iterations to an error of {error:.1e}"
            return Solution(found, Status(Code.CONVERGED, sentence), tuple(stats))
    sentence = f"stopped after {max_iterations} iterations, before the tolerance {tolerance:.1e} was reached"
    return Solution(found, Status(Code.ITERATION_LIMIT, sentence), tuple(stats))


def root_mean_square(x: Float[Tensor, "..."]) -> float:
    """√(mean of x²)."""
    return float(x.square().mean().sqrt())


def relative_change(before: Float[Tensor, "b ..."], after: Float[Tensor, "b ..."]) -> Float[Tensor, " b"]:
    """‖after − before‖/‖after‖ of each item."""
    step = (after - before).flatten(1).square().sum(1, dtype=torch.float64)
    size = after.flatten(1).square().sum(1, dtype=torch.float64)
    return (step / size.clamp_min(torch.finfo(after.dtype).tiny)).sqrt()
