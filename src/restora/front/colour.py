"""Colour: how a method that knows nothing of colour is given a colour image."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.problem import Problem
from restora.core.result import Result
from restora.core.spec import Colour
from restora.noise.gaussian import Gaussian
from restora.numerics.colour import rgb_to_ycbcr, ycbcr_to_rgb
from restora.numerics.imresize import imresize

LUMA_GAIN = math.hypot(65.481, 128.553, 24.966) / 255
"""σ of white noise in Y of YCbCr, relative to its σ in R, G and B."""


def in_colour(problem: Problem, run: Callable[[Problem], Result], colour: Colour) -> Result:
    """Run on all channels at once, on each, or on luma alone, as the method declares.

    The result is that of the first run with x, and parts of the same channels, put together again.
    """
    channels = problem.y.shape[1]
    if colour == "native" or channels == 1:
        return run(problem)
    if colour == "luma-chroma" and channels == 3:
        return _on_luma(problem, run)
    results = [run(_channel(problem, index)) for index in range(channels)]
    first = results[0]
    return Result(
        torch.cat([result.x for result in results], dim=1), first.status, first.kernel, first.parts, first.stats
    )


def _channel(problem: Problem, index: int) -> Problem:
    y = problem.y[:, index : index + 1]
    return Problem(y, problem.H.channel(index), problem.noise, problem.frames)


def _on_luma(problem: Problem, run: Callable[[Problem], Result]) -> Result:
    """Y of MATLAB's YCbCr by the method; Cb and Cr as they are, or enlarged by MATLAB's bicubic."""
    ycbcr = rgb_to_ycbcr(problem.y)
    sigma = problem.noise.sigma
    noise = problem.noise if sigma is None else Gaussian(sigma * LUMA_GAIN)
    result = run(Problem(ycbcr[:, :1], problem.H.channel(0), noise, problem.frames))
    chroma: Float[Tensor, "b 2 h w"] = ycbcr[:, 1:]
    if result.x.shape[-2:] != chroma.shape[-2:]:
        chroma = imresize(chroma, size=(result.x.shape[-2], result.x.shape[-1]))
    x = ycbcr_to_rgb(torch.cat([result.x, chroma], dim=1))
    return Result(x, result.status, result.kernel, result.parts, result.stats)
