"""Tiling: a large image is restored window by window, and looks as if it had been done at once.

The image stays on the CPU; only a window travels to the device. Tiles are of equal size. The window of a tile is its
core, grown by a margin in which neighbours are blended and by the halo: what the method looks at. So every pixel that
counts was computed with all it depends on, and tiled = whole. When memory runs out, the window in hand is restored in
smaller tiles, and so are all later ones; what was done is kept.

A method may work on a grid coarser than the pixels (blocks of two, windows of eight). Then tiles and windows begin at
lines of that grid and end at them, or at the border of the image: what the method does at the border of a window that
ends elsewhere, such as padding it to a multiple, it does to the whole image too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, RestoraError
from restora.core.problem import Problem
from restora.core.result import Result

SMALLEST_TILE = 32
"""Tiles are not cut below this side: memory that does not hold it will not hold anything."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    def grown(self, margin: int, size: tuple[int, int]) -> "Box":
        """The box with a margin on each side, cut at the border of an image of that size."""
        top, left = max(self.top - margin, 0), max(self.left - margin, 0)
        bottom = min(self.top + self.height + margin, size[0])
        right = min(self.left + self.width + margin, size[1])
        return Box(top, left, bottom - top, right - left)

    def on_grid(self, grid: int, size: tuple[int, int]) -> "Box":
        """The smallest box around it that begins and ends at multiples of ``grid``, cut at the border of the image."""
        top, left = self.top // grid * grid, self.left // grid * grid
        bottom = min(_up_to(self.top + self.height, grid), size[0])
        right = min(_up_to(self.left + self.width, grid), size[1])
        return Box(top, left, bottom - top, right - left)

    def scaled(self, factor: int) -> "Box":
        """The same rectangle on a grid ``factor`` times finer."""
        return Box(self.top * factor, self.left * factor, self.height * factor, self.width * factor)


def cut(size: tuple[int, int], tile: int, grid: int = 1) -> tuple[Box, ...]:
    """Cut an image into the fewest tiles of equal size whose sides are at most ``tile``.

    Equal to a pixel, or to one step of the grid at whose lines they begin; the last ones end with the image.

    Args:
        size: height and width of the image.
        tile: largest side, a multiple of the grid.
        grid: distance of the lines, in pixels.
    """
    rows, columns = (_equal_parts(side, -(-side // tile), grid) for side in size)
    return tuple(Box(top, left, height, width) for top, height in rows for left, width in columns)


def _equal_parts(length: int, parts: int, grid: int) -> list[tuple[int, int]]:
    """(start, length) of each part."""
    steps = -(-length // grid)
    edges = [min(steps * i // parts * grid, length) for i in range(parts + 1)]
    return [(a, b - a) for a, b in pairwise(edges)]


def _up_to(length: int, grid: int) -> int:
    """The smallest multiple of the grid that is not below the length."""
    return -(-length // grid) * grid


@dataclass(frozen=True, slots=True)
class Tiles:
    """A large image is restored window by window.

    Attributes:
        side: largest side of a tile's core in pixels of y, a multiple of the grid.
        halo: radius, in pixels of y, of what the method looks at.
        grid: windows begin at multiples of so many pixels of y.
        blend: half the width of the band in which neighbouring tiles are blended.
    """

    side: int
    halo: int
    grid: int = 1
    blend: int = 8

    def split(self, problem: Problem) -> Iterator[Problem]:
        """The windows.

        Raises:
            CannotSolve: the operator cannot be cut, or x is not an integer number of times as large as y.
        """
        _integer_factor(problem)
        size = (problem.y.shape[-2], problem.y.shape[-1])
        for core in cut(size, self.side, self.grid):
            yield _window(problem, self._window_of(core, size))

    def join(self, problem: Problem, results: Iterable[Result]) -> Result:
        """The windows blended, on the device of the problem's measurement."""
        size, factor = (problem.y.shape[-2], problem.y.shape[-1]), _integer_factor(problem)
        whole = (size[0] * factor, size[1] * factor)
        blends: dict[str | None, _Blend] = {}
        rest: list[Result] = []
        for core, result in zip(cut(size, self.side, self.grid), results, strict=True):
            images: dict[str | None, Tensor] = {None: result.x, **result.parts}
            if not rest:
                blends = {name: _Blend(self.blend * factor, whole) for name in images}
            blends = {name: blend for name, blend in blends.items() if name in images}
            outer, inner = self._window_of(core, size).scaled(factor), core.scaled(factor)
            for name, blend in blends.items():
                blend.add(images[name], outer, inner)
            rest.append(replace(result, x=result.x[..., :0, :0], parts={}, samples=None))
        pieces = Result.joined(rest, lambda images: images[0])
        parts = {name: blend.image() for name, blend in blends.items() if name is not None}
        return replace(pieces, x=blends[None].image(), parts=parts)

    def count(self, problem: Problem) -> int:
        return len(cut((problem.y.shape[-2], problem.y.shape[-1]), self.side, self.grid))

    def smaller(self) -> "Tiles | None":
        """Tiles of half the side; None where these are the smallest."""
        least = _up_to(SMALLEST_TILE, self.grid)
        if self.side <= least:
            return None
        return replace(self, side=max(self.side // 2 // self.grid * self.grid, least))

    def __str__(self) -> str:
        return f"in tiles of {self.side} pixels"

    def _window_of(self, core: Box, size: tuple[int, int]) -> Box:
        return core.grown(self.halo + self.blend, size).on_grid(self.grid, size)


def _integer_factor(problem: Problem) -> int:
    """How many times finer x is than y."""
    height, width = problem.y.shape[-2:]
    h, w = problem.size
    if h % height or w % width or h // height != w // width:
        raise CannotSolve(
            f"an image of {w}x{h} from one of {width}x{height} cannot be restored in tiles: use tile=None"
        )
    return h // height


def _window(problem: Problem, box: Box) -> Problem:
    """The part of the problem seen through a window of y."""
    y = problem.y[..., box.top : box.top + box.height, box.left : box.left + box.width]
    return replace(problem, y=y, H=problem.H.window(box.top, box.left, box.height, box.width))


class _Blend:
    """A weighted average of overlapping windows, summed where it will lie."""

    def __init__(self, margin: int, size: tuple[int, int]) -> None:
        self._margin = margin
        self._size = size
        self._sum: Tensor | None = None
        self._weight: Tensor | None = None

    def add(self, x: Float[Tensor, "b c h w"], outer: Box, core: Box) -> None:
        """Add the window ``x``, which covers ``outer``: full weight on its core, fading over the margin."""
        if self._sum is None or self._weight is None:
            self._sum = x.new_zeros(*x.shape[:2], *self._size)
            self._weight = x.new_zeros(self._size)
        used = core.grown(self._margin, self._size)
        weight = (
            _ramp(core.top, core.height, self._margin, self._size[0], x)[:, None]
            * _ramp(core.left, core.width, self._margin, self._size[1], x)[None, :]
        )
        top, left = used.top - outer.top, used.left - outer.left
        rows, columns = slice(used.top, used.top + used.height), slice(used.left, used.left + used.width)
        self._sum[..., rows, columns] += weight * x[..., top : top + used.height, left : left + used.width]
        self._weight[rows, columns] += weight

    def image(self) -> Float[Tensor, "b c h w"]:
        """The average."""
        if self._sum is None or self._weight is None:
            raise RestoraError("there is no tile to blend")
        return self._sum.div_(self._weight)


def _ramp(start: int, length: int, margin: int, size: int, like: Tensor) -> Float[Tensor, " n"]:
    """Weights along one axis of [start − margin, start + length + margin) cut to the image.

    1 on the core but for ``margin`` pixels at each inner edge; from there it falls linearly to 0 outside.
    """
    first, last = max(start - margin, 0), min(start + length + margin, size)
    position = torch.arange(first, last, dtype=like.dtype, device=like.device) + 0.5
    edges: Iterator[Tensor] = iter(
        ([] if start == 0 or margin == 0 else [(position - (start - margin)) / (2 * margin)])
        + ([] if start + length == size or margin == 0 else [((start + length + margin) - position) / (2 * margin)])
    )
    weight = torch.ones_like(position)
    for edge in edges:
        weight = torch.minimum(weight, edge.clamp(0, 1))
    return weight
