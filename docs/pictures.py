"""The picture of a method: a photograph as it was measured, as it was restored, and as it was."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data
from torch import Tensor

from restora.catalog import Entry
from restora.core.errors import MissingWeights
from restora.core.problem import Problem
from restora.front.restore import restore
from restora.noise.gaussian import Gaussian
from restora.operators.blur import Blur
from restora.operators.downsample import Downsample
from restora.operators.identity import Identity
from restora.operators.mask import Mask
from restora.operators.psf import gaussian_psf

GAP = 8


SCALE = {"srgan": 4.0, "rrdb": 4.0, "srresnet": 4.0}
"""Methods whose only network is for another scale than 3."""


def draw(entry: Entry, path: Path) -> bool:
    """Write the three pictures side by side; False where the weights are not here."""
    photograph = torch.from_numpy(np.ascontiguousarray(data.coffee()[60:300, 100:340])).movedim(-1, 0)[None] / 255
    problem = _problem(entry.tasks[0], photograph, SCALE.get(entry.name, 3.0))
    try:
        restored = restore(problem, entry.name).x
    except MissingWeights:
        path.unlink(missing_ok=True)
        return False
    shown = [_shown(problem.y, photograph), restored, photograph]
    gap = torch.ones(1, 3, photograph.shape[-2], GAP)
    sheet = torch.cat([shown[0], gap, shown[1], gap, shown[2]], dim=-1)
    pixels = (sheet[0].movedim(0, -1).clamp(0, 1) * 255).round().byte().numpy()
    Image.fromarray(pixels).save(path)
    return True


def _problem(task: str, x: Tensor, scale: float) -> Problem:
    size = (x.shape[-2], x.shape[-1])
    H, sigma = {
        "denoise": (Identity(), 25 / 255),
        "deblur": (Blur(gaussian_psf(1.6), "reflect"), 2 / 255),
        "super-resolve": (Downsample(scale), 0.0),
        "inpaint": (Mask.random(size, 0.5, torch.Generator().manual_seed(0)), 0.0),
    }[task]
    return Problem.simulate(x, H, Gaussian(sigma), seed=0)


def _shown(y: Tensor, like: Tensor) -> Tensor:
    return torch.nn.functional.interpolate(y, size=like.shape[-2:], mode="nearest-exact")
