"""Enlarge: how networks for super-resolution are given a problem."""

from jaxtyping import Float
from torch import Tensor

from restora.core.errors import CannotSolve
from restora.core.problem import Problem
from restora.operators.downsample import Downsample
from restora.weights.load import Trained
from restora.weights.run import run_network


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
    return run_network(trained, H.first_guess(problem.y))


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
