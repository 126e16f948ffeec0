"""The problems on which contracts are tried: one of each H, and what one would have without any method."""

import torch
from torch import Tensor

from restora import catalog
from restora.core.method import Method
from restora.core.problem import Problem
from restora.evaluation.contract import CASES, Case, cases_for
from restora.noise.gaussian import Gaussian
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask


def naive(problem: Problem) -> Tensor:
    """y itself, enlarged by its nearest pixels, or its holes filled with the mean of the known pixels."""
    y, H = problem.y, problem.H
    if isinstance(H, Mask):
        known = H.known.to(y).reshape(1, -1, *y.shape[-2:])
        mean = (y * known).sum() / (known * torch.ones_like(y)).sum().clamp_min(1)
        return torch.where(known.expand_as(y) > 0, y, mean)
    if problem.size != y.shape[-2:]:
        return torch.nn.functional.interpolate(y, size=problem.size, mode="nearest-exact")
    return y.expand(-1, H.input_channels(y.shape[1]), -1, -1)


FOURFOLD = Case("downsample-4", lambda size: Downsample(4.0, size=size), Gaussian(0.0))
STRONG = Case("identity-30", lambda size: Identity(), Gaussian(30 / 255))

MADE_FOR = {"srgan": (FOURFOLD,), "rrdb": (FOURFOLD,), "ipt": (STRONG, CASES[4])}
"""Methods that know fewer scales and noise levels than H alone says, and the cases they are tried on instead."""


def cases_of(entry: catalog.Entry) -> tuple[Case, ...]:
    """The cases whose operator the method declares to solve."""
    return MADE_FOR.get(entry.name) or cases_for(entry.load())


def weights_of(method: Method) -> str:
    """Name of the weights a configured method asks for, its own or those of its denoiser; empty if none."""
    denoiser = getattr(method, "denoiser", None)
    return str(getattr(method, "weights", getattr(denoiser, "weights", "")))


PAIRS = tuple((entry, case) for entry in catalog.entries() for case in cases_of(entry))
PAIR_IDS = tuple(f"{entry.name}-{case.name}" for entry, case in PAIRS)
FIRST = tuple((entry, cases_of(entry)[0]) for entry in catalog.entries())
FIRST_IDS = tuple(entry.name for entry, _ in FIRST)
