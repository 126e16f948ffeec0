"""The problems on which contracts are tried: one of each H, on a photograph."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from restora import catalog
from restora.core.method import Method
from restora.core.noise import Noise
from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.decimate import BlurDecimate
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic
from restora.operators.psf import disk_psf, gaussian_psf
from restora.operators.spatially_varying_blur import SpatiallyVaryingBlur


def nearest(y: Tensor, size: tuple[int, int]) -> Tensor:
    return torch.nn.functional.interpolate(y, size=size, mode="nearest-exact")


def mean_filled(y: Tensor, known: Tensor) -> Tensor:
    mean = (y * known).sum() / (known * torch.ones_like(y)).sum().clamp_min(1)
    return torch.where(known.expand_as(y) > 0, y, mean)


@dataclass(frozen=True)
class Case:
    """An operator for images of a size, its noise, and what one would have without any method."""

    name: str
    H: Callable[[tuple[int, int]], Operator]
    noise: Noise
    naive: Callable[[Problem], Tensor]
    colour_only: bool = False

    def problem(self, x: Tensor, seed: int = 0) -> Problem:
        return Problem.simulate(x, self.H((x.shape[-2], x.shape[-1])), self.noise, seed)


def _measured(problem: Problem) -> Tensor:
    return problem.y


def _enlarged(problem: Problem) -> Tensor:
    return nearest(problem.y, problem.size)


def _gray_fill(problem: Problem) -> Tensor:
    assert isinstance(problem.H, Mask)
    return mean_filled(problem.y, problem.H.known.to(problem.y).reshape(1, -1, *problem.y.shape[-2:]))


def _holes(size: tuple[int, int], keep: float) -> Operator:
    """A random mask that knows at least one pixel."""
    return Mask.random(size, max(keep, 1 / (size[0] * size[1])), torch.Generator().manual_seed(0))


def _varying_blur(size: tuple[int, int]) -> Operator:
    radii = torch.linspace(1.0, 3.0, size[1]).expand(*size)
    return SpatiallyVaryingBlur.from_defocus(radii.clone())


CASES = (
    Case("identity", lambda size: Identity(), Gaussian(25 / 255), _measured),
    Case("blur", lambda size: Blur(gaussian_psf(1.6), "circular"), Gaussian(2 / 255), _measured),
    Case("blur-replicate", lambda size: Blur(disk_psf(2.0), "replicate"), Gaussian(2 / 255), _measured),
    Case("varying-blur", _varying_blur, Gaussian(1 / 255), _measured),
    Case("downsample", lambda size: Downsample(2.0, size=size), Gaussian(0.0), _enlarged),
    Case("blur-decimate", lambda size: BlurDecimate(gaussian_psf(1.0), 2), Gaussian(0.0), _enlarged),
    Case("mask", lambda size: _holes(size, 0.5), Gaussian(0.0), _gray_fill),
    Case("mosaic", lambda size: Mosaic("RGGB"), Gaussian(1 / 255), lambda p: p.y.expand(-1, 3, -1, -1), True),
    Case(
        "composition",
        lambda size: _holes(size, 0.7) @ Blur(gaussian_psf(1.0), "reflect"),
        Gaussian(1 / 255),
        _measured,
    ),
)

FOURFOLD = Case("downsample-4", lambda size: Downsample(4.0, size=size), Gaussian(0.0), _enlarged)
STRONG = Case("identity-30", lambda size: Identity(), Gaussian(30 / 255), _measured)

MADE_FOR = {"srgan": (FOURFOLD,), "rrdb": (FOURFOLD,), "ipt": (STRONG, CASES[4])}
"""Methods that know fewer scales and noise levels than H alone says, and the cases they are tried on instead."""


def cases_of(entry: catalog.Entry) -> tuple[Case, ...]:
    """The cases whose operator the method declares to solve."""
    solves = entry.spec().solves
    cases = MADE_FOR.get(entry.name, CASES)
    return tuple(case for case in cases if isinstance(case.H((32, 32)), solves))


def weights_of(method: Method) -> str:
    """Name of the weights a configured method asks for, its own or those of its denoiser; empty if none."""
    denoiser = getattr(method, "denoiser", None)
    return str(getattr(method, "weights", getattr(denoiser, "weights", "")))


PAIRS = tuple((entry, case) for entry in catalog.entries() for case in cases_of(entry))
PAIR_IDS = tuple(f"{entry.name}-{case.name}" for entry, case in PAIRS)
FIRST = tuple((entry, cases_of(entry)[0]) for entry in catalog.entries())
FIRST_IDS = tuple(entry.name for entry, _ in FIRST)
