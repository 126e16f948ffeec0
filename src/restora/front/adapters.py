"""Adapters: how a problem is brought into the form that a method takes, and its results back.

An adapter splits a problem into others, and joins their results to that of the problem. Adapters are composed in one
list that reads as the order of work; :func:`carried_out` runs a method behind them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, runtime_checkable

import torch

from restora.core.errors import CannotSolve, RestoraError
from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Result
from restora.core.spec import Spec
from restora.front.colour import LumaOnly, PerChannel
from restora.noise.gaussian import Gaussian
from restora.numerics.anscombe import Anscombe
from restora.operators.boundaries import extend
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity


@runtime_checkable
class Adapter(Protocol):
    """A way to solve a problem by solving others."""

    def split(self, problem: Problem) -> Iterator[Problem]:
        """The problems to be solved in its place."""
        ...

    def join(self, problem: Problem, results: Iterable[Result]) -> Result:
        """The result of the problem, from theirs in the same order; each is asked for when it is needed."""
        ...

    def count(self, problem: Problem) -> int:
        """How many problems :meth:`split` gives."""
        ...


@dataclass(frozen=True, slots=True)
class Stabilise:
    """Noise that grows with the light is made white, by a transform that is undone on all that comes back.

    Attributes:
        transform: maps y to a domain where its noise is white, and back.
    """

    transform: Anscombe

    @classmethod
    def of(cls, problem: Problem, spec: Spec) -> "Stabilise | None":
        """For a problem in which nothing but such noise is wrong, and a method that asks for a level of white noise.

        A blur does not commute with the transform: None there, and where the noise is white already.
        """
        law = problem.noise.affine_variance
        if law is None or not isinstance(problem.H, Identity) or not spec.needs_sigma:
            return None
        return cls(Anscombe(*law))

    def split(self, problem: Problem) -> Iterator[Problem]:
        yield self.whitened(problem)

    def whitened(self, problem: Problem) -> Problem:
        """The problem in the domain where its noise is white."""
        return replace(problem, y=self.transform.forward(problem.y), noise=Gaussian(self.transform.sigma))

    def join(self, problem: Problem, results: Iterable[Result]) -> Result:
        (result,) = results
        return result.mapped(self.transform.inverse)

    def count(self, problem: Problem) -> int:
        return 1

    def __str__(self) -> str:
        return "its noise made white by the Anscombe transform"


@dataclass(frozen=True, slots=True)
class Pad:
    """y extended by reflection to the smallest size that a method takes, and x cut back.

    Attributes:
        least: smallest height and width, in pixels of y.
    """

    least: int

    def split(self, problem: Problem) -> Iterator[Problem]:
        height, width = problem.y.shape[-2:]
        extra = (max(self.least - height, 0), max(self.least - width, 0))
        if extra == (0, 0):
            yield problem
        elif isinstance(problem.H, Identity | Downsample):  # a mask or a field of kernels is as large as its image
            yield problem.with_y(extend(problem.y, (0, 0), extra, "reflect"))
        else:
            raise CannotSolve(f"the method takes sides of {self.least} pixels or more, not {width}x{height}")

    def join(self, problem: Problem, results: Iterable[Result]) -> Result:
        height, width = problem.size
        (result,) = results
        return result.mapped(lambda image: image[..., :height, :width])

    def count(self, problem: Problem) -> int:
        return 1

    def __str__(self) -> str:
        return f"extended by reflection to sides of {self.least} pixels"


def adapters_for(problem: Problem, method: Method) -> tuple[Adapter, ...]:
    """The adapters that one window of the problem needs before the method takes it: padding, then colour."""
    spec, channels = method.spec, problem.y.shape[1]
    found: list[Adapter] = []
    if min(problem.y.shape[-2:]) < spec.min_size:
        found.append(Pad(spec.min_size))
    if spec.colour == "luma-chroma" and channels == 3:
        found.append(LumaOnly())
    elif spec.colour != "native" and channels > 1:
        found.append(PerChannel())
    return tuple(found)


def carried_out(method: Method, adapters: Sequence[Adapter], problem: Problem, context: Context) -> Result:
    """The result of a method behind adapters, the first of them the outermost.

    Raises:
        RestoraError: x holds NaN or infinity.
    """
    if adapters:
        outermost = adapters[0]
        inner = partial(carried_out, method, adapters[1:])
        return outermost.join(problem, map(inner, outermost.split(problem), _pieces(context, outermost.count(problem))))
    result = method.run(problem, generator=context.generator, progress=context.progress)
    if not bool(torch.isfinite(result.x).all()):
        name = method.spec.name
        raise RestoraError(f"{name} produced NaN or infinity on this input: its parameters do not suit it")
    return result


@dataclass(frozen=True, eq=False, slots=True)
class _PieceProgress:
    """The progress of one piece of several, as a share of the whole."""

    progress: Progress
    index: int
    count: int

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self.progress(self.index * total + done, self.count * total, note)


def _pieces(context: Context, count: int) -> Iterator[Context]:
    """A context for each of so many pieces."""
    if count == 1:
        yield context
        return
    for index in range(count):
        yield replace(context, progress=_PieceProgress(context.progress, index, count))
