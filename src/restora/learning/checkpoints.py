"""Checkpoints: everything a training needs to go on as if it had never been stopped."""

import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from restora.core.errors import FileProblem, InvalidInput
from restora.learning.learners import Supervised
from restora.learning.recipe import Recipe

NAME = "checkpoint.pt"


def save_checkpoint(folder: Path, recipe: Recipe, learner: Supervised, step: int, seconds: float) -> None:
    """Write the checkpoint; the old one stays until the new one is whole.

    Raises:
        FileProblem: it cannot be written.
    """
    content = {"recipe": repr(_frozen_part(recipe)), "step": step, "seconds": seconds, "learner": learner.state()}
    partial = folder / (NAME + ".part")
    try:
        with partial.open("wb") as stream:
            torch.save(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(folder / NAME)
    except OSError as problem:
        raise FileProblem(f"cannot write {folder / NAME}: {problem}") from problem


def load_checkpoint(folder: Path, recipe: Recipe, learner: Supervised, device: torch.device) -> tuple[int, float]:
    """Take up a checkpoint: (steps done, seconds spent), (0, 0) where there is none.

    Raises:
        FileProblem: it cannot be read.
        InvalidInput: it belongs to another recipe; only the number of steps may have been changed.
    """
    path = folder / NAME
    if not path.exists():
        return 0, 0.0
    try:
        content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, LookupError, pickle.UnpicklingError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise FileProblem(f"cannot read {path}: {reason}") from problem
    if content["recipe"] != repr(_frozen_part(recipe)):
        raise InvalidInput(f"{path} was made by another recipe: give another --out, or delete it to begin anew")
    learner.load(content["learner"])
    return int(content["step"]), float(content["seconds"])


def _frozen_part(recipe: Recipe) -> dict[str, Any]:
    """The recipe without what may change when a training is taken up again."""
    training = replace(recipe.training, steps=0, validate_every=1, checkpoint_every=1.0)
    data = replace(recipe.data, terms="")
    part = asdict(replace(recipe, training=training, data=data, purpose="", licence=""))
    del part["blend"]
    return part
