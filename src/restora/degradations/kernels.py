"""Blur kernels by spec, by the names that the literature's protocols use, or from a file."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import FileProblem, InvalidParameter, MissingData
from restora.degradations.specs import Spec, Word, whole
from restora.operators.psf import camera_shake_psf, disk_psf, gaussian_psf, motion_psf, uniform_psf
from restora.operators.psf_files import read_psf


def _inverse_quadratic() -> Float[Tensor, "15 15"]:
    """1 / (1 + i² + j²), normalised."""
    t = torch.arange(-7, 8, dtype=torch.float64)
    psf = 1 / (1 + t[:, None] ** 2 + t**2)
    return psf / psf.sum()


def _binomial() -> Float[Tensor, "5 5"]:
    """[1 4 6 4 1]ᵀ [1 4 6 4 1] / 256."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=torch.float64)
    return row[:, None] * row / 256


def _shake(side: float, seed: float = 0.0) -> Float[Tensor, "k k"]:
    return camera_shake_psf(whole("shake", side), torch.Generator().manual_seed(whole("shake", seed)))


_KERNELS: Mapping[str, Word] = MappingProxyType(
    {
        "gaussian": Word("gaussian:SIGMA", 1, gaussian_psf),
        "disk": Word("disk:RADIUS", 1, disk_psf),
        "motion": Word("motion:LENGTH:DEGREES", 1, motion_psf),
        "uniform": Word("uniform:SIDE", 1, lambda side: uniform_psf(whole("uniform", side))),
        "shake": Word("shake:SIDE:SEED", 1, _shake),
        "inverse-quadratic-15": Word("inverse-quadratic-15", 0, _inverse_quadratic),
        "uniform-9": Word("uniform-9", 0, lambda: uniform_psf(9)),
        "binomial-5": Word("binomial-5", 0, _binomial),
        "gaussian-25-1.6": Word("gaussian-25-1.6", 0, lambda: gaussian_psf(1.6, 25)),
        "gaussian-25-0.4": Word("gaussian-25-0.4", 0, lambda: gaussian_psf(0.4, 25)),
    }
    | {f"levin-{k}": Word(f"levin-{k}", 0, lambda: None) for k in range(1, 9)}  # of a file: see kernel()
)


def read_kernel(text: str) -> Spec | Path:
    """Read a spec, or take the text as the path of a file, which may be relative to the folder of data.

    Raises:
        UnknownName: the text is neither.
        InvalidParameter: the numbers do not belong to the word.
    """
    word = text.partition(":")[0]
    if os.path.exists(text) or (word not in _KERNELS and re.search(r"[./\\]", word)):
        return Path(text)
    spec = Spec.read("kernel", text, _KERNELS)
    if not word.startswith("levin-"):
        for end in spec.ends():
            kernel(end)
    return spec


def kernel(spec: Spec | Path, data: Path = Path()) -> Float[Tensor, "kh kw"]:
    """Make the kernel, float64, of sum one; files and the kernels of Levin et al. (2009) are read below ``data``.

    Raises:
        InvalidParameter: a number is outside its range.
        FileProblem: the file is missing or cannot be read.
        InvalidInput: the file does not hold a kernel.
        MissingData: the file of Levin's kernels is missing.
    """
    if isinstance(spec, Path):
        if not (data / spec).exists():
            raise FileProblem(f"there is no file {data / spec}")
        return read_psf(data / spec)
    if spec.word.startswith("levin-"):
        path = data / "kernels" / "levin09.npz"
        if not path.is_file():
            raise MissingData(f"the kernels of Levin et al. 2009 are missing: expected {path} with arrays k1 … k8")
        return read_psf(path, f"k{spec.word.removeprefix('levin-')}")
    if not all(isinstance(n, float) for n in spec.numbers):
        raise InvalidParameter(f"kernel {spec.text!r} is not allowed: write {_KERNELS[spec.word].usage}")
    psf = _KERNELS[spec.word].make(*spec.numbers)
    assert isinstance(psf, Tensor)
    return psf
