"""Median over a square window, each channel by itself."""

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.numerics.smoothing.median_cpu import median_by_network, median_by_ranks
from restora.operators.boundaries import extend

_CHUNK = 1 << 26  # numbers held at once by the Torch kernel, in a few arrays


def median(y: Float[Tensor, "b c h w"], side: int) -> Float[Tensor, "b c h w"]:
    """The median over the window of odd ``side`` around each pixel; beyond the border lies the mirror image.

    The border is half-sample symmetric. CPU tensors take Numba kernels: sorting networks for sides of 3 and 5; for
    larger ones counts of the ranks in the window, O(side) a pixel. All others, and those that carry gradients, take
    Torch's median of unfolded windows, O(side²), some rows at a time. Half precision is computed in float32.
    """
    if side == 1:
        return y.clone()
    z = single_at_least(y)
    radius = side // 2
    if runs_on_cpu_kernels(z):
        compute = median_by_network if side in (3, 5) else median_by_ranks
        return compute(z, radius).to(y.dtype)
    z = extend(z, (radius, radius), (radius, radius), "reflect")
    rows = max(1, _CHUNK // (y[:, :, 0].numel() * side**2))
    bands = [z[..., i : i + rows + 2 * radius, :] for i in range(0, y.shape[-2], rows)]
    windows = (band.unfold(-2, side, 1).unfold(-2, side, 1).flatten(-2) for band in bands)
    return torch.cat([window.median(dim=-1).values for window in windows], dim=-2).to(y.dtype)
