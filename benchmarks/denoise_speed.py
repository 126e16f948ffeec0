"""Time of Gaussian filtering, non-local means, wavelet shrinkage and total variation beside their peers.

    python benchmarks/denoise_speed.py [--repeats 7] [--out results/speed-denoise.csv]

OpenCV's non-local means is pixelwise on 8 bits, scikit-image's pixelwise, ours patchwise.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pywt
import scipy.ndimage
import torch
from duel import Duel, fight, seconds
from skimage import data, restoration
from skimage.transform import resize

from restora.core.problem import Problem
from restora.frames.wavelet import WaveletTransform
from restora.methods.filters.gaussian import GaussianFilter
from restora.methods.filters.nonlocal_means import NonLocalMeans
from restora.methods.transforms.bayes_shrink import BayesShrink
from restora.methods.variational.total_variation import TotalVariation
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255


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
            yield Duel(name, "gaussian", "scipy", size, ours, partial(scipy.ndimage.gaussian_filter, y, s))
            yield Duel(name, "gaussian", "opencv", size, ours, opencv)


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
        yield Duel(name, "nlm", "scikit-image", f"512x512x{channels}", partial(method.run, problem(y)), theirs)
    y8 = (gray.clip(0, 1) * 255).round().astype(np.uint8)
    ours = partial(NonLocalMeans.for_noise(SIGMA).run, problem(gray))
    opencv = partial(cv2.fastNlMeansDenoising, y8, None, 25, 5, 21)
    yield Duel("nlm 5x5 in 21x21", "nlm", "opencv 8-bit", "512x512x1", ours, opencv)


def wavelet_duels() -> Iterator[Duel]:
    there_and_back = "wavelet transform and back, sym8, 5 levels"
    for side in (512, 2048):
        y = picture(side)
        size = f"{side}x{side}"
        ours, theirs = partial(our_wavelets, problem(y).y), partial(their_wavelets, y)
        yield Duel(there_and_back, "bayes-shrink", "pywavelets", size, ours, theirs)
        skimage = partial(restoration.denoise_wavelet, y, SIGMA, "sym8", wavelet_levels=5, rescale_sigma=False)
        ours = partial(BayesShrink().run, problem(y))
        yield Duel("bayes-shrink sym8, 5 levels", "bayes-shrink", "scikit-image", size, ours, skimage)


def our_wavelets(x: torch.Tensor) -> torch.Tensor:
    transform = WaveletTransform("sym8", 5)
    return transform.synthesis(transform.analysis(x), (x.shape[-2], x.shape[-1]))


def their_wavelets(x: np.ndarray) -> np.ndarray:
    return pywt.waverec2(pywt.wavedec2(x, "sym8", "periodization", 5), "sym8", "periodization")


def total_variation_duels() -> Iterator[Duel]:
    """A hundred iterations each, without an early stop."""
    for side in (512, 2048):
        y = picture(side)
        method = TotalVariation(lam=0.07, tolerance=1e-12, max_iterations=100)
        skimage = partial(restoration.denoise_tv_chambolle, y, 0.07, eps=0, max_num_iter=100)
        ours = partial(method.run, problem(y))
        yield Duel("total variation, 100 iterations", "tv", "scikit-image", f"{side}x{side}", ours, skimage)


def throughput() -> None:
    """Megapixels a second of non-local means on pictures larger than any cache."""
    for channels in (1, 3):
        y = picture(1536, channels)
        method = NonLocalMeans.for_noise(SIGMA, channels)
        elapsed = seconds(partial(method.run, problem(y)))
        print(f"nlm, {channels} channel(s), {method}: {y.shape[0] * y.shape[1] / elapsed / 1e6:.2f} Mpixel/s")


if __name__ == "__main__":
    duels = chain(gaussian_duels(), nonlocal_means_duels(), wavelet_duels(), total_variation_duels())
    fight(duels, Path("results/speed-denoise.csv"), __doc__ or "")
    throughput()
