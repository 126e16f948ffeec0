"""Colour: how a method that knows nothing of colour is given a colour image."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from restora.core.problem import Problem
from restora.core.result import Result
from restora.noise.gaussian import Gaussian
from restora.numerics.colour import rgb_to_ycbcr, ycbcr_to_rgb
from restora.numerics.imresize import imresize

LUMA_GAIN = math.hypot(65.481, 128.553, 24.966) / 255
"""σ of white noise in Y of YCbCr, relative to its σ in R, G and B."""


@dataclass(frozen=True, slots=True)
class PerChannel:
    """Each channel by itself."""

    def split(self, problem: Problem) -> Iterator[Problem]:
        for i in range(problem.y.shape[1]):
            yield replace(problem, y=problem.y[:, i : i + 1], H=problem.H.channel(i))

    def join(self, problem: Problem, results: Iterable[Result]) -> Result:
        return Result.joined(list(results), lambda images: torch.cat(tuple(images), dim=1))

    def count(self, problem: Problem) -> int:
        return problem.y.shape[1]

    def __str__(self) -> str:
        return "each channel by itself"


@dataclass(frozen=True, slots=True)
class LumaOnly:
    """Y of MATLAB's YCbCr by the method; Cb and Cr stay as they are, or are enlarged by MATLAB's bicubic."""

    def split(self, problem: Problem) -> Iterator[Problem]:
        sigma = problem.noise.sigma
        noise = problem.noise if sigma is None else Gaussian(sigma * LUMA_GAIN)
        yield replace(problem, y=rgb_to_ycbcr(problem.y)[:, :1], H=problem.H.channel(0), noise=noise)

    def join(self, problem: Problem, results: Iterable[Result]) -> Result:
        chroma = rgb_to_ycbcr(problem.y)[:, 1:]

        def with_chroma(luma: Sequence[Tensor]) -> Tensor:
            (y,) = luma
            size = (y.shape[-2], y.shape[-1])
            resized = chroma if chroma.shape[-2:] == size else imresize(chroma, size=size)
            return ycbcr_to_rgb(torch.cat((y, resized), dim=1))

        return Result.joined(list(results), with_chroma)

    def count(self, problem: Problem) -> int:
        return 1

    def __str__(self) -> str:
        return "luma by the method, chroma by bicubic interpolation"
