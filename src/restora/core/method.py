"""Method: the contract of every restoration method."""

from typing import Protocol, runtime_checkable

import torch

from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Result


@runtime_checkable
class Method(Protocol):
    """A frozen, slotted dataclass whose fields are the paper's parameters, with the paper's names and defaults.

    It never clips, rescales, converts colour, tiles, prints or reads files. It leaves its input untouched,
    keeps its dtype and device, and draws randomness only from ``generator``.
    """

    @classmethod
    def for_problem(cls, problem: Problem) -> "Method":
        """The parameters the paper gives for such a problem (its table over σ, scale, colour …)."""
        ...

    def run(
        self,
        problem: Problem,
        *,
        generator: torch.Generator | None = None,
        progress: Progress | None = None,
    ) -> Result:
        """Restore x from ``problem``.

        Raises:
            CannotSolve: the problem's H or size is not one of those the ``SPEC`` declares.
        """
        ...
