"""exp for the inner loops of Numba kernels, written so that the compiler turns it into vector instructions.

Without Intel's SVML, which the wheels of Numba lack, ``math.exp`` is a call for every pixel, twelve times slower.
"""

import math
from collections.abc import Callable
from typing import no_type_check

import numpy as np
from numba import types
from numba.extending import overload

_LOG2E = np.float32(1.4426950408889634)
_LN2_HIGH = np.float32(0.693359375)  # ln 2 in two parts: n times the first is exact for every n that occurs
_LN2_LOW = np.float32(-2.12194440e-4)
_SHIFTER = np.float32(12582912.0)  # 1.5·2²³: adding it rounds to an integer, left in the lowest bits of the sum
_LOWEST = np.float32(-80.0)  # exp of it, 1.8e-35, leaves room above the denormal numbers for a few divisions


def exp(x: float | np.floating) -> float:
    """eˣ for x <= 0, inside Numba kernels only.

    float32: to 1e-7 relative for x >= −80; below, exp(−80) = 1.8e-35. float64: the C library's.
    """
    raise NotImplementedError("exp is for Numba kernels; use math.exp")


@no_type_check
def _single(x: float) -> float:
    """2ⁿ·eʳ with n = round(x/ln 2) and |r| <= ½ ln 2; eʳ by its Taylor series, 2ⁿ by adding n to the exponent bits."""
    x = max(x, _LOWEST)
    shifted = np.float32(x * _LOG2E + _SHIFTER)
    n = shifted - _SHIFTER
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = np.float32(1 / 5040)
    p = p * r + np.float32(1 / 720)
    p = p * r + np.float32(1 / 120)
    p = p * r + np.float32(1 / 24)
    p = p * r + np.float32(1 / 6)
    p = p * r + np.float32(1 / 2)
    p = p * r + np.float32(1)
    p = np.float32(p * r + np.float32(1))
    exponent = np.int32(shifted.view(np.int32) << np.int32(23))
    return np.int32(p.view(np.int32) + exponent).view(np.float32)


@no_type_check
def _double(x: float) -> float:
    return math.exp(x)


@overload(exp, jit_options={"fastmath": {"contract"}})
@no_type_check
def _implementation(x: float) -> Callable[[float], float]:
    """What Numba compiles for a call of :func:`exp`; it passes the type of the argument."""
    return _single if x == types.float32 else _double
