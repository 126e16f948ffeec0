"""Guided filter: least-squares fits of an image to a guide in all windows, and their mean."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from restora.core.backend import single_at_least
from restora.numerics.smoothing.box import box_mean

_BAND = 1 << 16  # pixels of a band


def guided(
    y: Float[Tensor, "b c h w"], guide: Float[Tensor, "#b d h w"], *, radius: int, epsilon: float, subsampling: int = 1
) -> Float[Tensor, "b c h w"]:
    """q = āᵀI + b̄, with a = (Σ + εU)⁻¹C and b = ȳ − aᵀĪ from windows of the radius, cut at the border.

    Σ is the covariance of the channels of the guide I, C their covariance with y. Where Σ + εU is singular, in windows
    without variation and with ε = 0, a is 0. Half precision is computed in float32. Cost: O(N) for N pixels.

    Args:
        y: images.
        guide: I, one for all images or one for each.
        radius: in pixels.
        epsilon: ε >= 0, on the scale of the guide squared.
        subsampling: how many times smaller the images are from which a and b come, and the radius with them.
    """
    dtype = single_at_least(y).dtype
    level = guide.to(dtype).mean(dim=(-2, -1), keepdim=True)
    I = guide.to(dtype) - level
    if guide is y:
        return (_in_bands(I, None, radius, epsilon, subsampling) + level).to(y.dtype)
    return _in_bands(I, y.to(dtype), radius, epsilon, subsampling).to(y.dtype)


def _in_bands(I: Tensor, p: Tensor | None, radius: int, epsilon: float, subsampling: int) -> Tensor:
    """Band by band, so that the many planes of a fit stay in the cache, and in little memory."""
    if subsampling > 1:
        return _filtered(I, p, radius, epsilon, subsampling)
    (height, width), margin = I.shape[-2:], 2 * radius
    rows = max(_BAND // width, 8 * radius, 16)
    bands = []
    for first in range(0, height, rows):
        top, bottom = max(first - margin, 0), min(first + rows + margin, height)
        part = None if p is None else p[..., top:bottom, :]
        band = _filtered(I[..., top:bottom, :], part, radius, epsilon)
        bands.append(band[..., first - top : first - top + rows, :])
    return torch.cat(bands, dim=-2)


def _filtered(
    whole: Tensor, y: Tensor | None, radius: int, epsilon: float, subsampling: int = 1
) -> Float[Tensor, "b c h w"]:
    """q; where y is None, the guide is filtered itself."""
    I, p = whole, y
    if subsampling > 1:
        size = [-(-side // subsampling) for side in whole.shape[-2:]]
        I, p = interpolate(whole, size, mode="area"), None if y is None else interpolate(y, size, mode="area")
        radius = max(round(radius / subsampling), 1)
    a, b = _fit(I, p, radius, epsilon)
    planes = box_mean(torch.cat((*a, b), dim=1), radius)
    if subsampling > 1:
        planes = interpolate(planes, whole.shape[-2:], mode="bilinear", align_corners=False)
    *a, b = planes.split(b.shape[1], dim=1)
    for channel, slope in enumerate(a):
        b = torch.addcmul(b, slope, whole[:, channel : channel + 1])
    return b


def _fit(
    I: Float[Tensor, "#b d h w"], p: Float[Tensor, "b c h w"] | None, radius: int, epsilon: float
) -> tuple[list[Tensor], Float[Tensor, "b c h w"]]:
    """b in every window, and a: for each channel of the guide its slopes, (b, c, h, w)."""
    channels = range(I.shape[1])
    pairs = [(i, j) for i in channels for j in channels[i:]]
    mean_I = box_mean(I, radius)
    moments = box_mean(torch.cat([I[:, i : i + 1] * I[:, j : j + 1] for i, j in pairs], dim=1), radius)
    S = {}
    for k, (i, j) in enumerate(pairs):
        S[i, j] = S[j, i] = torch.addcmul(moments[:, k : k + 1], mean_I[:, i : i + 1], mean_I[:, j : j + 1], value=-1)
    if p is None:
        mean_p, C = mean_I, [torch.cat([S[i, j] for j in channels], dim=1) for i in channels]
    else:
        mean_p = box_mean(p, radius)
        C = [box_mean(I[:, i : i + 1] * p, radius) - mean_I[:, i : i + 1] * mean_p for i in channels]
    for i in channels:  # no variance below zero by rounding, and none that cannot be divided by
        S[i, i] = S[i, i].clamp_min(0) + max(epsilon, torch.finfo(I.dtype).tiny ** 0.25)
    a, b = _solved(S, C), mean_p
    for i in channels:
        b = torch.addcmul(b, a[i], mean_I[:, i : i + 1], value=-1)
    return a, b


def _solved(S: dict[tuple[int, int], Tensor], C: list[Tensor]) -> list[Tensor]:
    """S⁻¹C for the symmetric matrices S; each entry is an image, each row of C an image of as many channels as y."""
    d = len(C)
    if d == 1:
        return [C[0] / S[0, 0]]
    if d != 3:
        matrix = torch.stack([torch.stack([S[i, j][:, 0] for j in range(d)], -1) for i in range(d)], -2)
        right = torch.stack([row.movedim(1, -1) for row in C], -2)
        solution = torch.cholesky_solve(right, torch.linalg.cholesky(matrix))
        return [row.movedim(-1, 1) for row in solution.unbind(-2)]
    xx, xy, xz, yy, yz, zz = S[0, 0], S[0, 1], S[0, 2], S[1, 1], S[1, 2], S[2, 2]
    A, B, D = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    E, F, G = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    share = (xx * A + xy * B + xz * D).reciprocal()
    cofactors = ((A, B, D), (B, E, F), (D, F, G))
    return [(u * share) * C[0] + (v * share) * C[1] + (w * share) * C[2] for u, v, w in cofactors]
