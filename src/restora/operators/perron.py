"""A bound on the norm of an operator without negative entries, by the quotients of Collatz and Wielandt."""

import math

import torch

from restora.core.operator import Operator, Size

QUOTIENTS = 5
"""Applications of HᵀH; each makes the bound tighter."""
_FLOOR = 1e-3
"""Least entry of w over its greatest: it keeps the quotients of pixels of little weight in H above rounding errors."""


def nonnegative_norm_bound(H: Operator, size: Size) -> float:
    """‖H‖² <= max_j (HᵀHw)_j / w_j for any w > 0, as HᵀH has no negative entries; w comes near its first eigenvector.

    For w = 1 this is ‖H‖₁‖H‖∞ where the rows of H sum to one. It costs five applications of H and Hᵀ to one channel.
    """
    w = torch.ones(1, 1, *size, dtype=torch.float64)
    bound = math.inf
    for _ in range(QUOTIENTS):
        v = H.adjoint(H(w))
        bound = min(bound, float((v / w).max()))
        w = v / v.max() + _FLOOR
    return bound**0.5
