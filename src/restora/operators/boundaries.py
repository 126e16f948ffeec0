"""Values beyond the border: half-sample symmetric or replicated extension of an image, and its true adjoint."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

Extension = Literal["reflect", "replicate"]
"""``reflect``: (d c b a | a b c d | d c b a), half-sample symmetric: SciPy's "reflect", MATLAB's "symmetric".
``replicate``: (a a a a | a b c d | d d d d), SciPy's "nearest"."""


def inside(index: Int[Tensor, "*shape"], n: int, boundary: Extension) -> Int[Tensor, "*shape"]:
    """The samples 0 … n − 1 that stand at these indices of a signal extended without end."""
    if boundary == "replicate":
        return index.clamp(0, n - 1)
    phase = index.remainder(2 * n)
    return torch.minimum(phase, 2 * n - 1 - phase)


def extend(
    x: Float[Tensor, "b c h w"], before: tuple[int, int], after: tuple[int, int], boundary: Extension
) -> Float[Tensor, "b c p q"]:
    """Px: x with ``before`` (rows, columns) more pixels at the top and left, ``after`` at the bottom and right.

    The extension may be longer than the image itself.
    """
    for dim, i in ((-2, 0), (-1, 1)):
        n = x.shape[dim]
        if before[i] or after[i]:
            index = torch.arange(-before[i], n + after[i], device=x.device)
            x = x.index_select(dim, inside(index, n, boundary))
    return x


def extend_adjoint(
    y: Float[Tensor, "b c p q"], before: tuple[int, int], after: tuple[int, int], boundary: Extension
) -> Float[Tensor, "b c h w"]:
    """Pᵀy: every pixel outside is added to the pixel it was copied from."""
    for dim, i in ((-1, 1), (-2, 0)):
        n = y.shape[dim] - before[i] - after[i]
        head, body, tail = y.split((before[i], n, after[i]), dim)
        for border, start in ((head, -before[i]), (tail, n)):
            if border.shape[dim]:
                index = torch.arange(start, start + border.shape[dim], device=y.device)
                body = body.index_add(dim, inside(index, n, boundary), border)
        y = body
    return y
