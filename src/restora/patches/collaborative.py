"""Collaborative filtering: groups of similar blocks, transformed as stacks, shrunk together, put back and averaged."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.patches.block_matching import Groups
from restora.patches.block_transforms import BlockTransform
from restora.patches.collaborative_cpu import LEAST_NOISE, collaborate_cpu

_CHUNK = 1 << 24  # pixels of stacks held at once by the Torch kernel, in each of a few arrays


@dataclass(frozen=True, eq=False, slots=True)
class Shrinkage:
    """The rule that shrinks the coefficients of a stack.

    Attributes:
        deviation: standard deviation of the noise in each coefficient of a block.
        threshold: in hard thresholding, how many deviations a coefficient must have to be kept.
        window: weights of the pixels of a block in the average.
    """

    deviation: Float[Tensor, "c n n"]
    threshold: float
    window: Float[Tensor, "n n"]


def collaborate(
    y: Float[Tensor, "b c h w"],
    pilot: Float[Tensor, "b c h w"] | None,
    groups: Groups,
    transform: BlockTransform,
    shrinkage: Shrinkage,
) -> Float[Tensor, "b c h w"]:
    """Estimate images from the groups of their blocks.

    The blocks of a group, as many as the largest power of two allows, are a stack. Its coefficients θ are those of the
    block transform, and along the stack those of the orthonormal Haar transform. With s their standard deviation:

        without a pilot  θ̂ = θ if |θ| >= threshold·s, else 0;    weight 1/Σ s² over what is kept
        with a pilot     θ̂ = gθ, g = p²/(p² + s²), p the same coefficients of the pilot;    weight 1/Σ g²s²

    where g = 1 if p = s = 0, and no sum is taken to be less than the least s², nor than 1e-30.

    The stack is transformed back, and each pixel becomes the mean of its estimates from all blocks, with the weight
    of their group times that of the position in the block. A pixel that no block covers keeps its value.

    CPU tensors take the Numba kernel, all others the Torch one. Cost: for each group 4n³ multiplications a block.

    Args:
        y: noisy images.
        pilot: an estimate of the noiseless images, for Wiener filtering; None for hard thresholding.
        groups: of blocks, as :func:`restora.patches.block_matching.match_blocks` finds them.
        transform: of the blocks.
        shrinkage: of the coefficients.
    """
    y = single_at_least(y)
    pilot = None if pilot is None else pilot.to(y.dtype)
    compute = collaborate_cpu if runs_on_cpu_kernels(y, pilot) else _collaborate_torch
    tables = [t.to(y) for t in (transform.forward, transform.inverse, shrinkage.deviation, shrinkage.window)]
    total, weight = compute(y, pilot, groups.index, groups.length, tables, shrinkage.threshold)
    return torch.where(weight > 0, total / weight.clamp_min(torch.finfo(y.dtype).tiny), y)


def _collaborate_torch(
    y: Tensor, pilot: Tensor | None, index: Tensor, length: Tensor, tables: list[Tensor], threshold: float
) -> tuple[Tensor, Tensor]:
    """(Σ weight·estimate, Σ weight). Groups of equal length, many at a time."""
    n = len(tables[0])
    total, weight = torch.zeros_like(y), torch.zeros_like(y)
    for image in range(len(y)):
        depth = 1
        while depth <= index.shape[-1]:
            stacks = index[image, (length[image] >= depth) & (length[image] < 2 * depth), :depth].long()
            for part in stacks.split(max(1, _CHUNK // (depth * n * n * y.shape[1]))):
                guide = None if pilot is None else pilot[image]
                _add_stacks(y[image], guide, part, tables, threshold, (total[image], weight[image]))
            depth *= 2
    return total, weight


def _add_stacks(
    y: Tensor,
    pilot: Tensor | None,
    corners: Tensor,
    tables: list[Tensor],
    threshold: float,
    sums: tuple[Tensor, Tensor],
) -> None:
    """Shrink stacks (c, groups, depth, n, n), and add them where they come from."""
    forward, inverse, deviation, window = tables
    n, w = len(forward), y.shape[-1]
    place = torch.arange(n, device=y.device)
    pixels = (corners[..., None, None] + place[:, None] * w + place).flatten()
    shape = (len(y), *corners.shape, n, n)
    haar = _haar(corners.shape[1]).to(y)

    def coefficients(x: Tensor) -> Tensor:
        blocks = forward @ x.flatten(1)[:, pixels].reshape(shape) @ forward.T
        return torch.einsum("ds,cgsij->cgdij", haar, blocks)

    theta = coefficients(y)
    s = deviation[:, None, None]
    if pilot is None:
        gain = (theta.abs() >= threshold * s).to(y)
    else:
        power = coefficients(pilot).square()
        whole = power + s**2
        # 0/0: without noise all is kept. The division is kept from zero for the gradient's sake.
        gain = torch.where(whole > 0, power / torch.where(whole > 0, whole, 1.0), 1.0)
    noise = (gain * s).square().sum((-3, -2, -1), keepdim=True)
    share = 1 / noise.clamp_min(s.square().amin().clamp_min(LEAST_NOISE)) * window
    blocks = inverse @ torch.einsum("ds,cgdij->cgsij", haar, gain * theta) @ inverse.T
    total, weight = sums
    total.flatten(1).index_add_(1, pixels, (blocks * share).flatten(1))
    weight.flatten(1).index_add_(1, pixels, share.expand(shape).flatten(1))


def _haar(depth: int) -> Float[Tensor, "d d"]:
    """The orthonormal Haar transform of ``depth`` samples, a power of two: averages first."""
    matrix = torch.ones(1, 1, dtype=torch.float64)
    while len(matrix) < depth:
        average = torch.kron(matrix, torch.tensor([[1.0, 1.0]], dtype=torch.float64))
        detail = torch.kron(torch.eye(len(matrix), dtype=torch.float64), torch.tensor([[1.0, -1.0]]).double())
        matrix = torch.cat((average, detail)) / 2**0.5
    return matrix
