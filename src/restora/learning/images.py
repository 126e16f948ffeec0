"""Training images: folders read once into memory, patches drawn from them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from restora.core.errors import InvalidInput, MissingData
from restora.images.read import read_picture
from restora.learning.recipe import Colour
from restora.numerics.colour import rgb_to_gray, rgb_to_y
from restora.numerics.imresize import imresize

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of a folder: its name, how many images, and the SHA-256 of their sorted SHA-256s."""

    folder: str
    images: int
    sha256: str


@dataclass(frozen=True, eq=False, slots=True)
class Images:
    """Images in memory, 8 bits a sample: (c, h, w) each, of any sizes."""

    images: tuple[UInt8[Tensor, "c _h _w"], ...]
    sources: tuple[Source, ...]


def read_images(root: Path, folders: Sequence[str], colour: Colour) -> Images:
    """All images of the folders, sorted by name.

    Raises:
        MissingData: a folder is not there or holds no image.
        FileProblem: a file cannot be read.
    """
    images: list[Tensor] = []
    sources: list[Source] = []
    for folder in folders:
        images += [_read(path, colour) for path in _paths(root, folder)]
        sources.append(source_of(root, folder))
    return Images(tuple(images), tuple(sources))


def source_of(root: Path, folder: str) -> Source:
    """What a manifest says of a folder of images.

    Raises:
        MissingData: it is not there or holds no image.
    """
    paths = _paths(root, folder)
    return Source(folder, len(paths), digest_of(paths))


def digest_of(paths: Sequence[Path]) -> str:
    """The SHA-256 of the sorted SHA-256s of files, a line each: what a manifest says of its training images."""
    lines = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _paths(root: Path, folder: str) -> list[Path]:
    """The images of a folder, sorted by name."""
    paths = sorted(path for path in (root / folder).glob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise MissingData(f"there are no images in {root / folder}: give --data FOLDER, which holds {folder}")
    return paths


def _read(path: Path, colour: Colour) -> UInt8[Tensor, "c h w"]:
    pixels = np.asarray(read_picture(path).pixels)
    levels = torch.from_numpy(pixels.copy() if pixels.dtype == np.uint8 else (pixels / 257 + 0.5).astype(np.uint8))
    image = (levels[..., None] if levels.ndim == 2 else levels).movedim(-1, 0)
    if colour == "rgb":
        return image.expand(3, -1, -1).contiguous()
    if len(image) == 1:
        return image.contiguous()
    one = image[None].double() / 255
    luma = rgb_to_gray(one, rounded=True) if colour == "gray" else rgb_to_y(one, rounded=True)
    return (luma[0] * 255).round().to(torch.uint8)


def held_out(images: Images, count: int) -> tuple[Images, Images]:
    """(for training, for validation): ``count`` images, spread evenly, are kept out.

    Raises:
        InvalidInput: none would be left to train on.
    """
    total = len(images.images)
    if count >= total:
        raise InvalidInput(f"{count} of {total} images are to be kept for validation: none is left to train on")
    kept = {(2 * i + 1) * total // (2 * count) for i in range(count)}
    train = tuple(image for i, image in enumerate(images.images) if i not in kept)
    return Images(train, images.sources), Images(tuple(images.images[i] for i in sorted(kept)), images.sources)


def with_sizes(images: Images, sizes: Sequence[float]) -> Images:
    """Each image at each of these sizes (1 is itself), reduced by MATLAB's imresize and rounded."""
    made: list[Tensor] = []
    for size in sizes:
        for image in images.images:
            if size == 1.0:
                made.append(image)
            else:
                small = imresize(image[None].float() / 255, scale=size)[0]
                made.append((small.clamp(0, 1) * 255).round().to(torch.uint8))
    return Images(tuple(made), images.sources)


class Patches:
    """Random patches of images, turned and mirrored at random: the eight symmetries of the square.

    Args:
        images: to draw from; those smaller than ``side`` are left out.
        side: of the patches.
        device: where the images are held and the patches made.

    Raises:
        InvalidInput: no image is large enough.
    """

    def __init__(self, images: Images, side: int, device: torch.device) -> None:
        large = [image for image in images.images if min(image.shape[-2:]) >= side]
        if not large:
            raise InvalidInput(f"no training image has {side} pixels a side: make the patches smaller")
        self.side = side
        self._images = [image.to(device) for image in large]
        areas = [(image.shape[-2] - side + 1) * (image.shape[-1] - side + 1) for image in large]
        self._shares = torch.tensor(areas, dtype=torch.float64)

    def draw(self, count: int, generator: torch.Generator) -> Float[Tensor, "b c s s"]:
        """``count`` patches in [0, 1]. The generator is one of the CPU."""
        chosen = torch.multinomial(self._shares, count, replacement=True, generator=generator).tolist()
        where = torch.rand(count, 2, generator=generator, dtype=torch.float64).tolist()
        turns = torch.randint(8, (count,), generator=generator).tolist()
        patches = [
            self._patch(self._images[i], down, right, turn) for i, (down, right), turn in zip(chosen, where, turns)
        ]
        return torch.stack(patches).float() / 255

    def _patch(self, image: Tensor, down: float, right: float, turn: int) -> Tensor:
        top = int(down * (image.shape[-2] - self.side + 1))
        left = int(right * (image.shape[-1] - self.side + 1))
        patch = image[:, top : top + self.side, left : left + self.side]
        patch = torch.rot90(patch, turn % 4, (-2, -1))
        return patch.flip(-1) if turn >= 4 else patch
