"""Pictures of a benchmark run: what every method made of every image, as 8-bit PNG files."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from restora.core.errors import FileProblem

DEGRADED = "degraded"
"""The folder beside those of the methods in which the measurements lie."""


class Pictures:
    """A folder ``pictures/<method>/<protocol>/<image>.png``, and ``pictures/degraded/…`` for the measurements.

    Args:
        folder: that holds them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, method: str, protocol: str, image: str) -> Path:
        """Where a picture lies."""
        return self.folder / method.replace(":", ".") / protocol / f"{image}.png"

    def save(self, x: Float[Tensor, "1 c h w"], method: str, protocol: str, image: str) -> None:
        """Write an image clipped and rounded to 8 bits; channels other than 1 or 3 are not written.

        Raises:
            FileProblem: the file cannot be written.
        """
        if x.shape[1] not in (1, 3):
            return
        levels = torch.floor(x[0].detach().cpu().clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()
        path = self.path(method, protocol, image)
        partial = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(levels[0] if len(levels) == 1 else np.moveaxis(levels, 0, -1)).save(partial, "PNG")
            partial.replace(path)
        except OSError as problem:
            raise FileProblem(f"cannot write {path}: {problem}") from problem

    def save_once(self, x: Float[Tensor, "1 c h w"], protocol: str, image: str) -> None:
        """Write a measurement, unless it is there."""
        if not self.path(DEGRADED, protocol, image).is_file():
            self.save(x, DEGRADED, protocol, image)
