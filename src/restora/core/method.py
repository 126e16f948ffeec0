"""Method: the contract of every restoration method, and the steps that all methods share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar, final

import torch

from restora.core.backend import single_at_least
from restora.core.errors import CannotSolve
from restora.core.parameters import check_parameters
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Result
from restora.core.spec import Spec

M = TypeVar("M", bound="Method")


@dataclass(frozen=True, eq=False, slots=True)
class Context:
    """The inputs of a run besides the problem.

    Attributes:
        generator: the source of all randomness, on the device of y.
        progress: called as the work goes on.
    """

    generator: torch.Generator
    progress: Progress = silent


class Method(ABC):
    """A restoration method: a frozen, slotted dataclass whose fields are the paper's parameters.

    A subclass declares ``spec``, its fields with the paper's names, defaults and ranges, and :meth:`solve`; where the
    paper has a table over σ, :meth:`for_noise` reads it, and one over scale or colour :meth:`for_problem`. It never
    clips, rescales, converts colour, tiles, prints or reads files. It leaves its input untouched and draws randomness
    only from ``context.generator``.

    Raises:
        InvalidParameter: a field is outside the range that its type declares.
    """

    __slots__ = ()
    spec: ClassVar[Spec]

    def __post_init__(self) -> None:
        check_parameters(self)

    @classmethod
    def for_noise(cls: type[M], sigma: float) -> M:
        """The parameters that the paper gives for white noise of σ; the defaults where it gives one set for all."""
        return cls()

    @classmethod
    def for_problem(cls: type[M], problem: Problem) -> M:
        """The parameters that the paper gives for such a problem; those for its noise where no more is asked.

        Raises:
            InvalidInput: σ is needed and unknown.
        """
        return cls.for_noise(problem.sigma) if cls.spec.needs_sigma else cls()

    @abstractmethod
    def solve(self, problem: Problem, context: Context) -> Result:
        """Restore x. H is one that ``spec.solves`` names, and y is float32 or float64.

        The result may be of another floating-point type; it is converted to that of the measurement.
        """

    @final
    def run(
        self, problem: Problem, *, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Result:
        """Restore x from ``problem``, as it is: whole, in its own colours.

        Args:
            problem: the measurement, its operator and its noise.
            generator: the source of all randomness; None is a new one of seed 0.
            progress: called as the work goes on.

        Returns:
            The result, in the type and on the device of ``problem.y``.

        Raises:
            CannotSolve: H is not one that ``spec.solves`` names, or the method does not take this size.
            InvalidInput: σ is needed and unknown.
        """
        reason = self.spec.refusal(problem.H)
        if reason is not None:
            raise CannotSolve(reason)
        y = problem.y
        if self.spec.leaves_noiseless and problem.noise.sigma == 0:
            return Result.left_alone(y, "there is no noise")
        context = Context(generator or torch.Generator(device=y.device).manual_seed(0), progress or silent)
        return self.solve(problem.with_y(single_at_least(y)), context).to_dtype(y.dtype)
