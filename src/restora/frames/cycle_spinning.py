"""Cycle spinning (Coifman and Donoho 1995): the result of a transform on a grid, averaged over its shifts."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.progress import Progress, silent
from restora.operators.boundaries import extend

Image = Float[Tensor, "b c h w"]


def cycle_spun(
    y: Image,
    restore: Callable[[Image], Image],
    spins: int,
    boundary: Literal["periodic", "reflect"] = "periodic",
    progress: Progress = silent,
) -> Image:
    """Mean over 0 <= i, j < ``spins`` of S⁻¹ R(S y), where S moves the image down by i and to the right by j.

    The shifts are consecutive: even ones alone would not change the finest level of a dyadic transform. The sum
    is taken in float32 at least.

    Args:
        y: images.
        restore: R, which keeps the size of what it is given.
        spins: shifts along each side, >= 1; 1 is R itself.
        boundary: ``periodic`` shifts the image periodically; ``reflect`` shifts it over a border that is extended by
            reflection (half-sample symmetric), so that R gets images up to spins − 1 pixels larger.
        progress: called after every shift.

    See R. R. Coifman, D. L. Donoho, "Translation-invariant de-noising", 1995, doi:10.1007/978-1-4612-2544-7_9.
    """
    total = torch.zeros_like(y, dtype=torch.promote_types(y.dtype, torch.float32))
    shifts = [(i, j) for i in range(spins) for j in range(spins)]
    for done, (i, j) in enumerate(shifts, start=1):
        if boundary == "periodic":
            x = restore(y.roll((i, j), (-2, -1))).roll((-i, -j), (-2, -1))
        else:
            x = restore(extend(y, (i, j), (0, 0), "reflect"))[..., i:, j:]
        total += x
        progress(done, len(shifts), "shifts")
    return (total / len(shifts)).to(y.dtype)
