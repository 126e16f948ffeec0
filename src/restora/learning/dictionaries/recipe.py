"""The recipe of a pair of dictionaries: what it depends on, and the function that trains it.

A recipe is a TOML file with ``name``, ``kind = "dictionaries"``, ``[data] folders`` and a table ``[dictionaries]``
whose keys are the attributes of :class:`DictionaryRecipe` (``lambda`` for ``lam``) and, for coupled training, those of
:class:`~restora.learning.dictionaries.coupled.Descent`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from restora.core.errors import InvalidParameter, UnknownName
from restora.core.progress import Progress
from restora.learning.dictionaries.coupled import Descent, train_coupled
from restora.learning.dictionaries.joint import train_joint
from restora.learning.dictionaries.samples import Samples, draw_samples
from restora.learning.images import Images, held_out, read_images


@dataclass(frozen=True, slots=True)
class DictionaryRecipe:
    """All that a pair depends on, beside the images.

    Attributes:
        scale: of super-resolution, >= 2.
        atoms: K.
        patch: side of a patch.
        lam: λ of the codes.
        samples: pairs drawn before flat ones are dropped.
        iterations: of joint training.
        coupled: go on with coupled training.
        validation: so many images are kept out of the training.
        seed: of all randomness.
    """

    scale: int
    atoms: int = 512
    patch: int = 5
    lam: float = 0.15
    samples: int = 100_000
    iterations: int = 40
    coupled: bool = False
    validation: int = 9
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"scale": 2, "atoms": 1, "patch": 2, "samples": 1, "iterations": 1, "validation": 1}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise InvalidParameter.outside(name, getattr(self, name), f">= {value}")


def train_dictionaries(
    recipe: Mapping[str, object], folder: Path, progress: Progress | None = None
) -> tuple[Float[Tensor, "p K"], Float[Tensor, "q K"]]:
    """Train the pair of a recipe.

    Args:
        recipe: the table of the TOML file.
        folder: where the folders of training images lie.
        progress: told after each iteration of the joint training, then after each pass of the coupled one.

    Returns:
        D_h and D_l.

    Raises:
        MissingData: a folder is not there or empty.
        InvalidParameter: a field is missing, of the wrong kind or out of range.
        UnknownName: the table has a key that no recipe of dictionaries has.
    """
    fields_, descent = read_fields(recipe)
    data = recipe.get("data")
    folders = data.get("folders") if isinstance(data, Mapping) else None
    if not isinstance(folders, list):
        raise InvalidParameter("the recipe lacks data.folders, a list of names of folders")
    images, kept = held_out(read_images(folder, [str(name) for name in folders], "y"), fields_.validation)
    generator = torch.Generator().manual_seed(fields_.seed)
    samples = _samples(images, fields_, fields_.samples, generator)
    checks = _samples(kept, fields_, max(1, fields_.samples // 10), generator)
    pair = train_joint(
        samples,
        atoms=fields_.atoms,
        lam=fields_.lam,
        iterations=fields_.iterations,
        generator=generator,
        progress=progress,
    )
    if not fields_.coupled:
        return pair
    return train_coupled(
        samples, checks, pair, lam=fields_.lam, descent=descent, generator=generator, progress=progress
    )


def read_fields(recipe: Mapping[str, object]) -> tuple[DictionaryRecipe, Descent]:
    """The fields of the table ``[dictionaries]``.

    Raises:
        InvalidParameter: a field is missing, of the wrong kind or out of range.
        UnknownName: a key that is not known.
    """
    table = recipe.get("dictionaries")
    if not isinstance(table, Mapping):
        raise InvalidParameter("the recipe lacks the table [dictionaries]")
    values = {"lam" if name == "lambda" else str(name): value for name, value in table.items()}
    if "scale" not in values:
        raise InvalidParameter("the recipe lacks dictionaries.scale")
    kinds: dict[str, object] = {one.name: one.type for part in (DictionaryRecipe, Descent) for one in fields(part)}
    for name, value in values.items():
        if name not in kinds:
            raise UnknownName.among("key of a recipe of dictionaries", name, tuple(kinds))
        wanted = (int, float) if kinds[name] is float else kinds[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kinds[name] is not bool):  # type: ignore[arg-type]
            raise InvalidParameter.outside(f"dictionaries.{name}", value, f"of type {kinds[name]}")
    of = [
        {one.name: values[one.name] for one in fields(part) if one.name in values}
        for part in (DictionaryRecipe, Descent)
    ]
    return DictionaryRecipe(**of[0]), Descent(**of[1])  # type: ignore[arg-type]


def _samples(images: Images, recipe: DictionaryRecipe, count: int, generator: torch.Generator) -> Samples:
    luma = [image[None].float() / 255 for image in images.images]
    return draw_samples(luma, scale=recipe.scale, patch=recipe.patch, count=count, generator=generator)
