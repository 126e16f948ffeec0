"""Metrics: PSNR, SSIM and MS-SSIM of a batch against its reference, a value an image, computed in float64.

Nothing is clipped or rounded here: whether an estimate is, before it is measured, is part of a
:class:`~restora.evaluation.protocol.Protocol`. All work goes tile by tile, so that the memory needed beside the two
images stays at a few MiB whatever their size.
"""

import math
from collections.abc import Iterator
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from restora.core.errors import InvalidInput, InvalidParameter

WINDOW = 11
"""Side of the SSIM window, in pixels."""

TILE = 170
"""Side of a tile: it fits the cache, and Torch does not split work so small among threads, which costs more than it
gains."""

_BELL = [math.exp(-((k - WINDOW // 2) ** 2) / (2 * 1.5**2)) for k in range(WINDOW)]
_GAUSSIAN = [value / sum(_BELL) for value in _BELL]

MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first (Wang, Simoncelli, Bovik 2003)."""


def psnr(
    x: Float[Tensor, "b c h w"], reference: Float[Tensor, "b c h w"], data_range: float = 1.0, border: int = 0
) -> Float[Tensor, " b"]:
    """Peak signal-to-noise ratio, 10 log₁₀(R² / MSE) dB, the MSE over all channels and pixels of an image.

    Args:
        x: the estimates.
        reference: the true images.
        data_range: R, the distance between black and white.
        border: pixels left out on each of the four sides.

    Returns:
        A value an image, in dB, float64; infinite where the two are equal.

    Raises:
        InvalidInput: the shapes differ, or nothing is left inside the border.
        InvalidParameter: ``border`` < 0 or ``data_range`` <= 0.
    """
    x, reference = _inside(x, reference, data_range, border)
    total = torch.zeros(x.shape[:2], dtype=torch.float64, device=x.device)
    for plane, u, v in _tiles(x, reference, overlap=0):
        total[plane] += (u - v).square_().sum()
    return 10 * torch.log10(data_range**2 * x[0].numel() / total.sum(dim=1))


def ssim(
    x: Float[Tensor, "b c h w"], reference: Float[Tensor, "b c h w"], data_range: float = 1.0, border: int = 0
) -> Float[Tensor, " b"]:
    """Structural similarity as Wang's ``ssim_index`` computes it.

    (2μμ' + C₁)(2σ₁₂ + C₂) / ((μ² + μ'² + C₁)(σ² + σ'² + C₂)) with Gaussian moments in an 11×11 window of σ = 1.5,
    C = (0.01 R)², (0.03 R)², averaged over the places where the window lies inside the image, and over channels.

    Args:
        x: the estimates.
        reference: the true images.
        data_range: R, the distance between black and white.
        border: pixels left out on each side before the windows are laid.

    Returns:
        A value an image in [−1, 1], float64.

    Raises:
        InvalidInput: the shapes differ, or a side is smaller than the window.
        InvalidParameter: ``border`` < 0 or ``data_range`` <= 0.

    References:
        Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 13(4), 2004, doi:10.1109/TIP.2003.819861.
    """
    x, reference = _inside(x, reference, data_range, border, least=WINDOW)
    luminance_and_structure, _ = _similarities(x, reference, data_range)
    return luminance_and_structure.mean(dim=1)


def ms_ssim(
    x: Float[Tensor, "b c h w"], reference: Float[Tensor, "b c h w"], data_range: float = 1.0, border: int = 0
) -> Float[Tensor, " b"]:
    """Multi-scale SSIM: Π cs_j^w_j over five scales, the luminance term only at the coarsest.

    Between scales the images are averaged over 2×2 pixels (an odd last row or column with itself) and every second
    kept. A negative mean of a contrast-structure term, for which the published form has no real value, counts as zero.

    Args:
        x: the estimates, sides of at least 176 pixels inside the border.
        reference: the true images.
        data_range: R, the distance between black and white.
        border: pixels left out on each side.

    Returns:
        A value an image in [0, 1], float64; the mean over channels.

    Raises:
        InvalidInput: the shapes differ, or a side is too small for five scales.
        InvalidParameter: ``border`` < 0 or ``data_range`` <= 0.

    References:
        Wang, Simoncelli, Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003,
        doi:10.1109/ACSSC.2003.1292216.
    """
    last = len(MS_SSIM_WEIGHTS) - 1
    x, reference = _inside(x, reference, data_range, border, least=WINDOW << last)
    similarity = torch.ones(x.shape[:2], dtype=torch.float64, device=x.device)
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        whole, structure = _similarities(x, reference, data_range)
        similarity = similarity * (whole if scale == last else structure).clamp_min(0) ** weight
        if scale < last:
            x, reference = (functional.avg_pool2d(image.double(), 2, ceil_mode=True) for image in (x, reference))
    return similarity.mean(dim=1)


def aligned_psnr(
    x: Float[Tensor, "1 c h w"],
    reference: Float[Tensor, "1 c h w"],
    data_range: float = 1.0,
    border: int = 15,
    reach: int = 5,
    step: float = 0.25,
) -> Float[Tensor, " 1"]:
    """The best PSNR over shifts of the estimate, for blind deblurring, where x is defined up to a shift only.

    Shifts run over −``reach`` … ``reach`` in both directions by ``step``, with bilinear interpolation; the error is
    taken ``border`` pixels inside the reference (Levin et al. 2009). A bilinear shift blends four whole-pixel shifts,
    so every error is a quadratic form in their residuals: the work is (2·reach)² Gram matrices of 4×4.

    Args:
        x: one estimate.
        reference: its true image.
        data_range: R, the distance between black and white.
        border: pixels left out on each side, at least ``reach``.
        reach: largest shift, in pixels.
        step: between shifts; 1/step must be whole.

    Returns:
        The best value, in dB, float64.

    Raises:
        InvalidInput: the shapes differ, or nothing is left inside the border.
        InvalidParameter: ``border`` is smaller than ``reach``, ``reach`` < 1, or 1/``step`` is not whole.
    """
    if reach < 1:
        raise InvalidParameter.outside("reach", reach, ">= 1")
    if not 0 < step <= 1 or abs(1 / step - round(1 / step)) > 1e-9:
        raise InvalidParameter.outside("step", step, "1, 1/2, 1/3 …")
    if border < reach:
        raise InvalidParameter.outside("border", border, f">= reach = {reach}")
    wide, inside = _inside(x, reference, data_range, border - reach)
    inside = inside[..., reach : inside.shape[-2] - reach, reach : inside.shape[-1] - reach]
    if inside.numel() == 0:
        raise InvalidInput(f"nothing of {tuple(x.shape)} is left inside a border of {border}")
    shifts = 2 * reach
    grams = torch.zeros(shifts, shifts, 4, 4, dtype=torch.float64, device=x.device)
    for _, u, v in _tiles(wide, inside, overlap=0, margin=shifts):
        for dy in range(shifts):
            for dx in range(shifts):
                grams[dy, dx] += _gram(u[dy : dy + v.shape[0] + 1, dx : dx + v.shape[1] + 1], v)
    fractions = torch.arange(0, 1 + step / 2, step, dtype=torch.float64, device=x.device)
    return 10 * torch.log10(data_range**2 * inside.numel() / _least_blend(grams, fractions).clamp_min(0))[None]


def _gram(window: Float[Tensor, "i j"], v: Float[Tensor, "h w"]) -> Float[Tensor, "4 4"]:
    """Inner products of the residuals of the four whole-pixel shifts that a bilinear shift blends."""
    h, w = v.shape
    residuals = [window[top : top + h, left : left + w] - v for top in (0, 1) for left in (0, 1)]
    products = [[(a * b).sum() for b in residuals[: i + 1]] for i, a in enumerate(residuals)]
    lower = torch.stack([torch.stack([*row, *[torch.zeros_like(row[0])] * (4 - len(row))]) for row in products])
    return lower + lower.tril(-1).T


def _least_blend(grams: Float[Tensor, "n n 4 4"], t: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """The least wᵀGw over all matrices and the bilinear weights w of all fractions (t, s) of a pixel."""
    row, column = torch.meshgrid(t, t, indexing="ij")
    weights = torch.stack([(1 - row) * (1 - column), (1 - row) * column, row * (1 - column), row * column], dim=-1)
    return torch.einsum("ijk,abkl,ijl->abij", weights, grams, weights).min()


def _inside(
    x: Tensor, reference: Tensor, data_range: float, border: int, least: int = 1
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
    """Both images without the border, checked."""
    if x.shape != reference.shape:
        raise InvalidInput(f"estimate {tuple(x.shape)} and reference {tuple(reference.shape)} differ in shape")
    if border < 0:
        raise InvalidParameter.outside("border", border, ">= 0")
    if not data_range > 0:
        raise InvalidParameter.outside("data_range", data_range, "> 0")
    height, width = x.shape[-2] - 2 * border, x.shape[-1] - 2 * border
    if min(height, width) < least:
        raise InvalidInput(f"{height}x{width} pixels inside a border of {border}: this metric needs {least} a side")
    part = (..., slice(border, border + height), slice(border, border + width))
    return x[part], reference[part]


def _tiles(
    x: Float[Tensor, "b c i j"], reference: Float[Tensor, "b c h w"], overlap: int, margin: int = 0
) -> Iterator[tuple[tuple[int, int], Float[Tensor, "k l"], Float[Tensor, "m n"]]]:
    """Both images in float64, tile by tile, each with the (image, channel) it is of.

    ``overlap`` rows and columns come again in the next tile. ``x`` may be larger than the reference by ``margin`` in
    both directions; so are then its tiles.
    """
    step = TILE - overlap
    rows, columns = reference.shape[-2:]
    for plane in product(range(x.shape[0]), range(x.shape[1])):
        for top, left in product(range(0, rows - overlap, step), range(0, columns - overlap, step)):
            v = reference[plane][top : top + TILE, left : left + TILE].double()
            u = x[plane][top : top + v.shape[0] + margin, left : left + v.shape[1] + margin].double()
            yield plane, u, v


def _similarities(
    x: Float[Tensor, "b c h w"], reference: Float[Tensor, "b c h w"], data_range: float
) -> tuple[Float[Tensor, "b c"], Float[Tensor, "b c"]]:
    """Means of the whole SSIM map and of its contrast-structure factor alone."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    whole = torch.zeros(x.shape[:2], dtype=torch.float64, device=x.device)
    structure = torch.zeros_like(whole)
    for plane, u, v in _tiles(x, reference, overlap=WINDOW - 1):
        mean_u, mean_v = _gaussian_mean(u), _gaussian_mean(v)
        uu, vv, uv = mean_u * mean_u, mean_v * mean_v, mean_u * mean_v
        variances = _gaussian_mean(u * u + v * v) - uu - vv
        covariance = _gaussian_mean(u * v) - uv
        cs = (2 * covariance + c2) / (variances + c2)
        structure[plane] += cs.sum()
        whole[plane] += ((2 * uv + c1) / (uu + vv + c1) * cs).sum()
    places = (x.shape[-2] - WINDOW + 1) * (x.shape[-1] - WINDOW + 1)
    return whole / places, structure / places


def _gaussian_mean(x: Float[Tensor, "h w"]) -> Float[Tensor, "i j"]:
    """The 11×11 Gaussian (σ = 1.5) average wherever the window lies inside: i = h − 10, j = w − 10."""
    g = _GAUSSIAN
    rows, columns = x.shape[-2] - WINDOW + 1, x.shape[-1] - WINDOW + 1
    down = x[..., :rows, :] * g[0]
    for k in range(1, WINDOW):
        down.add_(x[..., k : k + rows, :], alpha=g[k])
    across = down[..., :columns] * g[0]
    for k in range(1, WINDOW):
        across.add_(down[..., k : k + columns], alpha=g[k])
    return across
