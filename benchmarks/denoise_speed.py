"""Time of Gaussian filtering, non-local means and wavelet shrinkage beside SciPy, scikit-image, OpenCV and PyWavelets.

    python benchmarks/denoise_speed.py [--repeats 7] [--out results/speed-denoise.csv]

Ours and the peer are run in turns on the same picture, each with the threads it takes by default; medians are compared.
``ratio`` is peer_seconds/ours_seconds: above 1 we are the faster. OpenCV's non-local means is pixelwise on 8 bits,
scikit-image's pixelwise, ours patchwise.
"""

import argparse
import csv
import datetime
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pywt
import scipy.ndimage
import torch
from skimage import data, restoration
from skimage.transform import resize

from restora.core.problem import Problem
from restora.frames.wavelet import WaveletTransform
from restora.methods.filters.gaussian import GaussianFilter
from restora.methods.filters.nonlocal_means import NonLocalMeans
from restora.methods.transforms.bayes_shrink import BayesShrink
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255


@dataclass(frozen=True)
class Duel:
    """Two functions that do the same work."""

    method: str
    peer: str
    size: str
    ours: Callable[[], object]
    theirs: Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A line of the results."""

    benchmark: str
    method: str
    peer: str
    size: str
    ours_seconds: float
    peer_seconds: float
    ratio: float
    version: str
    date: str


def picture(side: int, channels: int = 1) -> np.ndarray:
    """A noisy photograph, (side, side) or (side, side, 3), float32."""
    photograph = data.camera() / 255 if channels == 1 else data.astronaut() / 255
    x = photograph if side == 512 else resize(photograph, (side, side), order=1)
    return (x + np.random.default_rng(0).normal(0, SIGMA, x.shape)).astype(np.float32)


def problem(y: np.ndarray) -> Problem:
    planes = torch.from_numpy(y).reshape(*y.shape[:2], -1).movedim(-1, 0).contiguous()
    return Problem(planes[None], Identity(), Gaussian(SIGMA))


def gaussian_duels() -> Iterator[Duel]:
    for side in (512, 2048):
        y = picture(side)
        for s in (0.8, 3.0):
            ours = partial(GaussianFilter(s).run, problem(y))
            k = 2 * int(4 * s + 0.5) + 1
            opencv = partial(cv2.GaussianBlur, y, (k, k), s, borderType=cv2.BORDER_REFLECT)
            name, size = f"gaussian s={s:g}", f"{side}x{side}"
            yield Duel(name, "scipy", size, ours, partial(scipy.ndimage.gaussian_filter, y, s))
            yield Duel(name, "opencv", size, ours, opencv)


def nonlocal_means_duels() -> Iterator[Duel]:
    gray, colour = picture(512), picture(512, 3)
    for y, channels in ((gray, 1), (colour, 3)):
        method = NonLocalMeans.for_noise(SIGMA, channels)
        name = f"nlm {method.patch}x{method.patch} in {method.window}x{method.window}"
        theirs = partial(
            restoration.denoise_nl_means,
            y,
            method.patch,
            method.window // 2,
            method.h_over_sigma * SIGMA,
            sigma=SIGMA,
            channel_axis=None if channels == 1 else -1,
        )
        yield Duel(name, "scikit-image", f"512x512x{channels}", partial(method.run, problem(y)), theirs)
    y8 = (gray.clip(0, 1) * 255).round().astype(np.uint8)
    ours = partial(NonLocalMeans.for_noise(SIGMA).run, problem(gray))
    opencv = partial(cv2.fastNlMeansDenoising, y8, None, 25, 5, 21)
    yield Duel("nlm 5x5 in 21x21", "opencv 8-bit", "512x512x1", ours, opencv)


def wavelet_duels() -> Iterator[Duel]:
    there_and_back = "wavelet transform and back, sym8, 5 levels"
    for side in (512, 2048):
        y = picture(side)
        size = f"{side}x{side}"
        yield Duel(there_and_back, "pywavelets", size, partial(our_wavelets, problem(y).y), partial(their_wavelets, y))
        skimage = partial(restoration.denoise_wavelet, y, SIGMA, "sym8", wavelet_levels=5, rescale_sigma=False)
        yield Duel("bayes-shrink sym8, 5 levels", "scikit-image", size, partial(BayesShrink().run, problem(y)), skimage)


def our_wavelets(x: torch.Tensor) -> torch.Tensor:
    transform = WaveletTransform("sym8", 5)
    return transform.inverse(transform.forward(x))


def their_wavelets(x: np.ndarray) -> np.ndarray:
    return pywt.waverec2(pywt.wavedec2(x, "sym8", "periodization", 5), "sym8", "periodization")


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(duel: Duel, repeats: int) -> Row:
    duel.ours()  # compiles, or loads what was compiled
    duel.theirs()
    pairs = [(seconds(duel.ours), seconds(duel.theirs)) for _ in range(repeats)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs))
    return Row(
        "denoise",
        duel.method,
        duel.peer,
        duel.size,
        round(ours, 5),
        round(theirs, 5),
        round(theirs / ours, 2),
        version("restora"),
        datetime.date.today().isoformat(),
    )


def throughput() -> None:
    """Megapixels a second of non-local means on pictures larger than any cache."""
    for channels in (1, 3):
        y = picture(1536, channels)
        method = NonLocalMeans.for_noise(SIGMA, channels)
        elapsed = seconds(partial(method.run, problem(y)))
        print(f"nlm, {channels} channel(s), {method}: {y.shape[0] * y.shape[1] / elapsed / 1e6:.2f} Mpixel/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("results/speed-denoise.csv"))
    arguments = parser.parse_args()
    rows = []
    for duels in (gaussian_duels, nonlocal_means_duels, wavelet_duels):
        for duel in duels():
            row = measure(duel, arguments.repeats)
            rows.append(row)
            print(
                f"{row.method:<43}{row.peer:<14}{row.size:<12}{row.ours_seconds * 1e3:9.2f} ms"
                f"{row.peer_seconds * 1e3:10.2f} ms   x{row.ratio:.2f}",
                flush=True,
            )
    throughput()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(astuple(row) for row in rows)


if __name__ == "__main__":
    main()
