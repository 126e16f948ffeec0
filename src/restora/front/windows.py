"""Windows: a method at work in tiles, which are made smaller when memory runs out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch

from restora.core.backend import is_out_of_memory
from restora.core.errors import RestoraError
from restora.core.method import Context, Method
from restora.core.problem import Problem
from restora.core.progress import Progress, silent
from restora.core.result import Result
from restora.front.adapters import adapters_for, carried_out
from restora.front.tiling import Tiles


@dataclass(eq=False, slots=True)
class InTiles:
    """A method at work on a device, in tiles.

    Attributes:
        method: that is run.
        device: where it computes; everything else stays on the device of the measurement.
        context: generator and progress of the whole.
        fitting: the tiles that have not run out of memory so far.
    """

    method: Method
    device: torch.device
    context: Context
    fitting: Tiles

    def restored(self, problem: Problem) -> Result:
        """The whole.

        Raises:
            RestoraError: memory ran out even in the smallest tiles.
        """
        return self._joined(self.fitting, self.context.progress, problem)

    def _joined(self, tiles: Tiles, progress: Progress, problem: Problem) -> Result:
        results = map(partial(self._window, tiles), tiles.split(problem))
        return tiles.join(problem, _reported(results, progress, tiles.count(problem)))

    def _window(self, tiles: Tiles, problem: Problem) -> Result:
        """One window, in smaller tiles where memory does not hold it."""
        if tiles == self.fitting:
            try:
                there, context = problem.to(self.device), replace(self.context, progress=silent)
                return carried_out(self.method, adapters_for(there, self.method), there, context).to(problem.y.device)
            except (RuntimeError, MemoryError) as error:
                self.fitting = smaller(error, tiles)
        return self._joined(self.fitting, silent, problem)


def smaller(error: RuntimeError | MemoryError, tiles: Tiles | None) -> Tiles:
    """The tiles to try next after an error that says that memory ran out; any other error is raised again.

    Raises:
        RestoraError: there are no smaller tiles, or the method cannot be run in tiles (``tiles=None``).
    """
    if not is_out_of_memory(error):
        raise error
    less = None if tiles is None else tiles.smaller()
    if less is None:
        extent = "" if tiles is None else f" even in tiles of {tiles.side} pixels"
        raise RestoraError(f"out of memory{extent}: free some memory, use the CPU or give a tile size") from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return less


def _reported(results: Iterable[Result], progress: Progress, count: int) -> Iterator[Result]:
    """The results as they come; progress is reported after each."""
    for done, result in enumerate(results, start=1):
        progress(done, count, "tiles")
        yield result
