"""Non-local means, BM3D and the sliding DCT beside OpenCV, scikit-image and the bm3d package.

OpenCV's non-local means takes 8 bits. Windows and patches are equal; each has the h that its own documentation or the
literature gives it (OpenCV σ, scikit-image's fast mode and ours, pixelwise, 0.6σ).
"""

from collections.abc import Iterator
from functools import partial

import bm3d
import cv2
import numpy as np
from benchmarks.contest import Array, Contest, as_array, as_tensor
from skimage import data, restoration

from restora.core.method import Method
from restora.core.problem import Problem
from restora.methods.filters.nonlocal_means import NonLocalMeans
from restora.methods.transforms.bm3d import BM3D
from restora.methods.transforms.cbm3d import CBM3D
from restora.methods.transforms.sliding_dct import SlidingDCT
from restora.noise.gaussian import Gaussian
from restora.operators.identity import Identity

SIGMA = 25 / 255


def contests() -> Iterator[Contest]:
    gray, colour = data.camera() / 255, data.astronaut() / 255
    yield from nonlocal_means(gray)
    yield Contest(
        "sliding DCT 8x8, one pass",
        "sliding-dct",
        "opencv xphoto.dctDenoising",
        gray,
        bound(SlidingDCT(wiener=False), noisy(gray)),
        partial(opencv_dct, noisy(gray)),
    )
    for level in (25, 50):
        y = noisy(gray, level / 255)
        name = f"BM3D, both stages, σ = {level}"
        ours = bound(BM3D.for_noise(level / 255), y, level / 255)
        yield Contest(name, "bm3d", "bm3d 'np'", gray, ours, partial(bm3d.bm3d, y.astype(np.float64), level / 255))
    y = noisy(colour)
    theirs = partial(bm3d.bm3d_rgb, y.astype(np.float64), SIGMA)
    yield Contest("CBM3D, σ = 25", "cbm3d", "bm3d.bm3d_rgb", colour, bound(CBM3D.for_noise(SIGMA), y), theirs)


def nonlocal_means(gray: Array) -> Iterator[Contest]:
    y = noisy(gray)
    y8 = (y.clip(0, 1) * 255).round().astype(np.uint8)
    for patch, window in ((7, 21), (5, 21), (5, 13)):
        name = f"NLM {patch}x{patch} in {window}x{window}"
        opencv = partial(opencv_nonlocal_means, y8, patch, window)
        skimage = partial(restoration.denoise_nl_means, y, patch, window // 2, 0.6 * SIGMA, sigma=SIGMA, fast_mode=True)
        pixelwise = bound(NonLocalMeans(patch, window, 0.6, "pixelwise"), y)
        yield Contest(f"{name}, pixelwise", "nlm", "opencv fastNlMeans, 8 bits", gray, pixelwise, opencv)
        yield Contest(f"{name}, pixelwise", "nlm", "scikit-image fast mode", gray, pixelwise, skimage)
    patchwise = bound(NonLocalMeans.for_noise(SIGMA), y)
    opencv = partial(opencv_nonlocal_means, y8, 5, 21)
    yield Contest("NLM 5x5 in 21x21, patchwise", "nlm", "opencv fastNlMeans, 8 bits", gray, patchwise, opencv)


def noisy(clean: Array, sigma: float = SIGMA) -> Array:
    return (clean + np.random.default_rng(0).normal(0, sigma, clean.shape)).astype(np.float32)


def bound(method: Method, y: Array, sigma: float = SIGMA) -> partial[Array]:
    return partial(restored, method, Problem(as_tensor(y), Identity(), Gaussian(sigma)))


def restored(method: Method, problem: Problem) -> Array:
    return as_array(method.run(problem).x)


def opencv_nonlocal_means(y8: Array, patch: int, window: int) -> Array:
    return cv2.fastNlMeansDenoising(y8, None, 255 * SIGMA, patch, window) / 255


def opencv_dct(y: Array) -> Array:
    """It leaves the last row and column undefined; they are taken from the measurement."""
    out = np.empty_like(y)
    cv2.xphoto.dctDenoising(y, out, SIGMA, 8)
    return np.where(np.isfinite(out), out, y)
