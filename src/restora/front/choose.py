"""Choose: which method solves a problem best today, and why. The table is the rule; ``results/`` is its ground."""

from collections.abc import Callable
from dataclasses import dataclass

from restora.core.operator import Operator
from restora.core.problem import Problem
from restora.noise.jpeg import Jpeg
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.mosaic import Mosaic

NOISELESS = 1 / 255
"""σ up to which a measurement counts as free of noise: about the rounding of 8 bits and a little texture."""

PATIENCE = 4_000_000
"""Pixels up to which the slowest methods are chosen: half a minute on two cores."""

NETWORK_PATIENCE = 24_000_000
"""Pixels up to which FFDNet denoises: half a minute in gray, a minute in colour, on two cores."""

SPARSE_PATIENCE = 3_000_000
"""Pixels up to which sparse coding enlarges: half a minute on two cores."""

LARGEST_SCALE = 4.5
"""Up to which the dictionaries for 4 are of use."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The name of a method and the reason in words."""

    method: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """For problems with such an H for which ``when`` holds: this method."""

    H: type[Operator]
    when: Callable[[Problem], bool]
    choice: Choice


def _always(problem: Problem) -> bool:
    return True


def _mostly_missing(problem: Problem) -> bool:
    return isinstance(problem.H, Mask) and float(problem.H.known.mean()) < 0.45


def _noisy(problem: Problem) -> bool:
    return (problem.noise.sigma or 0.0) > NOISELESS


def _large(problem: Problem) -> bool:
    return problem.y.shape[-2] * problem.y.shape[-1] > PATIENCE


def _in_colour(problem: Problem) -> bool:
    return problem.y.shape[1] == 3


def _noisy_and_small(problem: Problem) -> bool:
    return _noisy(problem) and not _large(problem)


def _for_a_network(problem: Problem) -> bool:
    """Too large for BM3D, not for FFDNet, which knows gray and RGB and σ up to 75/255."""
    pixels = problem.y.shape[-2] * problem.y.shape[-1]
    known = problem.y.shape[1] in (1, 3) and (problem.noise.sigma or 0.0) <= 75 / 255
    return known and not isinstance(problem.noise, Jpeg) and PATIENCE < pixels <= NETWORK_PATIENCE


def _within_dictionaries(problem: Problem) -> bool:
    """There are dictionaries for about this scale, and they are quick enough."""
    H = problem.H
    height, width = problem.size
    return isinstance(H, Downsample) and H.scale <= LARGEST_SCALE and height * width <= SPARSE_PATIENCE


_RULES = (
    _Rule(Identity, _for_a_network, Choice("ffdnet", "BM3D would take minutes on so large a picture, this does not")),
    _Rule(Identity, _large, Choice("sliding-dct", "it is within a decibel of the best, in a fraction of the time")),
    _Rule(Identity, _in_colour, Choice("cbm3d", "of the denoisers at hand it leaves the least error")),
    _Rule(Identity, _always, Choice("bm3d", "of the denoisers at hand it leaves the least error")),
    _Rule(Blur, _noisy_and_small, Choice("bm3d-deb", "where there is noise it is best at telling detail from it")),
    _Rule(Blur, _always, Choice("hyper-laplacian", "it is as good as total variation here, and many times faster")),
    _Rule(Downsample, _noisy, Choice("tv", "it holds back the noise while it enlarges")),
    _Rule(Downsample, _within_dictionaries, Choice("scsr", "it draws the edges that back-projection leaves soft")),
    _Rule(Downsample, _always, Choice("back-projection", "it agrees with the small picture; bicubic does not")),
    _Rule(Mask, _noisy, Choice("tv", "it holds back the noise while it fills the holes")),
    _Rule(Mask, _mostly_missing, Choice("harmonic", "it is best where more is missing than known")),
    _Rule(Mask, _always, Choice("tv-inpainting", "it carries edges across the holes")),
    _Rule(Mosaic, _always, Choice("tv", "it solves every linear operator and couples the colours")),
    _Rule(Operator, _always, Choice("tv", "it solves every linear operator")),
)


def choose(problem: Problem) -> Choice:
    """The first rule that fits the problem; the last fits all."""
    return next(rule.choice for rule in _RULES if isinstance(problem.H, rule.H) and rule.when(problem))
