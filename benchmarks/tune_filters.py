"""The rules of seven filters, found on training images: the parameters of least mean squared error for each σ.

    RESTORA_DATA=… python -m benchmarks.tune_filters

Every tenth of the 400 training images of 180 × 180 pixels, white noise of 255σ = 15, 25, 50. From the values in
``RULES`` one after another is moved by a factor (or by one, where it counts) as long as the mean PSNR rises; the factor
goes from 1.3 over 1.15 to 1.07. Other beginnings find other optima: those of the rules at hand were tried too.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from PIL import Image

from restora.core.method import Method
from restora.core.problem import Problem
from restora.methods.filters.bilateral import Bilateral
from restora.methods.filters.catte import CatteDiffusion
from restora.methods.filters.domain_transform import DomainTransform
from restora.methods.filters.domain_transform_joint import JointDomainTransform
from restora.methods.filters.edge_enhancing import EdgeEnhancingDiffusion
from restora.methods.filters.guided import GuidedFilter
from restora.methods.filters.perona_malik import PeronaMalik
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

Values = dict[str, float]

RULES: dict[str, tuple[Callable[[Values, float], Method], Values]] = {
    "bilateral": (
        lambda v, s: Bilateral(sigma_s=v["sigma_s"], sigma_r=v["sigma_r/σ"] * s),
        {"sigma_s": 1.4, "sigma_r/σ": 2.5},
    ),
    "domain-transform": (
        lambda v, s: DomainTransform(sigma_s=v["sigma_s"], sigma_r=v["sigma_r/σ"] * s),
        {"sigma_s": 2.5, "sigma_r/σ": 5.0},
    ),
    "domain-transform-joint": (
        lambda v, s: JointDomainTransform(
            sigma_s=v["sigma_s"], sigma_r=v["sigma_r/σ"] * s, presmoothing=v["presmoothing"]
        ),
        {"sigma_s": 8.0, "sigma_r/σ": 1.0, "presmoothing": 0.8},
    ),
    "guided": (
        lambda v, s: GuidedFilter(radius=round(v["#radius"]), epsilon=v["epsilon/σ²"] * s**2),
        {"#radius": 1, "epsilon/σ²": 3.0},
    ),
    "catte-diffusion": (
        lambda v, s: CatteDiffusion(
            K=v["255K"] / 255, pre_smoothing=v["pre_smoothing"], iterations=round(v["#iterations"])
        ),
        {"255K": 8.0, "pre_smoothing": 1.0, "#iterations": 10},
    ),
    "eed": (
        lambda v, s: EdgeEnhancingDiffusion(
            v["255contrast"] / 255, v["pre_smoothing"], 0.2 * round(v["#cycles"]), round(v["#cycles"])
        ),
        {"255contrast": 12.0, "pre_smoothing": 1.0, "#cycles": 5},
    ),
    "perona-malik": (
        lambda v, s: PeronaMalik(v["K/σ"], iterations=round(v["#iterations"])),
        {"K/σ": 0.6, "#iterations": 15},
    ),
}
"""Name -> the method of some values and σ, and where to begin; what begins with # counts."""


def training_images(every: int = 10) -> list[torch.Tensor]:
    """Some of Train400, (1, 1, 180, 180) in [0, 1]."""
    files = sorted((Path(os.environ["RESTORA_DATA"]) / "train" / "Train400").glob("*.png"))[::every]
    return [torch.from_numpy(np.array(Image.open(file), dtype=np.float32) / 255)[None, None] for file in files]


def mean_psnr(problems: list[Problem], images: list[torch.Tensor], method: Method) -> float:
    """In dB, over all images."""
    errors = [float((method.run(p).x - x).double().square().mean()) for p, x in zip(problems, images, strict=True)]
    return fmean(-10 * np.log10(error) for error in errors)


def tuned(problems: list[Problem], images: list[torch.Tensor], sigma: float, name: str) -> tuple[Values, float, float]:
    """The values found, their PSNR, and that of the rule that stands."""
    make, values = RULES[name]
    best = mean_psnr(problems, images, make(values, sigma))
    for factor in (1.3, 1.15, 1.07):
        moved = True
        while moved:
            moved = False
            for key in values:
                steps = (1, -1) if key[0] == "#" else (factor, 1 / factor)
                for step in steps:
                    tried = {**values, key: max(values[key] + step, 1) if key[0] == "#" else values[key] * step}
                    psnr = mean_psnr(problems, images, make(tried, sigma))
                    if psnr > best + 1e-4:
                        values, best, moved = tried, psnr, True
    rule = type(make(values, sigma)).for_problem(problems[0])
    return values, best, mean_psnr(problems, images, rule)


def main() -> None:
    """Print a line a filter and σ."""
    images = training_images()
    for name in sys.argv[1:] or RULES:
        for level in (15, 25, 50):
            problems = [Problem.simulate(x, Identity(), Gaussian(level / 255), i) for i, x in enumerate(images)]
            values, best, before = tuned(problems, images, level / 255, name)
            found = ", ".join(f"{key.lstrip('#')} = {value:.3g}" for key, value in values.items())
            print(f"{name} at {level}: {found}: {best:.3f} dB; the rule that stands: {before:.3f} dB", flush=True)


if __name__ == "__main__":
    main()
