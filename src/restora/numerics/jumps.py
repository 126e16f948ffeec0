"""The gradient of an image where it is large, and its term in the normal equations of L0 gradient methods."""

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor

from restora.core.kernels import kernel, parallel_from
from restora.numerics.differences import gradient
from restora.numerics.total_variation import SERIAL, descend, fuses, lower_row

_TALL = 64  # rows of a strip


def add_jumps(
    image: Float[Tensor, "b c h w"], S: Float[Tensor, "b c h w"], threshold: float, beta: float
) -> tuple[Float[Tensor, "b c h w"], float]:
    """(image + βDᵀg, share of the pixels where g ≠ 0); g = DS where |DS|² > ``threshold``, else 0.

    |·| runs over both differences of all channels, D being those with the ``reflect`` border. Contiguous CPU tensors
    that need no gradient take a Numba kernel, all others Torch.
    """
    b, _, h, w = S.shape
    if not (fuses(image) and fuses(S)):
        g = gradient(S)
        kept = g.square().sum(dim=(1, 2), keepdim=True) > threshold
        return descend(image, torch.where(kept, g, 0.0), -beta), float(kept.detach().sum()) / (b * h * w)
    number = S.numpy().dtype.type
    height = _TALL if _add_jumps.is_parallel(S.numel()) else h
    out, counts = np.empty(S.shape, number), np.zeros(b * -(-h // height), np.int64)
    _add_jumps.sized(S.numel())(image.numpy(), S.numpy(), number(threshold), number(-beta), height, out, counts)
    return torch.from_numpy(out), int(counts.sum()) / (b * h * w)


@parallel_from(SERIAL + 1)
def _add_jumps(
    image: np.ndarray, S: np.ndarray, threshold: float, tau: float, height: int, out: np.ndarray, counts: np.ndarray
) -> None:
    h = S.shape[2]
    strips = (h + height - 1) // height
    for job in prange(S.shape[0] * strips):
        b, first = job // strips, job % strips * height
        counts[job] = _strip(image[b], S[b], threshold, tau, first, min(first + height, h), out[b])


@kernel(fuse=True)
def _strip(
    image: np.ndarray, S: np.ndarray, threshold: float, tau: float, first: int, last: int, out: np.ndarray
) -> int:
    """Rows first … last − 1; the g of the row before them is found anew."""
    channels, _, w = S.shape
    g, norm, count = np.zeros((2, 2, channels, w), S.dtype), np.empty(w, S.dtype), 0
    if first > 0:
        _jump_row(S, first - 1, threshold, g[(first - 1) % 2], norm)
    for i in range(first, last):
        here, above = g[i % 2], g[(i + 1) % 2]
        count += _jump_row(S, i, threshold, here, norm)
        for c in range(channels):
            lower_row(image[c, i], here[0, c], above[0, c], here[1, c], tau, out[c, i])
    return count


@kernel(fuse=True)
def _jump_row(S: np.ndarray, i: int, threshold: float, g: np.ndarray, norm: np.ndarray) -> int:
    channels, h, w = S.shape
    below = min(i + 1, h - 1)
    norm[:] = 0
    for c in range(channels):
        row, after, down, right = S[c, i], S[c, below], g[0, c], g[1, c]
        for j in range(w):
            down[j] = after[j] - row[j]
            norm[j] += down[j] * down[j]
        for j in range(w - 1):
            right[j] = row[j + 1] - row[j]
            norm[j] += right[j] * right[j]
        right[w - 1] = 0
    count = 0
    for j in range(w):
        count += norm[j] > threshold
    for c in range(channels):
        for j in range(w):
            g[0, c, j] = g[0, c, j] if norm[j] > threshold else 0
            g[1, c, j] = g[1, c, j] if norm[j] > threshold else 0
    return count
