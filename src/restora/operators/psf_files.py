"""Point spread functions from files: images, .npy, .npz and .mat."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from torch import Tensor

from restora.core.damage import NUMPY_ERRORS, damage
from restora.core.errors import FileProblem, InvalidInput


def read_psf(path: Path | str, key: str | None = None, *, centre: bool = False) -> Float[Tensor, "kh kw"]:
    """Read a PSF and make it what restora takes: float64, odd sides, sum one.

    A side that is even is given one more row or column of zeros at its end: so the centre stays ⌊k/2⌋ and the blur the
    same. Channels of an image are averaged, its transparency is left out.

    Args:
        path: an image that Pillow reads, or .npy, .npz, .mat (MATLAB 4 to 7.2).
        key: name of the array in .npz or .mat; needed where there are several.
        centre: move it by whole pixels, so that its centre of mass comes to lie in the middle pixel. A restored image
            moves with it.

    Raises:
        FileProblem: the file is missing, damaged, or of a kind that is not read (MATLAB 7.3 among them).
        InvalidInput: what it holds is not a two-dimensional array of finite numbers with a positive sum; or ``key`` is
            wrong or missing.
    """
    path = Path(path)
    if not path.is_file():
        raise FileProblem(f"there is no file {path}")
    psf = _checked(_read(path, key), path)
    psf = np.pad(psf, [(0, 1 - side % 2) for side in psf.shape])
    return torch.from_numpy(_centred(psf) if centre else psf)


def _read(path: Path, key: str | None) -> NDArray[Any]:
    match path.suffix.lower():
        case ".npy":
            with damage(*NUMPY_ERRORS, what=path):
                return np.load(path, allow_pickle=False)
        case ".npz":
            with damage(*NUMPY_ERRORS, what=path), np.load(path, allow_pickle=False) as archive:
                arrays = dict(archive)
            return _pick(arrays, key, path)
        case ".mat":
            return _pick(_matlab(path), key, path)
        case _:
            return _gray(path)


def _matlab(path: Path) -> dict[str, Any]:
    try:
        with damage(OSError, ValueError, TypeError, LookupError, MatReadError, zlib.error, what=path):
            variables = loadmat(path)
    except NotImplementedError as error:
        raise FileProblem(f"{path} is a MATLAB 7.3 file: save it in MATLAB with save(…, '-v7')") from error
    return {name: value for name, value in variables.items() if not name.startswith("__")}


def _pick(arrays: Mapping[str, Any], key: str | None, path: Path) -> NDArray[Any]:
    names = sorted(arrays)
    if key is None and len(names) == 1:
        return arrays[names[0]]
    if key is None or key not in names:
        asked = "holds several arrays" if key is None else f"holds no {key!r}"
        raise InvalidInput(f"{path} {asked}: give as key one of {', '.join(names) or '(it is empty)'}")
    return arrays[key]


def _gray(path: Path) -> NDArray[Any]:
    with damage(OSError, SyntaxError, ValueError, what=path), Image.open(path) as image:
        image.load()
    bands = image.getbands()
    array = np.asarray(image.convert("RGB") if bands == ("P",) else image, dtype=np.float64)
    if array.ndim == 2:
        return array
    return array[..., : 1 if bands[-1] == "A" and len(bands) == 2 else 3].mean(-1)


def _checked(psf: NDArray[Any], path: Path) -> NDArray[np.float64]:
    """The array as float64 with sum one."""
    if psf.ndim != 2 or psf.size == 0 or psf.dtype.kind not in "buif":
        raise InvalidInput(f"a PSF is a two-dimensional array of numbers; {path} holds {psf.dtype} of {psf.shape}")
    psf = psf.astype(np.float64)
    if not np.isfinite(psf).all():
        raise InvalidInput(f"the PSF in {path} holds NaN or infinity")
    if not psf.sum() > 0:
        raise InvalidInput(f"the PSF in {path} sums to {psf.sum():.6g}: it must be positive")
    return psf / psf.sum()


def _centred(psf: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moved by whole pixels, on zeros, into the smallest odd square-cornered frame that loses nothing."""
    shift = [
        round(side // 2 - float((psf.sum(1 - axis) * np.arange(side)).sum())) for axis, side in enumerate(psf.shape)
    ]
    # A shift by d is d zeros in front, and as many behind to keep the middle where the mass now is: 2|d| in all.
    return np.pad(psf, [(2 * d, 0) if d > 0 else (0, -2 * d) for d in shift])
