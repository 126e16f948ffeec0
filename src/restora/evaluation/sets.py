"""Image sets: which files a benchmark is made of. The list is ``sets.toml``; any folder of pictures is a set too."""

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import FileProblem, MissingData, UnknownName
from restora.core.reading import from_table, read_toml
from restora.images.formats import FORMATS
from restora.images.read import read_picture


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A named list of images, each with its reference and, where it was photographed degraded, its measurement.

    Attributes:
        name: as the literature calls it.
        folder: where the files lie, relative to the folder of benchmark data; of a user's own set, absolute.
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


def set_of_folder(folder: Path) -> ImageSet:
    """The pictures of a folder as a set, called after the folder and a hash of what its files hold.

    Raises:
        MissingData: the folder holds no pictures.
        FileProblem: a file cannot be read.
    """
    suffixes = {suffix for form in FORMATS for suffix in form.suffixes}
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    if not paths:
        raise MissingData(f"{folder} holds no pictures")
    digest = hashlib.sha256()
    try:
        for path in paths:
            digest.update(f"{path.name}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    except OSError as problem:
        raise FileProblem(f"cannot read the pictures of {folder}: {problem}") from problem
    whole = folder.resolve()
    name = f"{re.sub(r'[^a-z0-9]+', '_', whole.name.lower())}_{digest.hexdigest()[:8]}"
    names = tuple(path.name for path in paths)
    return ImageSet(name=name, folder=str(whole), reference="{name}", names=names, count=len(names))


def data_folder(data: Path | None, sets: Iterable[ImageSet]) -> Path:
    """The folder of benchmark data, given or of the environment variable RESTORA_DATA.

    Raises:
        MissingData: it is not given though one of the ``sets`` lies there, or it does not exist.
    """
    given = data or (Path(os.environ["RESTORA_DATA"]) if os.environ.get("RESTORA_DATA") else None)
    if given is None:
        if all(Path(one.folder).is_absolute() for one in sets):
            return Path()
        raise MissingData("where are the benchmark data? give --data FOLDER, or set RESTORA_DATA")
    if not given.is_dir():
        raise MissingData(f"the folder of benchmark data {given} is not there")
    return given


def read_image(path: Path, key: str | None = None) -> Float[Tensor, "1 c h w"]:
    """A picture in [0, 1], or the array ``key`` of a .mat or .npz file as it is; float64.

    Raises:
        FileProblem: the file is missing or cannot be read.
    """
    array = read_array(path, key) if key is not None else _read_picture(path)
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
    """The samples in [0, 1]: (h, w) of a gray picture, (h, w, 3) of a colour one; opacity is left out."""
    picture = read_picture(path)
    channels = picture.pixels.shape[2]
    if channels not in (1, 3):
        raise FileProblem(f"{path} has {channels} channels: benchmarks take gray and colour")
    whole = picture.pixels / np.float64(picture.white if picture.pixels.dtype.kind != "f" else 1)
    return whole[..., 0] if channels == 1 else whole
