"""Domain transform: linear filters along rows and columns that are stretched where the guide has edges."""

import math
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.backend import runs_on_cpu_kernels, single_at_least
from restora.numerics.smoothing.domain_transform_cpu import recursive_pass, windowed_pass

Form = Literal["NC", "IC", "RF"]
"""Normalized convolution, interpolated convolution, recursive filter."""

_PADDING = 16  # numbers, a cache line: the pixels of a column would evict each other if rows were a power of two apart
_FADED = 12.0  # σ_s, or 1e-6 and less of the recursive filter


def reach(form: Form, sigma_s: float, iterations: int) -> int:
    """Radius in pixels of what one output pixel depends on: exact for NC and IC, to 1e-6 for RF."""
    if form == "RF":
        return math.ceil(_FADED * sigma_s)
    return math.ceil(math.sqrt(3) * sum(_widths(sigma_s, iterations))) + iterations


def _widths(sigma_s: float, iterations: int) -> list[float]:
    """σ_H1 … σ_HN."""
    first = sigma_s * math.sqrt(3 / (4**iterations - 1)) * 2 ** (iterations - 1)
    return [first / 2**i for i in range(iterations)]


def domain_transform(
    y: Float[Tensor, "b c h w"],
    guide: Float[Tensor, "#b d h w"],
    sigma_s: float,
    sigma_r: float,
    iterations: int = 3,
    form: Form = "RF",
) -> Float[Tensor, "b c h w"]:
    """Filter the rows, then the columns of y, ``iterations`` times, in the coordinate

        ct(u) = Σ_{v <= u} d(v),    d(v) = 1 + σ_s/σ_r Σ_channels |g(v) − g(v − 1)|,

    with kernels of standard deviation σ_Hi = σ_s √3 2^{N−i}/√(4^N − 1), i = 1 … N. ct comes from the guide g and is
    found once. The kernels, with r = √3 σ_Hi and a = exp(−√2/σ_Hi):

    - ``NC``: the mean of the samples with ct in (ct(u) − r, ct(u) + r];
    - ``IC``: the mean over [ct(u) − r, ct(u) + r] of the straight lines between them, the ends repeated beyond;
    - ``RF``: x(u) ← x(u) + a^{d(u)}(x(u − 1) − x(u)) to the right, the same back to the left.

    CPU tensors take the Numba kernels; all others, and those that carry gradients, the Torch ones: cumulative sums and
    searches for NC and IC, for RF a scan of affine maps in log₂ n steps. Half precision is computed in float32. Cost:
    O(N) for N pixels an iteration, whatever σ_s. Memory: a copy of y and the lengths d of rows and columns.

    Args:
        y: images.
        guide: one for all images or one for each.
        sigma_s: σ_s in pixels, > 0.
        sigma_r: σ_r on the scale of the guide, > 0.
        iterations: N.
        form: the kernel.
    """
    x = single_at_least(y)
    g = guide.to(x.dtype)
    across, down = (_lengths(g, sigma_s / sigma_r, dim).expand(len(y), -1, -1).mT for dim in (-1, -2))
    lengths = [across.contiguous(), down.mT.contiguous()]  # (b, sample, line)
    widths = _widths(sigma_s, iterations)
    on_cpu = runs_on_cpu_kernels(x, g)
    if form == "RF":
        return (_recursive_cpu if on_cpu else _recursive)(x, lengths, widths).to(y.dtype)
    if on_cpu:
        return _windowed_cpu(x, lengths, widths, form == "IC").to(y.dtype)
    return _windowed(x, lengths, widths, _interpolated if form == "IC" else _normalized).to(y.dtype)


def _lengths(g: Tensor, ratio: float, dim: int) -> Float[Tensor, "b h w"]:
    """d along the rows (dim −1) or the columns (−2); the first sample has length one."""
    n = g.shape[dim]
    total = torch.ones_like(g[:, 0].narrow(dim, 0, n - 1))
    for channel in g.unbind(dim=1):
        total = total.add_((channel.narrow(dim, 1, n - 1) - channel.narrow(dim, 0, n - 1)).abs_(), alpha=ratio)
    return torch.cat((torch.ones_like(g[:, 0].narrow(dim, 0, 1)), total), dim)


def _recursive_cpu(x: Tensor, lengths: list[Tensor], widths: list[float]) -> Tensor:
    """σ is halved in each iteration, so a^d is squared: the passes do that when they have used it."""
    across, down = (torch.exp(d * (-math.sqrt(2) / widths[0])) for d in lengths)
    out = torch.nn.functional.pad(x, (0, _PADDING))
    for _ in widths:
        recursive_pass(out, across, across=True)
        recursive_pass(out, down, across=False)
    return out[..., :-_PADDING].contiguous()


def _windowed_cpu(x: Tensor, lengths: list[Tensor], widths: list[float], interpolate: bool) -> Tensor:
    across, down = lengths
    out = torch.nn.functional.pad(x, (0, _PADDING))
    for width in widths:
        windowed_pass(out, across, math.sqrt(3) * width, interpolate, across=True)
        windowed_pass(out, down, math.sqrt(3) * width, interpolate, across=False)
    return out[..., :-_PADDING].contiguous()


def _recursive(x: Tensor, lengths: list[Tensor], widths: list[float]) -> Tensor:
    for width in widths:
        for d in lengths:
            v = torch.exp(d.mT[:, None] * (-math.sqrt(2) / width))[..., 1:]
            for _ in range(2):  # to the right; then, mirrored, to the left
                x = _scan(x, torch.nn.functional.pad(v, (1, 0))).flip(-1)
                v = v.flip(-1)
            x = x.mT
    return x


def _scan(x: Float[Tensor, "b c m n"], v: Float[Tensor, "b 1 m n"]) -> Float[Tensor, "b c m n"]:
    """x(u) ← (1 − v(u)) x(u) + v(u) x(u − 1) along the last axis: the maps are composed over 1, 2, 4 … samples."""
    x = (1 - v) * x
    reach = 1
    while reach < x.shape[-1]:
        x = torch.cat((x[..., :reach], x[..., reach:] + v[..., reach:] * x[..., :-reach]), dim=-1)
        v = torch.cat((torch.zeros_like(v[..., :reach]), v[..., reach:] * v[..., :-reach]), dim=-1)
        reach *= 2
    return x


def _windowed(
    x: Tensor, lengths: list[Tensor], widths: list[float], mean: Callable[[Tensor, Tensor, float], Tensor]
) -> Tensor:
    positions = [d.mT.double().cumsum(dim=-1)[:, None] for d in lengths]
    for width in widths:
        for ct in positions:
            x = mean(x.double(), ct, math.sqrt(3) * width).to(x.dtype).mT
    return x


def _normalized(x: Tensor, ct: Tensor, r: float) -> Tensor:
    first, last = (torch.searchsorted(ct, ct + offset, right=True) for offset in (-r, r))
    sums = torch.nn.functional.pad(x.cumsum(dim=-1), (1, 0))
    return (_at(sums, last) - _at(sums, first)) / (last - first)


def _interpolated(x: Tensor, ct: Tensor, r: float) -> Tensor:
    x = torch.cat((x[..., :1], x, x[..., -1:]), dim=-1)
    t = torch.cat((ct[..., :1] - 1.2 * r, ct, ct[..., -1:] + 1.2 * r), dim=-1)
    trapezoids = (x[..., 1:] + x[..., :-1]) / 2 * (t[..., 1:] - t[..., :-1])
    areas = torch.nn.functional.pad(trapezoids.cumsum(dim=-1), (1, 0))

    def area(end: Tensor) -> Tensor:
        """From the first position to this one."""
        k = torch.searchsorted(t, end, right=True).clamp_max(t.shape[-1] - 1)
        below, above, start = _at(x, k - 1), _at(x, k), _at(t, k - 1)
        part = end - start
        return _at(areas, k - 1) + part * (below + (above - below) * part / (_at(t, k) - start) / 2)

    return (area(ct + r) - area(ct - r)) / (2 * r)


def _at(x: Tensor, index: Tensor) -> Tensor:
    """x at these positions of its last axis; one index for all channels."""
    return x.gather(-1, index.expand(*x.shape[:-1], -1))
