"""The bilateral grid: the bilateral filter as a Gaussian blur in the space of positions and values."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.numerics.smoothing.bilateral_grid_cpu import slice_cpu, splat_cpu

_BLUR_CUT = 3.0  # standard deviations after which the blur of the grid is cut
_SPREAD = 1 / 12 + 1 / 6  # cells²: the variance of nearest splatting and of trilinear slicing


def bilateral_grid(
    y: Float[Tensor, "b c h w"], guide: Float[Tensor, "#b 1 h w"], *, sigma_s: float, sigma_r: float, sampling: float
) -> Float[Tensor, "b c h w"]:
    """The bilateral filter of y with weights from a guide of one channel, by way of a grid.

    Cells are ``sampling``·σ_s wide and ``sampling``·σ_r high. Each pixel adds (y, 1) to the cell it is nearest to
    (splat); the grid is blurred; a pixel reads the sums at its own position between eight cells (slice), and divides
    the first by the second. Splat and slice blur a little themselves, with a variance of 1/12 and 1/6 cells²; the blur
    is made less by as much. Nothing lies beyond the border.

    CPU tensors take Numba kernels for splat and slice, all others and those that carry gradients Torch; CUDA's
    accumulating ``index_put_`` sorts, so that sums are the same in every run. Half precision is computed in float32.

    Args:
        y: images.
        guide: one for all images or one for each.
        sigma_s: in pixels, > 0.
        sigma_r: on the scale of the guide, > 0.
        sampling: of the grid, in σ; 0.5 agrees with the exact filter to about 57 dB, 1 to about 50.

    Cost: O(N + cells), cells = N·range/(sampling³·σ_s²·σ_r).
    """
    images = single_at_least(y)
    guides = guide.to(images.dtype).expand(len(y), -1, -1, -1)
    step, height = sampling * sigma_s, sampling * sigma_r
    kernel = _blur_kernel(1 / sampling**2 - _SPREAD)
    return torch.stack([_one(image, g[0], step, height, kernel) for image, g in zip(images, guides)]).to(y.dtype)


def _blur_kernel(variance: float) -> list[float]:
    """Samples of a Gaussian of that variance, of sum one; the impulse where the variance is none."""
    if variance <= 0:
        return [1.0]
    radius = math.ceil(_BLUR_CUT * math.sqrt(variance))
    g = [math.exp(-(u**2) / (2 * variance)) for u in range(-radius, radius + 1)]
    return [tap / sum(g) for tap in g]


def _one(y: Tensor, guide: Tensor, step: float, height: float, kernel: list[float]) -> Float[Tensor, "c h w"]:
    level = (guide - guide.min()) / height
    h, w = guide.shape
    size = (int((h - 1) / step) + 2, int((w - 1) / step) + 2, int(float(level.detach().max())) + 2)
    values = torch.cat((y, torch.ones_like(y[:1])))
    on_cpu = runs_on_cpu_kernels(values, guide)
    grid = (splat_cpu if on_cpu else _splat)(values, level, step, size)
    del values
    for dim in range(3):
        grid = _blurred(grid, kernel, dim)
    sums = (slice_cpu if on_cpu else _slice)(grid, level, step)
    return sums[:-1] / sums[-1:]


def _blurred(grid: Float[Tensor, "i j k c"], kernel: list[float], dim: int) -> Float[Tensor, "i j k c"]:
    """Blur along one axis; zeros lie outside."""
    radius, n = len(kernel) // 2, grid.shape[dim]
    out = kernel[radius] * grid
    for u in range(1, min(radius, n - 1) + 1):
        for start, source in ((0, u), (u, 0)):
            part = out.narrow(dim, start, n - u)
            part.add_(grid.narrow(dim, source, n - u), alpha=kernel[radius + u])
    return out


def _splat(values: Tensor, level: Tensor, step: float, size: tuple[int, int, int]) -> Float[Tensor, "i j k c"]:
    cells = [(place + 0.5).long() for place in _places(level, step)]
    grid = values.new_zeros(*size, len(values))
    return grid.index_put(tuple(cells), values.movedim(0, -1), accumulate=True)


def _slice(grid: Tensor, level: Tensor, step: float) -> Float[Tensor, "c h w"]:
    """Trilinear interpolation."""
    places = _places(level, step)
    cells = [place.detach().long() for place in places]
    parts = [place - cell for place, cell in zip(places, cells)]
    out = torch.zeros((), dtype=grid.dtype, device=grid.device)
    for corner in range(8):
        bits = (corner >> 2, corner >> 1 & 1, corner & 1)
        share = math.prod((part if bit else 1 - part for bit, part in zip(bits, parts)), start=torch.ones_like(level))
        i, j, k = (cell + bit for bit, cell in zip(bits, cells))
        out = out + share[..., None] * grid[i, j, k]
    return out.movedim(-1, 0)


def _places(level: Float[Tensor, "h w"], step: float) -> tuple[Tensor, Tensor, Tensor]:
    """The position of each pixel in the grid, in cells."""
    h, w = level.shape
    rows, columns = (torch.arange(n, dtype=level.dtype, device=level.device) / step for n in (h, w))
    return rows[:, None].expand(h, w), columns.expand(h, w), level
