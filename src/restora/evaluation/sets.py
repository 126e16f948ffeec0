"""Image sets: which files a benchmark is made of. The list is ``sets.toml``; the files are the user's."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from restora.core.errors import FileProblem, MissingData, UnknownName
from restora.core.reading import from_table, read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A named list of images, each with its reference and, where it was photographed degraded, its measurement.

    Attributes:
        name: as the literature calls it.
        folder: where the files lie, relative to the folder of benchmark data.
        reference: pattern of the true image's file, as explained in ``sets.toml``.
        measured: pattern of the measured image's file; None where the measurement is simulated.
        names: the images in order; empty means all files that match.
        count: how many there must be.
    """

    name: str
    folder: str
    reference: str = "{name}.png"
    measured: str | None = None
    names: tuple[str, ...] = ()
    count: int

    def images(self, data: Path) -> tuple[str, ...]:
        """Names of the images, in order.

        Raises:
            MissingData: the folder is not there, or does not hold the images it should.
        """
        folder = data / self.folder
        names = self.names or self._found(folder)
        absent = [name for name in names if not self._path(data, self.reference, name).is_file()]
        if len(names) != self.count or absent:
            raise MissingData(
                f"{self.name} is not complete: {folder} should hold {self.count} images like "
                f"{self.reference.partition('#')[0]}"
                + (f", and lacks {', '.join(absent[:3])}" if absent else f", and holds {len(names)}")
            )
        return names

    def read_reference(self, data: Path, name: str) -> Float[Tensor, "1 c h w"]:
        """The true image, float64 in [0, 1]."""
        return read_image(self._path(data, self.reference, name), _key(self.reference))

    def read_measured(self, data: Path, name: str) -> Float[Tensor, "1 c h w"] | None:
        """The measured image, float64 in [0, 1]; None where there is none."""
        if self.measured is None:
            return None
        return read_image(self._path(data, self.measured, name), _key(self.measured))

    def _path(self, data: Path, pattern: str, name: str) -> Path:
        file = pattern.partition("#")[0]
        return data / self.folder / file.format(name=name, scene=name.partition("_")[0])

    def _found(self, folder: Path) -> tuple[str, ...]:
        """Names of all files that match the pattern that tells images apart."""
        pattern = (self.measured or self.reference).partition("#")[0]
        before, after = pattern.split("{name}")
        named = re.compile(re.escape(before.rpartition("/")[2]) + "(.+)" + re.escape(after))
        matches = (named.fullmatch(path.name) for path in folder.glob(f"{before}*{after}"))
        return tuple(sorted(match[1] for match in matches if match))


def _key(pattern: str) -> str | None:
    return pattern.partition("#")[2] or None


@cache
def image_sets() -> dict[str, ImageSet]:
    """All sets, by name."""
    found: dict[str, ImageSet] = {}
    for name, entry in read_toml(Path(__file__).parent / "sets.toml").items():
        table = {"name": name, "count": len(entry.get("names", ())), **entry}
        found[name] = from_table(ImageSet, table, f"sets.toml: {name}")
    return found


def find_set(name: str) -> ImageSet:
    """The set of that name, in whatever case.

    Raises:
        UnknownName: there is none; the message names the nearest.
    """
    sets = image_sets()
    for known, image_set in sets.items():
        if known.lower() == name.lower():
            return image_set
    raise UnknownName.among("image set", name, tuple(sets))


def read_image(path: Path, key: str | None = None) -> Float[Tensor, "1 c h w"]:
    """An 8-bit picture divided by 255, or the array ``key`` of a .mat or .npz file as it is; float64.

    Raises:
        FileProblem: the file is missing or cannot be read.
    """
    array = read_array(path, key) if key is not None else _read_picture(path) / 255
    image = torch.from_numpy(np.asarray(array, dtype=np.float64))
    return image[None, None] if image.ndim == 2 else image.movedim(-1, 0)[None]


def read_array(path: Path, key: str) -> np.ndarray:
    """The array ``key`` of a .mat (version 5) or .npz file.

    Raises:
        FileProblem: the file is missing, cannot be read, or has no such array.
    """
    try:
        if path.suffix == ".mat":
            from scipy.io import loadmat  # noqa: PLC0415 (slow to import, needed for one set)

            return loadmat(path, variable_names=[key])[key]
        with np.load(path) as arrays:
            return arrays[key]
    except (OSError, KeyError, ValueError) as problem:
        raise FileProblem(f"cannot read the array {key!r} of {path}: {problem}") from problem


def _read_picture(path: Path) -> np.ndarray:
    """Gray levels 0 … 255: (h, w) of a gray picture, (h, w, 3) of a colour one."""
    try:
        with Image.open(path) as picture:
            return np.array(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"))
    except OSError as problem:
        raise FileProblem(f"cannot read {path}: {problem}") from problem
