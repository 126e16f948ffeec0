"""How the CPU kernels of this room are fed: which tensors they take, as arrays, and cut into which strips of rows."""

import numpy as np
import torch
from torch import Tensor

SERIAL = 1 << 17
"""Numbers in an array up to which waking other threads costs more than it saves."""

_STRIP = 32  # rows a thread does in one go


def native(*tensors: Tensor) -> bool:
    """Whether the Numba kernels take these: on the CPU, without gradients, in single or double precision."""
    return all(
        t.device.type == "cpu" and not t.requires_grad and t.dtype in (torch.float32, torch.float64) for t in tensors
    )


def as_array(x: Tensor) -> np.ndarray:
    """The tensor as a contiguous array; they share memory where it is contiguous already."""
    return x.contiguous().numpy()


def strips_of(x: Tensor, strip: int = _STRIP) -> np.ndarray:
    """The jobs of a kernel: (image, first row, row after the last) of each strip of a batch (b, c, h, w)."""
    height = x.shape[-2]
    firsts = range(0, height, strip)
    return np.array([(image, i, min(i + strip, height)) for image in range(len(x)) for i in firsts])


def single_at_least(x: Tensor) -> Tensor:
    """The image in the precision in which it is computed: half precision is raised to float32."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()
