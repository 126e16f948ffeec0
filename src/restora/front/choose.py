"""Choose: which method solves a problem best today, and why. The table was made from ``results/``."""

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

LARGEST_FOR_BM3D = 4_000_000
"""Pixels up to which the slowest classical methods are chosen: half a minute on two cores."""

LARGEST_FOR_DRUNET = 8_000_000
"""Pixels up to which DRUNet denoises: half a minute on two cores."""

STRONG = 25 / 255
"""σ from which DRUNet is as good as CBM3D at colour images, in a quarter of the time."""

LARGEST_FOR_FFDNET = 24_000_000
"""Pixels up to which FFDNet denoises: half a minute in gray, a minute in colour, on two cores."""

LARGEST_FOR_DNCNN = 4_000_000
"""Pixels up to which DnCNN deblocks JPEGs: half a minute on two cores."""

FINEST_JPEG = 75
"""Quality up to which DnCNN is better than BM3D at JPEGs."""

LARGEST_FOR_RRDB = 12_000_000
"""Pixels of the enlargement up to which RRDB makes it: half a minute on two cores."""

LARGEST_FOR_SCN = 8_000_000
"""Pixels of the enlargement up to which SCN makes it: half a minute on two cores, by 3, where it costs the most."""

LARGEST_FOR_DPIR = 300_000
"""Pixels of the result up to which a network is run dozens of times: half a minute on two cores, a minute where the
proximal problem has no closed form."""

LARGEST_SCALE = 4.5
"""Up to which SCN, a cascade of enlargements by 2, is of use."""

LARGEST_SIGMA = 75 / 255
"""Up to which DRUNet and FFDNet were trained."""


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


def _noisy(problem: Problem) -> bool:
    return (problem.noise.sigma or 0.0) > NOISELESS


def _pixels(problem: Problem) -> int:
    """Of the result."""
    height, width = problem.size
    return height * width


def _large(problem: Problem) -> bool:
    return _pixels(problem) > LARGEST_FOR_BM3D


def _in_colour(problem: Problem) -> bool:
    return problem.y.shape[1] == 3


def _noisy_and_small(problem: Problem) -> bool:
    return _noisy(problem) and not _large(problem)


def _white_noise(problem: Problem) -> bool:
    """What the networks know: noise, no compression, in one channel or three, of σ up to 75/255."""
    known = problem.y.shape[1] in (1, 3) and (problem.noise.sigma or 0.0) <= LARGEST_SIGMA
    return known and not isinstance(problem.noise, Jpeg)


def _for_drunet(problem: Problem) -> bool:
    """In colour, and strong or too large for BM3D; weak noise, and that in gray images, BM3D still finds better."""
    strong_or_large = (problem.noise.sigma or 0.0) >= STRONG or _large(problem)
    return _white_noise(problem) and _in_colour(problem) and strong_or_large and _pixels(problem) <= LARGEST_FOR_DRUNET


def _for_ffdnet(problem: Problem) -> bool:
    """Too large for BM3D."""
    return _white_noise(problem) and LARGEST_FOR_BM3D < _pixels(problem) <= LARGEST_FOR_FFDNET


def _for_dncnn(problem: Problem) -> bool:
    """A JPEG coarse enough: from a quality of about 80 on, the network takes away more than the compression did."""
    noise = problem.noise
    return isinstance(noise, Jpeg) and noise.quality <= FINEST_JPEG and _pixels(problem) <= LARGEST_FOR_DNCNN


def _for_dpir(problem: Problem) -> bool:
    """Small, and in colour: the network for gray images is not good enough yet (see results/deblur)."""
    in_colour = problem.H.input_channels(problem.y.shape[1]) == 3
    return in_colour and _white_noise(problem) and _pixels(problem) <= LARGEST_FOR_DPIR


def _noisy_for_dpir(problem: Problem) -> bool:
    return _noisy(problem) and _for_dpir(problem)


def _for_rrdb(problem: Problem) -> bool:
    return problem.H.stride == 4 and _pixels(problem) <= LARGEST_FOR_RRDB


def _for_scn(problem: Problem) -> bool:
    return problem.size[0] / problem.y.shape[-2] <= LARGEST_SCALE and _pixels(problem) <= LARGEST_FOR_SCN


def _for_espcn(problem: Problem) -> bool:
    return problem.H.stride in (2, 3, 4)


def _mostly_missing(problem: Problem) -> bool:
    return isinstance(problem.H, Mask) and float(problem.H.known.mean()) < 0.45


_DPIR = Choice("dpir", "a network of what images look like, run dozens of times, leaves the least error")

_RULES = (
    _Rule(Identity, _for_dncnn, Choice("dncnn", "its network has learnt what JPEG does to images")),
    _Rule(Identity, _for_drunet, Choice("drunet", "it is as good as BM3D or better, in a quarter of the time")),
    _Rule(Identity, _for_ffdnet, Choice("ffdnet", "it is within half a decibel of the best, in a third of the time")),
    _Rule(Identity, _large, Choice("sliding-dct", "it is within a decibel of BM3D, in a fraction of the time")),
    _Rule(Identity, _in_colour, Choice("cbm3d", "of the denoisers at hand it leaves the least error here")),
    _Rule(Identity, _always, Choice("bm3d", "of the denoisers at hand it leaves the least error in gray images")),
    _Rule(Blur, _for_dpir, _DPIR),
    _Rule(Blur, _noisy_and_small, Choice("bm3d-deb", "where there is noise it is best at telling detail from it")),
    _Rule(Blur, _always, Choice("hyper-laplacian", "it is as good as total variation here, and many times faster")),
    _Rule(Downsample, _noisy_for_dpir, _DPIR),
    _Rule(Downsample, _noisy, Choice("tv", "it holds back the noise while it enlarges")),
    _Rule(
        Downsample, _for_rrdb, Choice("rrdb", "its network has learnt what lies behind a picture four times smaller")
    ),
    _Rule(Downsample, _for_scn, Choice("scn", "its network has learnt which edges lie behind a small picture")),
    _Rule(Downsample, _for_espcn, Choice("espcn", "its network works on the small picture, so the large is quick")),
    _Rule(Downsample, _always, Choice("back-projection", "it agrees with the small picture; bicubic does not")),
    _Rule(Mask, _for_dpir, _DPIR),
    _Rule(Mask, _noisy, Choice("tv", "it holds back the noise while it fills the holes")),
    _Rule(Mask, _mostly_missing, Choice("harmonic", "it is best where more is missing than known")),
    _Rule(Mask, _always, Choice("tv-inpainting", "it carries edges across the holes")),
    _Rule(Operator, _for_dpir, _DPIR),
    _Rule(Mosaic, _always, Choice("tv", "it solves every linear operator and couples the colours")),
    _Rule(Operator, _always, Choice("tv", "it solves every linear operator")),
)


def choose(problem: Problem) -> Choice:
    """The first rule that fits the problem; the last fits all."""
    return next(rule.choice for rule in _RULES if isinstance(problem.H, rule.H) and rule.when(problem))
