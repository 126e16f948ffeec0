"""The small problems whose results are stored: a picture made by a formula, and noise of a frozen stream of NumPy."""

from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from contracts.cases import cases_of, weights_of
from restora import catalog
from restora.core.problem import Problem
from restora.evaluation.contract import Case
from restora.evaluation.metrics import psnr
from restora.front.configure import configure
from restora.nets import precision
from restora.weights.store import shipped_folder

FILE = Path(__file__).with_name("crops.npz")
SIDE = 64
SIDE_OF_LOOPS = 32
"""Of plug-and-play methods, which run a network dozens of times."""

STEP = 3
"""Every third row and column is stored: they lie everywhere in the picture, and on every place of a grid of blocks."""

LOW, HIGH = -0.5, 1.5
"""What 16 bits stand for."""


@dataclass(frozen=True)
class Golden:
    """A method on a problem."""

    entry: catalog.Entry
    case: Case
    colour: bool

    @property
    def name(self) -> str:
        return f"{self.entry.name}-{self.case.name}" + ("-colour" if self.colour else "")

    def reference(self) -> Tensor:
        side = SIDE_OF_LOOPS if self.entry.family == "plug_and_play" else SIDE
        x = picture(side)
        return torch.from_numpy(x if self.colour else x[:, 1:2])

    def problem(self) -> Problem:
        x = self.reference()
        H = self.case.H((x.shape[-2], x.shape[-1]))
        y = H(x)
        noise = np.random.RandomState(0).standard_normal(tuple(y.shape))
        return Problem((y + self.case.noise.sigma * torch.from_numpy(noise)).float(), H, self.case.noise)

    def is_shipped(self) -> bool:
        """Its weights, if it asks for any, come with the package."""
        name = weights_of(configure(self.entry.load(), self.problem(), {}))
        return not name or (shipped_folder() / f"{name}.safetensors").is_file()

    def restored(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """The result with the parameters of the paper; networks compute in float32."""
        problem = self.problem()
        problem = problem.with_y(problem.y.to(dtype))
        with patch.object(precision, "has_fast_bfloat16", lambda device: False):
            generator = torch.Generator().manual_seed(0)
            return configure(self.entry.load(), problem, {}).run(problem, generator=generator).x

    def psnr(self, x: Tensor) -> float:
        return float(psnr(x.double(), self.reference()))


def picture(side: int) -> np.ndarray:
    """A colour picture (1, 3, side, side) of 256 levels: a shaded ground, a disk, an edge, lines and a fine texture."""
    i, j = np.mgrid[:side, :side] / side
    red = 0.3 + 0.4 * i + 0.1 * np.sin(9 * j)
    red = np.where((i - 0.35) ** 2 + (j - 0.4) ** 2 < 0.06, 0.8 - 0.3 * j, red)
    red = np.where(i + 0.6 * j > 1.15, 0.25 + 0.2 * np.sin(70 * (i - 0.4 * j)), red)
    texture = 0.08 * np.sin(95 * i) * np.sin(83 * j) * (j > 0.7)
    lines = 0.25 * ((np.arange(side)[None, :] + np.arange(side)[:, None] // 2) % 13 == 0) * (i < 0.5)
    green = 0.85 * red + 0.1 * j + texture + lines
    blue = 0.6 * red + 0.25 * (1 - i) + 0.5 * texture
    levels = np.round(255 * np.clip(np.stack([red, green, blue]), 0, 1))
    return levels[None] / 255


def goldens() -> tuple[Golden, ...]:
    """Every method on its first two operators, and on the first in colour where it takes all channels at once."""
    found: list[Golden] = []
    for entry in catalog.entries():
        for index, case in enumerate(cases_of(entry)[:2]):
            if not case.colour_only:
                found.append(Golden(entry, case, False))
            if case.colour_only or (index == 0 and entry.spec().colour == "native"):
                found.append(Golden(entry, case, True))
    return tuple(found)


def crop(x: Tensor) -> Tensor:
    """The stored part of a result."""
    return x[..., STEP // 2 :: STEP, STEP // 2 :: STEP].double()


def written(x: Tensor) -> np.ndarray:
    """The stored part in 16 bits."""
    return np.round((crop(x).numpy().clip(LOW, HIGH) - LOW) / (HIGH - LOW) * 65535).astype(np.uint16)


def read(levels: np.ndarray) -> Tensor:
    """What :func:`written` wrote."""
    return torch.from_numpy(levels / 65535.0 * (HIGH - LOW) + LOW)
