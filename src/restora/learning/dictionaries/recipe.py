"""The recipe of a pair of dictionaries: what it depends on, and the function that trains it.

A recipe is a TOML file with ``name``, ``kind = "dictionaries"``, a table ``[data]``, a table ``[dictionaries]`` whose
keys are the attributes of :class:`~restora.learning.dictionaries.joint.Joint` (``lambda`` for ``lam``) and, for coupled
training, a table ``[descent]`` with those of :class:`~restora.learning.dictionaries.coupled.Descent`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from restora.core.progress import Progress, silent
from restora.learning.dictionaries.coupled import Descent, train_coupled
from restora.learning.dictionaries.joint import Joint, train_joint
from restora.learning.dictionaries.samples import Pair, Samples, draw_samples
from restora.learning.images import Images, held_out, read_images


@dataclass(frozen=True, slots=True)
class Folders:
    """The images: names of folders below the folder of training data, and the terms on which they may be used."""

    folders: tuple[str, ...]
    terms: str = ""


@dataclass(frozen=True, slots=True)
class DictionaryRecipe:
    """A training of a pair of dictionaries.

    Attributes:
        name: of the weights it makes, and of its files.
        kind: what tells the file from the recipe of a network.
        data: the images.
        dictionaries: joint training, with which every pair begins.
        descent: coupled training, which follows where it is given.
        purpose: a sentence for the record of the weights.
    """

    name: str
    kind: Literal["dictionaries"]
    data: Folders
    dictionaries: Joint
    descent: Descent | None = None
    purpose: str = ""


def train_dictionaries(recipe: DictionaryRecipe, folder: Path, progress: Progress = silent) -> Pair:
    """Train the pair of a recipe.

    Args:
        recipe: the images and all parameters.
        folder: where the folders of training images lie.
        progress: called after each iteration of the joint training, then after each pass of the coupled one.

    Returns:
        D_h and D_l.

    Raises:
        MissingData: a folder is not there or empty.
    """
    joint = recipe.dictionaries
    images, kept = held_out(read_images(folder, recipe.data.folders, "y"), joint.validation)
    generator = torch.Generator().manual_seed(joint.seed)
    samples = _samples(images, joint, joint.samples, generator)
    checks = _samples(kept, joint, max(1, joint.samples // 10), generator)
    pair = train_joint(samples, joint, generator, progress)
    if recipe.descent is None:
        return pair
    return train_coupled(samples, checks, pair, joint.lam, recipe.descent, generator, progress)


def _samples(images: Images, joint: Joint, count: int, generator: torch.Generator) -> Samples:
    luma = [image[None].float() / 255 for image in images.images]
    return draw_samples(luma, scale=joint.scale, patch=joint.patch, count=count, generator=generator)
