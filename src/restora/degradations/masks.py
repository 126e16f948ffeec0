"""Masks by spec, or from a file."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from restora.core.errors import FileProblem, InvalidParameter, MissingData
from restora.core.operator import Size
from restora.degradations.specs import Spec, Word, whole
from restora.noise.matlab_v4 import rand_v4
from restora.operators.mask import Mask


def _numpy(size: Size, generator: torch.Generator, kept: float, seed: float = 0.0) -> Mask:
    return _above(torch.from_numpy(np.random.RandomState(whole("seed", seed)).random_sample(size)), kept)


def _matlab(size: Size, generator: torch.Generator, kept: float, seed: float = 0.0) -> Mask:
    return _above(rand_v4(size, whole("seed", seed)), kept)


def _above(uniform: Tensor, kept: float) -> Mask:
    """Keep the pixels whose uniform number exceeds the missing share."""
    if not 0 < kept <= 1:
        raise InvalidParameter.outside("keep", kept, "in (0, 1]")
    return Mask.from_array(uniform > 1 - kept)


_MASKS: Mapping[str, Word] = MappingProxyType(
    {
        "random": Word("random:SHARE-KEPT", 1, lambda size, generator, kept: Mask.random(size, kept, generator)),
        "numpy": Word("numpy:SHARE-KEPT:SEED", 1, _numpy),
        "matlab-v4": Word("matlab-v4:SHARE-KEPT:SEED", 1, _matlab),
        "text": Word(
            "text:HEIGHT", 0, lambda size, generator, height=16.0: Mask.text(size, height=whole("text", height))
        ),
        "known": Word("known:FILE", 1, lambda: None),  # read by read_mask
    }
)


def read_mask(text: str) -> Spec | Path:
    """Read a mask spec; ``known:FILE`` is a picture that is white where a pixel is known.

    Raises:
        UnknownName: the word is unknown.
        InvalidParameter: the numbers do not belong to it.
    """
    word, _, rest = text.partition(":")
    if word == "known" and rest:
        return Path(rest)
    spec = Spec.read("mask", text, _MASKS)
    if not all(isinstance(n, float) for n in spec.numbers):
        raise InvalidParameter(f"mask {text!r} is not allowed: write {_MASKS[word].usage}")
    mask(spec, (64, 64), torch.Generator())
    return spec


def mask(spec: Spec | Path, size: Size, generator: torch.Generator, data: Path = Path()) -> Mask:
    """Make the mask of that size. A file is read below ``data``; a larger one is cut at bottom and right.

    Raises:
        InvalidParameter: a number is outside its range.
        MissingData: the file is missing.
        FileProblem: the file cannot be read.
        InvalidInput: no pixel is known.
    """
    if isinstance(spec, Path):
        return _from_file(data / spec, size)
    made = _MASKS[spec.word].make(size, generator, *spec.numbers)
    assert isinstance(made, Mask)
    return made


def _from_file(path: Path, size: Size) -> Mask:
    if not path.is_file():
        raise MissingData(f"the mask is missing: expected {path}")
    try:
        with Image.open(path) as picture:
            levels = np.array(picture.convert("L"))
    except OSError as problem:
        raise FileProblem(f"cannot read the mask {path}: {problem}") from problem
    return Mask.from_array(levels[: size[0], : size[1]] > 127.5)
