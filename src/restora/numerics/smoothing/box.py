"""Box means: the mean over a square window, at a cost that hardly depends on its size."""

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor
from torch.nn.functional import avg_pool2d

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.core.kernels import kernel, parallel_from

_STRIP = 32  # rows a thread does in one go; running sums start anew, so that rounding errors do not gather
_SERIAL = 1 << 19  # numbers below which it is not worth waking other threads (about 2 ms)


def box_mean(x: Float[Tensor, "b c h w"], radius: int) -> Float[Tensor, "b c h w"]:
    """The mean over the window of side 2·radius + 1 around each pixel, cut at the border of the image.

    CPU tensors take the Numba kernel, with running sums down the columns and sums of 1, 2, 4 … neighbours along the
    rows; all others, and those that carry gradients, Torch's pooling, O(radius). Half precision is computed in float32.
    Cost: O(N·log(radius)) for N pixels.
    """
    y = single_at_least(x)
    if runs_on_cpu_kernels(y):
        planes = y.contiguous().flatten(0, 1).numpy()
        out = np.empty_like(planes)
        _box_mean.sized(planes.size)(planes, radius, out)
        return torch.from_numpy(out).reshape(x.shape).to(x.dtype)
    side = 2 * radius + 1
    for window, padding in (((side, 1), (radius, 0)), ((1, side), (0, radius))):
        y = avg_pool2d(y, window, stride=1, padding=padding, count_include_pad=False)
    return y.to(x.dtype)


@parallel_from(_SERIAL)
def _box_mean(planes: np.ndarray, radius: int, out: np.ndarray) -> None:
    strips = (planes.shape[1] + _STRIP - 1) // _STRIP
    for job in prange(len(planes) * strips):
        _strip(planes[job // strips], radius, job % strips * _STRIP, out[job // strips])


@kernel(fuse=True)
def _strip(plane: np.ndarray, radius: int, first: int, out: np.ndarray) -> None:
    height, width = plane.shape
    sums = np.zeros(width + 2 * radius, plane.dtype)
    middle = sums[radius : radius + width]
    shares = np.empty(width, plane.dtype)
    for j in range(width):
        shares[j] = 1 / (min(j + radius, width - 1) - max(j - radius, 0) + 1)
    for i in range(max(first - radius, 0), min(first + radius, height)):
        row = plane[i]
        for j in range(width):
            middle[j] += row[j]
    buffers = np.empty((2, sums.size), plane.dtype)
    for i in range(first, min(first + _STRIP, height)):
        if i + radius < height:
            row = plane[i + radius]
            for j in range(width):
                middle[j] += row[j]
        if i - radius - 1 >= 0 and i > first:
            row = plane[i - radius - 1]
            for j in range(width):
                middle[j] -= row[j]
        _across(sums, 2 * radius + 1, buffers, out[i])
        share, line = plane.dtype.type(1 / (min(i + radius, height - 1) - max(i - radius, 0) + 1)), out[i]
        for j in range(width):
            line[j] *= share * shares[j]


@kernel(fuse=True)
def _across(line: np.ndarray, side: int, buffers: np.ndarray, out: np.ndarray) -> None:
    """out = sums of ``side`` neighbours, put together from sums of 1, 2, 4 … as its binary digits say."""
    n, start, size = out.size, 0, 1
    power, turn = line, 0
    out[:] = 0
    while True:
        if side & size:
            part = power[start : start + n]
            for x in range(n):
                out[x] += part[x]
            start += size
        if 2 * size > side:
            return
        doubled, ahead = buffers[turn], power[size:]
        for x in range(line.size - 2 * size + 1):
            doubled[x] = power[x] + ahead[x]
        power, turn, size = doubled, 1 - turn, 2 * size
