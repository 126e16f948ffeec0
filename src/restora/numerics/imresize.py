"""MATLAB's ``imresize``, in the two conventions that published low-resolution images were made with.

:func:`imresize` is the one for doubles: antialiased, half-sample symmetric borders, neither rounded nor clipped. It
makes the inputs of the SRCNN, VDSR and A+ tables and their bicubic baselines. :func:`imresize_uint8` is that of old
releases for uint8 images: replicated borders, rounded to 8 bits after each of the two passes. The low-resolution PNGs
of the usual Set5, Set14, BSD100 and Urban100 packages were made so; up to seven grey levels lie between the two.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from restora.core.errors import InvalidParameter
from restora.core.operator import Size
from restora.operators.resampling import Kernel, Resampler, resampled_length


def imresize(
    x: Float[Tensor, "b c h w"],
    scale: float | None = None,
    size: Size | None = None,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
) -> Float[Tensor, "b c i j"]:
    """Resize images as MATLAB's ``imresize(double(x), …)`` does.

    Args:
        x: images of any range.
        scale: output size over input size, so 1/4 makes an image smaller; the output has ⌈n·scale⌉ pixels a side.
        size: height and width of the output; each side then has its own scale. Give this or ``scale``, not both.
        kernel: ``bicubic`` (Keys, a = −½) …, see :class:`~restora.operators.resampling.Resampler`.
        antialias: widen the kernel where the image becomes smaller.

    Raises:
        InvalidParameter: neither or both of ``scale`` and ``size``, or one that is not positive.

    Cost: about 4·max(1, 1/scale) multiplications a pixel and pass. Borders are half-sample symmetric.
    """
    rows, columns = _plan((x.shape[-2], x.shape[-1]), scale, size)
    # The smaller scale first, as MATLAB does: fewer pixels are left for the second pass.
    passes = sorted([(rows, -2), (columns, -1)], key=lambda one: one[0][1])
    for (length, ratio), dim in passes:
        if length != x.shape[dim] or ratio != 1:
            x = Resampler(x.shape[dim], length, ratio, kernel, antialias)(x, dim)
    return x


def imresize_uint8(
    x: UInt8[Tensor, "b c h w"],
    scale: float | None = None,
    size: Size | None = None,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
) -> UInt8[Tensor, "b c i j"]:
    """Resize 8-bit images as old releases of MATLAB do: rows first, rounded and saturated after each pass.

    Parameters and errors are those of :func:`imresize`. Borders are replicated. Halves are rounded up.
    """
    rows, columns = _plan((x.shape[-2], x.shape[-1]), scale, size)
    for (length, ratio), dim in ((rows, -2), (columns, -1)):
        resample = Resampler(x.shape[dim], length, ratio, kernel, antialias, boundary="replicate")
        # Where a sum is a half in exact arithmetic, float64 may have it 1e-14 below.
        x = torch.floor(resample(x.double(), dim) + 0.5 + 1e-9).clamp(0, 255).to(torch.uint8)
    return x


def _plan(before: Size, scale: float | None, size: Size | None) -> tuple[tuple[int, float], tuple[int, float]]:
    """(samples, scale) of the output's rows and columns."""
    if (scale is None) == (size is None):
        raise InvalidParameter("imresize takes either a scale or a size")
    if size is not None:
        if min(size) < 1:
            raise InvalidParameter.outside("size", size, "at least 1 pixel a side")
        return (size[0], size[0] / before[0]), (size[1], size[1] / before[1])
    assert scale is not None
    if not scale > 0:
        raise InvalidParameter.outside("scale", scale, "> 0")
    return (resampled_length(before[0], scale), scale), (resampled_length(before[1], scale), scale)
