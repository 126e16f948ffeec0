"""Holes: what is missing in a picture, from a mask file or from a colour in the picture itself."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from restora.cli.inputs import Source
from restora.core.errors import FileProblem, InvalidInput, UnknownName
from restora.front.pictures import marked_in, tensor_of, transparent_in
from restora.images.picture import Picture
from restora.images.read import read_picture

ALPHA = "alpha"
"""The word for: whatever is transparent."""

_COLOURS = {
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Holes:
    """Where the holes are to be found.

    Attributes:
        mask: a file, or a folder with a file of the same stem for each picture; None is the picture itself.
        missing: a colour, or ``alpha``.
    """

    mask: Path | None
    missing: str

    @classmethod
    def of(cls, mask: Path | None, missing: str | None) -> "Holes":
        """As the command line says; white unless it says otherwise.

        Raises:
            UnknownName: there is no such colour.
            FileProblem: there is no such mask.
        """
        word = missing or "white"
        if word != ALPHA:
            colour_from(word)
        if mask is not None and not os.path.exists(mask):
            raise FileProblem(f"the mask {mask} does not exist")
        return cls(mask, word)

    def of_picture(self, picture: Picture, source: Source) -> Bool[NDArray[np.bool_], "h w"]:
        """True where a pixel of ``picture`` is missing.

        Raises:
            InvalidInput: the mask has another size, or says that all or nothing is missing.
            FileProblem: the mask cannot be read.
        """
        if self.mask is None:
            missing, where = _marked(picture, self.missing), "the picture"
        else:
            path = self._file(self.mask, source)
            missing, where = _shown(read_picture(path), self.missing), f"the mask {path}"
        if missing.shape != picture.size:
            raise InvalidInput(f"{where} is of {_size(missing.shape)} pixels, the picture of {_size(picture.size)}")
        if missing.all() or not missing.any():
            what = "all" if missing.any() else "nothing"
            raise InvalidInput(f"{where} marks {what} as missing ({self.missing}): --missing tells another colour")
        return missing

    def _file(self, mask: Path, source: Source) -> Path:
        if not os.path.isdir(mask):
            return mask
        folder = mask / source.inside.parent
        files = sorted(path for path in folder.glob("*") if path.stem == source.inside.stem)
        if not files:
            raise FileProblem(f"there is no mask for {source} in {folder}")
        return files[0]


def _marked(picture: Picture, word: str) -> NDArray[np.bool_]:
    """In the picture itself, the colour must be met closely: the rest of the picture has colours, too."""
    return transparent_in(picture) if word == ALPHA else marked_in(picture, colour_from(word))


def _shown(mask: Picture, word: str) -> NDArray[np.bool_]:
    """In a mask, white and black are whatever is nearer to the one than to the other, as soft edges are not exact."""
    if word == ALPHA:
        return transparent_in(mask)
    if word in ("white", "black"):
        bright = (tensor_of(mask)[0, :3].mean(dim=0) >= 0.5).numpy()
        return bright if word == "white" else ~bright
    return marked_in(mask, colour_from(word), tolerance=0.25)


def _size(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]}"


def colour_from(text: str) -> tuple[float, float, float]:
    """A colour in [0, 1] from its name or ``#rrggbb``.

    Raises:
        UnknownName: no such colour.
    """
    match = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text)
    if match:
        red, green, blue = (int(pair, 16) / 255 for pair in match.groups())
        return red, green, blue
    if text.lower() not in _COLOURS:
        raise UnknownName.among("colour", text, ["alpha", "#rrggbb", *_COLOURS])
    return _COLOURS[text.lower()]
