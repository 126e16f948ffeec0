"""Coded enlargement: how methods with a pair of dictionaries are given a problem."""

from typing import Any

from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.core.progress import Progress
from restora.core.result import Result, Status
from restora.numerics.back_projection import back_projected
from restora.operators.downsample import Downsample
from restora.patches.coded_patches import Coding, code_patches
from restora.patches.coded_patches import reach_of as reach_of_patches
from restora.weights.dictionaries import dictionaries

SCALES = (2, 3, 4)
"""Those that pairs of dictionaries ship for."""


def pair_for(family: str, H: Operator) -> str:
    """The name of the pair for the scale of H, or for the nearest one: ``scsr-x2`` …"""
    scale = H.scale if isinstance(H, Downsample) else SCALES[0]
    return f"{family}-x{min(SCALES, key=lambda s: abs(s - scale))}"


def reach_of(method: Any) -> int | None:
    """The halo of a method with the fields ``weights``, ``overlap`` and ``back_projections``."""
    return reach_of_patches(dictionaries(method.weights)[0], method.overlap, method.back_projections)


def enlarge_by_codes(problem: Problem, coding: Coding, T: int, progress: Progress) -> Result:
    """The interpolated image made finer patch by patch, and then near to what was measured of it.

    Args:
        problem: y and H, a :class:`Downsample`; each channel is taken as luma.
        coding: the dictionaries, and how patches are coded over them.
        T: back-projections, >= 0.
        progress: called after every strip of patches.
    """
    H, y = problem.H, problem.y
    x = code_patches(H.first_guess(y), coding, progress)
    for _ in range(T):
        x, _ = back_projected(x, y, H)
    return Result(x, Status.done(f"patches of {coding.side} over {coding.D_h.shape[1]} atoms"))
