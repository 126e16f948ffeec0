"""Block matching: for blocks on a grid, those within a window that resemble each most."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.core.errors import InvalidInput, InvalidParameter
from restora.patches.block_matching_cpu import match_cpu

_CHUNK = 1 << 25  # distances held at once by the Torch kernel


@dataclass(frozen=True, eq=False, slots=True)
class Groups:
    """Blocks that resemble each other.

    Attributes:
        index: corners i·w + j (top left) of the blocks of each group, the most similar first; the first is the
            reference itself. Entries beyond ``length`` have no meaning.
        length: how many blocks a group has, 1 … members.
        side: of a block, in pixels.
    """

    index: Int[Tensor, "b groups members"]
    length: Int[Tensor, "b groups"]
    side: int


def reference_corners(n: int, side: int, step: int) -> list[int]:
    """First pixels of the reference blocks along an axis of n pixels: every ``step`` pixels, and at the end."""
    last = n - side
    return [*range(0, last, step), last]


def match_blocks(z: Float[Tensor, "b c h w"], *, side: int, step: int, window: int, members: int, tau: float) -> Groups:
    """The ``members`` blocks nearest to each reference block, among those nearer than ``tau``.

    The distance of two blocks is the mean of their squared difference, over pixels and channels. References begin at
    every ``step``-th pixel of rows and columns, and at the last one that fits; candidates are all blocks inside the
    image whose corner lies in the ``window`` around that of the reference.

    CPU tensors take the Numba kernel, all others the Torch one. Where distances are equal the two may choose
    differently. Cost: O(N·window²/step·side) for N pixels on the CPU: all distances of a row of references to one
    offset are found together, so that only every ``step``-th row is summed, and along rows by doubling.

    Args:
        z: images.
        side: of a block, >= 1.
        step: between references, >= 1.
        window: side of the search window, odd, >= 1.
        members: at most so many blocks a group, >= 1.
        tau: bound of the distance, >= 0; the reference is in its group in any case.

    Raises:
        InvalidInput: a side of the image is shorter than a block.
        InvalidParameter: a parameter is outside its range.
    """
    if min(z.shape[-2:]) < side:
        raise InvalidInput(f"blocks of {side}x{side} pixels do not fit into {z.shape[-1]}x{z.shape[-2]}")
    for name, value in (("side", side), ("step", step), ("members", members)):
        if value < 1:
            raise InvalidParameter.outside(name, value, ">= 1")
    if window < 1 or window % 2 == 0:
        raise InvalidParameter.outside("window", window, "odd and >= 1")
    z = single_at_least(z.detach())
    rows, columns = (reference_corners(n, side, step) for n in z.shape[-2:])
    match = match_cpu if runs_on_cpu_kernels(z) else _match_torch
    index, length = match(z, side, rows, columns, _outward(window // 2), members, tau)
    return Groups(index, length, side)


def _outward(radius: int) -> list[tuple[int, int]]:
    """The offsets of the window, the nearest first: what resembles most is met early, and the rest is passed over."""
    span = range(-radius, radius + 1)
    return sorted(((i, j) for i in span for j in span), key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset))


def _match_torch(
    z: Tensor, side: int, rows: list[int], columns: list[int], offsets: list[tuple[int, int]], members: int, tau: float
) -> tuple[Tensor, Tensor]:
    """Offsets, many at a time, with the best so far kept."""
    b, w = z.shape[0], z.shape[-1]
    i, j = torch.tensor(rows, device=z.device), torch.tensor(columns, device=z.device)
    corner = (i[:, None] * w + j).flatten()
    best = torch.full((b, len(corner), members), torch.inf, dtype=z.dtype, device=z.device)
    index = corner[:, None].expand(b, -1, members)
    chunk = max(1, _CHUNK // z[:, :1].numel())
    for start in range(0, len(offsets), chunk):
        near = offsets[start : start + chunk]
        found = torch.stack([_distances(z, side, i, j, offset) for offset in near], dim=-1)
        where = corner[:, None] + torch.tensor([di * w + dj for di, dj in near], device=z.device)
        best, order = torch.cat((best, found), -1).topk(members, largest=False, sorted=True)
        index = torch.cat((index, where.expand(b, -1, -1)), -1).gather(-1, order)
    length = (best < tau).sum(-1).clamp_min(1)
    return index.int(), length.int()


def _distances(z: Tensor, side: int, rows: Tensor, columns: Tensor, offset: tuple[int, int]) -> Tensor:
    """Distances of all references (b, groups) to the block at one offset; infinite where none is, −1 to itself."""
    h, w = z.shape[-2:]
    di, dj = offset
    if offset == (0, 0):
        return z.new_full((len(z), len(rows) * len(columns)), -1.0)
    top, left = max(0, -di), max(0, -dj)
    bottom, right = min(h, h - di), min(w, w - dj)
    distance = z.new_full((len(z), h - side + 1, w - side + 1), torch.inf)
    if bottom - top >= side and right - left >= side:
        there = z[..., top + di : bottom + di, left + dj : right + dj]
        square = (z[..., top:bottom, left:right] - there).square().mean(dim=1, keepdim=True)
        distance[:, top : bottom - side + 1, left : right - side + 1] = avg_pool2d(square, side, stride=1)[:, 0]
    return distance[:, rows[:, None], columns].flatten(1)
