"""Colour transforms with MATLAB's constants and MATLAB's rounding.

Every published table "on Y" depends on these: BT.601 in studio range, Y in [16, 235]/255. OpenCV's YCrCb is
full-range and Pillow's ``convert("L")`` rounds otherwise; with either, figures move by up to a decibel.

``rounded=True`` is what MATLAB does for uint8 images: the input holds multiples of 1/255, the result is rounded to
such multiples, halves up, and saturates at 0 and 1. The default is what it does for doubles: neither rounded nor
clipped.
"""

import torch
from jaxtyping import Float
from torch import Tensor

_YCBCR = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
"""Rows Y, Cb, Cr; columns R, G, B in [0, 1]; in units of 1/255."""

_YCBCR_OFFSET = (16.0, 128.0, 128.0)

_GRAY = (0.29893602129377533, 0.5870430744511214, 0.11402090425510324)
"""First row of the inverse of NTSC's YIQ matrix as MATLAB states it, hence not exactly 0.299, 0.587, 0.114."""


def rgb_to_ycbcr(rgb: Float[Tensor, "b 3 h w"], *, rounded: bool = False) -> Float[Tensor, "b 3 h w"]:
    """MATLAB's ``rgb2ycbcr``: Y = (16 + 65.481 R + 128.553 G + 24.966 B)/255, Cb and Cr around 128/255.

    Args:
        rgb: images in [0, 1].
        rounded: round to multiples of 1/255, as for uint8 images.
    """
    matrix, offset = _matrix_and_offset(rgb)
    return _rounded(_mix(matrix, _exact(rgb, rounded), offset), rgb, rounded)


def ycbcr_to_rgb(ycbcr: Float[Tensor, "b 3 h w"], *, rounded: bool = False) -> Float[Tensor, "b 3 h w"]:
    """MATLAB's ``ycbcr2rgb``: the exact inverse of :func:`rgb_to_ycbcr`.

    Args:
        ycbcr: images of studio range. Not every such triple is a colour; the result may lie outside [0, 1], where
            MATLAB would clip it and restora does so only for ``rounded=True``.
        rounded: round to multiples of 1/255 and saturate, as for uint8 images.
    """
    matrix, offset = _matrix_and_offset(ycbcr)
    inverse = torch.linalg.inv(matrix)
    return _rounded(_mix(inverse, _exact(ycbcr, rounded), -inverse @ offset), ycbcr, rounded)


def rgb_to_y(rgb: Float[Tensor, "b 3 h w"], *, rounded: bool = False) -> Float[Tensor, "b 1 h w"]:
    """The luma of :func:`rgb_to_ycbcr` alone: what super-resolution tables are measured on."""
    matrix, offset = _matrix_and_offset(rgb)
    return _rounded(_mix(matrix[:1], _exact(rgb, rounded), offset[:1]), rgb, rounded)


def rgb_to_gray(rgb: Float[Tensor, "b 3 h w"], *, rounded: bool = False) -> Float[Tensor, "b 1 h w"]:
    """MATLAB's ``rgb2gray``: 0.2989 R + 0.5870 G + 0.1140 B with all its digits, so that white stays 1.

    This full-range luma is the one BSD68 was made with, and the one on which blur kernels are estimated.
    """
    weights = torch.tensor([_GRAY], dtype=torch.float64, device=rgb.device)
    return _rounded(_mix(weights, _exact(rgb, rounded), weights.new_zeros(1)), rgb, rounded)


def _matrix_and_offset(like: Tensor) -> tuple[Float[Tensor, "3 3"], Float[Tensor, " 3"]]:
    matrix = torch.tensor(_YCBCR, dtype=torch.float64, device=like.device) / 255
    return matrix, torch.tensor(_YCBCR_OFFSET, dtype=torch.float64, device=like.device) / 255


def _mix(
    matrix: Float[Tensor, "d 3"], image: Float[Tensor, "b 3 h w"], offset: Float[Tensor, " d"]
) -> Float[Tensor, "b d h w"]:
    mixed = torch.einsum("dc,bchw->bdhw", matrix.to(image.dtype), image)
    return mixed + offset.to(image.dtype)[:, None, None]


def _exact(image: Tensor, rounded: bool) -> Tensor:
    """In float64 where the result is to be rounded: a half must not be decided by the precision of the input."""
    return torch.round(image.double() * 255) / 255 if rounded else image


def _rounded(image: Tensor, like: Tensor, rounded: bool) -> Tensor:
    if rounded:
        # What is a half in exact arithmetic may come out 1e-14 below it.
        image = torch.floor(image * 255 + 0.5 + 1e-9).clamp(0, 255) / 255
    return image.to(like.dtype)


def recombined(x: Float[Tensor, "b c h w"], matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "b c h w"]:
    """The matrix times the three channels of every pixel; images of any other number of channels as they are."""
    return torch.einsum("kc,bchw->bkhw", matrix.to(x), x) if x.shape[1] == 3 else x
