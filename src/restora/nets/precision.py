"""Precision: in which numbers a network computes."""

from typing import Literal

import torch

from restora.nets.network import Network

Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""``auto`` is bfloat16 where the device has instructions for it and the network loses nothing, else float32."""


def has_fast_bfloat16(device: torch.device) -> bool:
    """The device multiplies in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        # Torch has no public names for these.
        known = (torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported)  # pyright: ignore
        return any(has() for has in known)
    return False


def dtype_for(network: Network, precision: Precision, device: torch.device, sigma: float) -> torch.dtype:
    """The dtype of weights and features, for images with noise of standard deviation σ."""
    if precision != "auto":
        return getattr(torch, precision)
    return torch.bfloat16 if sigma >= network.bfloat16_from and has_fast_bfloat16(device) else torch.float32
