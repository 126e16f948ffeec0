"""Backend: the choice between compiled kernels on the processor and Torch.

A function that has both writes ``compute = of_cpu if runs_on_cpu_kernels(y, guide) else of_torch``. How kernels are
compiled, and from what size on they share their work among threads, is :mod:`restora.core.kernels`.
"""

import torch
from torch import Tensor

_ALLOCATOR = ("can't allocate memory", "not enough memory", "bad_alloc", "cannot allocate memory")
"""Texts by which Torch reports on a CPU, in a plain RuntimeError, that memory is used up."""


def single_at_least(x: Tensor) -> Tensor:
    """The tensor in the precision in which it is computed: float32 and float64 stay, all else becomes float32."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def runs_on_cpu_kernels(*tensors: Tensor | None) -> bool:
    """Whether compiled kernels may run on these tensors; None is passed over.

    They take tensors on the CPU, in float32 or float64, that need no gradient. Torch computes all others.
    """
    return all(
        x is None or (x.device.type == "cpu" and not x.requires_grad and x.dtype in (torch.float32, torch.float64))
        for x in tensors
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory is used up, as Torch reports it on a GPU or a CPU, or as Python does."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _ALLOCATOR)
