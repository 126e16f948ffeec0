"""How well the noise level is estimated: white Gaussian noise on every image of a folder, at ten levels.

    python benchmarks/noise_estimation.py --data DATA --out results/noise-estimation.csv

``DATA`` is the folder of benchmark data; the images are those of ``DATA/test/BSD68``. Noise: NumPy RandomState(0) for
each image, neither clipped nor rounded. A row a σ (of 255), and one of the images as they are ("0").
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from restora.diagnosis.noise import estimate_noise

LEVELS = (5, 10, 15, 20, 25, 30, 40, 50, 60, 75)


def estimates(images: list[np.ndarray], level: float) -> np.ndarray:
    found = []
    for image in images:
        noisy = image + level * np.random.RandomState(0).normal(size=image.shape)
        found.append(estimate_noise(torch.from_numpy(noisy / 255).float()[None, None]))
    return np.array([(255 * estimate.sigma, estimate.signal_dependent) for estimate in found])


def row(level: float, found: np.ndarray) -> dict[str, str]:
    sigma, dependent = found[:, 0], found[:, 1]
    shares = {"mean_sigma": f"{sigma.mean():.3f}", "called_signal_dependent": f"{dependent.mean():.4f}"}
    if level == 0:
        return {"sigma": "0", "images": str(len(sigma)), **shares, "worst_sigma": f"{sigma.max():.3f}"}
    error = sigma / level - 1
    return {
        "sigma": f"{level:g}",
        "images": str(len(sigma)),
        **shares,
        "worst_sigma": f"{sigma[np.abs(error).argmax()]:.3f}",
        "mean_relative_bias": f"{error.mean():.5f}",
        "relative_rmse": f"{np.sqrt((error**2).mean()):.5f}",
        "worst_relative_error": f"{error[np.abs(error).argmax()]:.5f}",
        "share_within_5_percent": f"{(np.abs(error) < 0.05).mean():.4f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of benchmark data")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    parser.add_argument("--images", type=int, default=None, help="only so many images")
    arguments = parser.parse_args()
    files = sorted((arguments.data / "test" / "BSD68").glob("*.png"))[: arguments.images]
    images = [np.asarray(Image.open(file).convert("L"), dtype=float) for file in files]
    rows = [row(level, estimates(images, level)) for level in (0, *LEVELS)]
    with arguments.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
