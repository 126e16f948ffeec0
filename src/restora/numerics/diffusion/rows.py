"""Inputs of the CPU kernels of diffusion: tensors as arrays, cut into strips of rows."""

import numpy as np
from torch import Tensor

SERIAL = 1 << 17
"""Numbers in an array up to which waking other threads costs more than it saves."""

_STRIP = 32  # rows a thread does in one go


def as_array(x: Tensor) -> np.ndarray:
    """The tensor as a contiguous array; they share memory where it is contiguous already."""
    return x.contiguous().numpy()


def strips_of(x: Tensor, strip: int = _STRIP) -> np.ndarray:
    """The jobs of a kernel: (image, first row, row after the last) of each strip of a batch (b, c, h, w)."""
    height = x.shape[-2]
    firsts = range(0, height, strip)
    return np.array([(image, i, min(i + strip, height)) for image in range(len(x)) for i in firsts])
