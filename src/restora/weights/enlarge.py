"""Enlarge: how networks for super-resolution are given a problem, and how far they look."""

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve, MissingWeights
from restora.core.problem import Problem
from restora.nets.precision import Precision
from restora.numerics.imresize import enlarged
from restora.operators.downsample import Downsample
from restora.weights.load import Trained, load
from restora.weights.run import run_network

BICUBIC_REACH = 3
"""Pixels of y on each side that one pixel of its bicubic interpolation depends on, and one to spare."""


def require_downsample(problem: Problem, method: str) -> Downsample:
    """H, which must be MATLAB's bicubic reduction.

    Raises:
        CannotSolve: it is not.
    """
    H = problem.H
    if not isinstance(H, Downsample) or H.kernel != "bicubic":
        raise CannotSolve(f"{method} needs a bicubic Downsample, not {type(H).__name__}")
    return H


def after_interpolation(trained: Trained, problem: Problem, H: Downsample) -> Float[Tensor, "b c h w"]:
    """For networks that mend a bicubic enlargement: any scale."""
    return run_network(trained, enlarged(problem.y, H.scale, problem.size))


def from_coarse_grid(trained: Trained, problem: Problem, H: Downsample) -> Float[Tensor, "b c h w"]:
    """For networks that enlarge by themselves.

    Raises:
        CannotSolve: their scale is another.
    """
    scale = trained.network.scale
    if scale != H.scale:
        raise CannotSolve(f"{trained.name} enlarges {scale} times, not {H.scale:g}: give other weights, or that scale")
    height, width = problem.size
    return run_network(trained, problem.y)[..., :height, :width]


def halo_in_y(weights: str, architectures: tuple[str, ...], precision: Precision, *, interpolated: bool) -> int | None:
    """What the front door asks of a method: its reach in pixels of y; None where the weights are not here.

    For networks behind an interpolation a pixel of x counts as one of y, which is more than enough at any scale.
    """
    try:
        network = load(weights, architectures, torch.device("cpu"), precision).network
    except MissingWeights:
        return None
    if network.halo is None:
        return None
    return network.halo + (BICUBIC_REACH if interpolated else 0)
